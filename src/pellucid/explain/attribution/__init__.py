"""Which pixels a class's score comes from, by ten methods, and whether a method asks the network at all."""
