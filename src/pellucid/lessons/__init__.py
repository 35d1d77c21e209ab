"""Lessons on convolutional networks: chapters, and exercises that grade themselves."""
