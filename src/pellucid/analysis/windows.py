"""How one window slides along a side of an image: where it stops, what it never reads, what it sums up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pellucid import nn
from pellucid.analysis.formulas import size_formula
from pellucid.errors import ParameterError, ShapeError
from pellucid.geometry import Axis, named_padding
from pellucid.nn.functional import conv2d, pad
from pellucid.nn.settings import NAMES
from pellucid.types import Array


@dataclass(frozen=True, slots=True)
class Sliding:
    """A window on an image of ``size`` cells a side. ``formula`` is that of its output, the numbers put in.

    ``starts`` are the cells at which it stops, from −``axis.before`` on; ``taps`` what it reads from there; ``unread``
    the image's cells that it never reads.

    >>> found = slide(7, kernel=2, stride=3)
    >>> found.formula, found.starts, found.taps, found.unread
    ('⌊(7 + 2·0 − 2) / 3⌋ + 1 = 2', (0, 3), (0, 1), (2, 5, 6))
    """

    axis: Axis
    size: int
    output: int
    formula: str
    starts: tuple[int, ...]
    taps: tuple[int, ...]
    unread: tuple[int, ...]

    @property
    def overhang(self) -> int:
        """Cells by which the last window hangs over the padded image's end."""
        return max(0, self.starts[-1] + self.axis.extent - self.size - self.axis.after)

    def padded(self, image: Array, border: str = "zeros") -> Array:
        """Put the padding round an image (H, W), by a border of its own: "zeros", "replicate", "reflect", "circular".

        Zeros stand where a last window hangs over. Raises ParameterError or ShapeError where the border cannot be.
        """
        mode = "constant" if border == "zeros" else border
        before, after, more = self.axis.before, self.axis.after, self.overhang
        inner = nn.ConstantPad2d((0, more, 0, more), 0)
        sides = (before, after, before, after)
        found: Array = np.asarray(pad(np.asarray(image, np.float32)[None, None], sides, mode))
        whole: Array = np.asarray(inner(found))[0, 0]
        return whole

    def sums(self, padded: Array) -> Array:
        """Return what the window covers at each stop, added up: a convolution with ones, (output, output)."""
        ones = np.ones((1, 1, self.axis.kernel, self.axis.kernel), np.float32)
        stride, dilation = self.axis.stride, self.axis.dilation
        found: Array = np.asarray(conv2d(padded[None, None], ones, stride=stride, dilation=dilation))[0, 0]
        return found


def slide(
    size: int,
    kernel: int,
    stride: int = 1,
    padding: int | str = 0,
    dilation: int = 1,
    ceil_mode: bool = False,
) -> Sliding:
    """Slide a window along a side; ``padding`` is a number of cells or "valid", "same" or "full".

    Raises ParameterError where a number is none, ShapeError where not even one window fits.
    """
    given = {"size": size, "kernel": kernel, "stride": stride, "dilation": dilation}
    for name, value in given.items():
        if type(value) is not int or value < 1:
            raise ParameterError(
                f"The '{name}' parameter of slide must be a whole number of at least 1; got {value!r}."
            )
    if isinstance(padding, str):
        (before, after), _ = named_padding(padding, (kernel, kernel), (stride, stride), (dilation, dilation))
    elif type(padding) is int and padding >= 0:
        before = after = padding
    else:
        names = ", ".join(map(repr, NAMES))
        raise ParameterError(f"The 'padding' parameter of slide must be a number of cells or {names}; got {padding!r}.")
    axis = Axis(kernel, stride, before, after, dilation, ceil_mode)
    try:
        output = axis.output_size(size)
    except ShapeError as error:
        raise ShapeError(f"The layer {error}") from None
    windows = [axis.inputs(cell) for cell in range(output)]
    read = {cell for window in windows for cell in window}
    return Sliding(
        axis=axis,
        size=size,
        output=output,
        formula=size_formula(axis, size),
        starts=tuple(window[0] for window in windows),
        taps=tuple(range(0, axis.extent, dilation)),
        unread=tuple(cell for cell in range(size) if cell not in read),
    )
