"""What moves a network's answers: changed pictures, layers that follow a shift or do not, and remedies."""
