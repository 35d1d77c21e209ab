"""Training: gradients, optimisers, schedules, the loop, checkpoints, runs on disk."""
