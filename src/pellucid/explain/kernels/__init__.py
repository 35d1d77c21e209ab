"""Kernels made by hand: by name, from a file or typed, and what each is and does."""
