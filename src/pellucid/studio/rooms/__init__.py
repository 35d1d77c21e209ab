"""Answers: one file or package per room, one function per question."""
