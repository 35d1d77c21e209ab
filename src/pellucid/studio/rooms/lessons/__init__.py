"""The lessons' answers: chapters, exercises, and the figures beside the prose."""

from pellucid.studio.rooms.lessons.course import attempt, chapter, contents, exercise, grade, sheet
from pellucid.studio.rooms.lessons.figures import (
    channels,
    convolve,
    counts,
    field,
    filters,
    funnel,
    layer,
    pixels,
    scores,
    stock,
    turned,
)

__all__ = [
    "attempt",
    "channels",
    "chapter",
    "contents",
    "convolve",
    "counts",
    "exercise",
    "field",
    "filters",
    "funnel",
    "grade",
    "layer",
    "pixels",
    "scores",
    "sheet",
    "stock",
    "turned",
]
