"""A form: one way to compute a task, ready to run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pellucid.types import Array


@dataclass(frozen=True)
class Form:
    """``run`` is what is timed; ``results`` computes what is compared with others, by name, before that.

    Names are those of :mod:`pellucid.bench.ours`: "y" for a result, "dx" and "dw" for the gradients of a
    convolution, "loss" and the parameters' paths for training, whose weights must be the first ones then.
    """

    label: str
    run: Callable[[], Any]
    results: Callable[[], Mapping[str, Array]]
