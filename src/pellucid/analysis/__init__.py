"""What can be said of a network without running it: sizes, parameters, operations, receptive fields."""
