"""Exercises made from a kind and a seed, and graded by the engine."""
