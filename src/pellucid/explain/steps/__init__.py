"""Convolve → ReLU → pool, one window after the other, there and back."""
