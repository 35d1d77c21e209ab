"""Where a window lies: the one formula for output sizes, and the one map from output cells to input cells.

Everything that slides over an image (convolution, pooling, their transposes) is two :class:`Axis` objects, one for
the rows and one for the columns. Sizes, receptive fields, the stepper and the count of border pixels that no window
sees are all read from here, so they cannot disagree.
"""

from dataclasses import dataclass

from pellucid.errors import ParameterError, ShapeError
from pellucid.types import Padding, Pair


@dataclass(frozen=True, slots=True)
class Axis:
    """A sliding window along one axis.

    ``before`` and ``after`` count the padding cells at the two ends. ``dilation`` is the distance between
    neighbouring taps. With ``ceil_mode`` a last window may hang over the end, as long as it starts inside the
    input or its leading padding (PyTorch's rule).

    >>> Axis(kernel=3, stride=2).output_size(7)
    3
    >>> list(Axis(kernel=3, stride=2, before=1, after=1).inputs(0))
    [-1, 0, 1]
    """

    kernel: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1
    ceil_mode: bool = False

    @property
    def extent(self) -> int:
        """Input cells from the first tap to the last, both included."""
        return self.dilation * (self.kernel - 1) + 1

    def output_size(self, size: int) -> int:
        """⌊(size + before + after − extent) / stride⌋ + 1, or ⌈…⌉ with ``ceil_mode``.

        Raises ShapeError where not even one window fits.
        """
        slack = size + self.before + self.after - self.extent
        if slack < 0:
            raise ShapeError(
                f"has a window of {self.extent} on an input of {size} padded to {size + self.before + self.after}: "
                "it does not fit; use a smaller kernel or dilation, more padding, or a larger input."
            )
        if not self.ceil_mode:
            return slack // self.stride + 1
        count = -(-slack // self.stride) + 1
        starts_outside = (count - 1) * self.stride >= size + self.before
        return count - 1 if starts_outside else count

    def taps(self, cell: int) -> list[Pair]:
        """(input cell, kernel tap) for every product behind an output cell; cells outside the input are padding."""
        return list(zip(self.inputs(cell), range(self.kernel), strict=True))

    def inputs(self, cell: int) -> range:
        """Input cells that an output cell reads, padding included."""
        first = cell * self.stride - self.before
        return range(first, first + self.extent, self.dilation)

    def uncovered(self, size: int) -> int:
        """Cells at the input's far end that no window reaches, because the stride does not divide."""
        last = self.inputs(self.output_size(size) - 1)[-1]
        return max(0, size - 1 - max(last, -1))


@dataclass(frozen=True, slots=True)
class TransposedAxis:
    """The window of a transposed convolution along one axis: every input cell is stamped onto the output.

    >>> axis = TransposedAxis(kernel=3, stride=2)
    >>> axis.output_size(4), axis.taps(2)
    (9, [(0, 2), (1, 0)])
    """

    kernel: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1
    output_padding: int = 0

    @property
    def extent(self) -> int:
        """Output cells from the first tap to the last, both included."""
        return self.dilation * (self.kernel - 1) + 1

    def output_size(self, size: int) -> int:
        """(size − 1)·stride − before − after + extent + output_padding. Raises ShapeError where that is below 1."""
        result = (size - 1) * self.stride - self.before - self.after + self.extent + self.output_padding
        if result < 1:
            raise ShapeError(
                f"cuts {self.before} + {self.after} cells of padding off an output of "
                f"{result + self.before + self.after}: nothing is left; use less padding."
            )
        return result

    def taps(self, cell: int) -> list[Pair]:
        """(input cell, kernel tap) for every product behind an output cell, by rising input cell."""
        reached = cell + self.before
        pairs = []
        for tap in reversed(range(self.kernel)):
            source, rest = divmod(reached - tap * self.dilation, self.stride)
            if rest == 0:
                pairs.append((source, tap))
        return pairs

    def inputs(self, cell: int) -> list[int]:
        """Input cells that an output cell reads; those below 0 or past the input's end do not exist."""
        return [source for source, _ in self.taps(cell)]


@dataclass(frozen=True, slots=True)
class Window:
    """A sliding window over rows and columns.

    >>> window = Window.of(kernel=(3, 3), stride=(2, 2), padding=((1, 1), (1, 1)))
    >>> window.output_size(28, 28)
    (14, 14)
    >>> window.box(0, 5, height=28, width=28)          # rows 0–1 and columns 9–11: (y0, x0, y1, x1)
    (0, 9, 2, 12)
    """

    rows: Axis | TransposedAxis
    columns: Axis | TransposedAxis

    @classmethod
    def of(
        cls,
        kernel: Pair,
        stride: Pair = (1, 1),
        padding: Padding = ((0, 0), (0, 0)),
        dilation: Pair = (1, 1),
        ceil_mode: bool = False,
    ) -> "Window":
        """Build the window of a convolution or pooling from pairs (rows, columns)."""
        return cls(*(Axis(kernel[i], stride[i], *padding[i], dilation[i], ceil_mode) for i in (0, 1)))

    @classmethod
    def transposed(cls, kernel: Pair, stride: Pair, padding: Padding, dilation: Pair, output_padding: Pair) -> "Window":
        """Build the window of a transposed convolution from pairs (rows, columns)."""
        return cls(*(TransposedAxis(kernel[i], stride[i], *padding[i], dilation[i], output_padding[i]) for i in (0, 1)))

    def output_size(self, height: int, width: int) -> Pair:
        """(rows, columns) of the output. Raises ShapeError where nothing comes out."""
        return self.rows.output_size(height), self.columns.output_size(width)

    def box(self, y: int, x: int, *, height: int, width: int) -> tuple[int, int, int, int]:
        """Smallest box (y0, x0, y1, x1), ends excluded, of the real input cells that output cell (y, x) reads."""
        y0, y1 = _inside(self.rows.inputs(y), height)
        x0, x1 = _inside(self.columns.inputs(x), width)
        return y0, x0, y1, x1


def _inside(cells: "range | list[int]", size: int) -> Pair:
    real = [cell for cell in cells if 0 <= cell < size]
    return (real[0], real[-1] + 1) if real else (0, 0)


def named_padding(name: str, kernel: Pair, stride: Pair, dilation: Pair) -> Padding:
    """Return the padding in cells for "valid", "same" or "full".

    "same" keeps the size and exists for stride 1 only; where the total is odd the extra cell goes to the end, as in
    PyTorch. "full" lets every window that touches the input count.

    >>> named_padding("same", (3, 5), (1, 1), (1, 1))
    ((1, 1), (2, 2))
    """
    totals = [dilation[i] * (kernel[i] - 1) for i in (0, 1)]
    if name == "valid":
        return (0, 0), (0, 0)
    if name == "full":
        return (totals[0], totals[0]), (totals[1], totals[1])
    if name != "same":
        raise ParameterError(
            f"The 'padding' parameter must be a number of cells, 'valid', 'same' or 'full'; got {name!r}."
        )
    if stride != (1, 1):
        raise ParameterError(
            f"The padding 'same' needs stride 1; got stride {stride}. Give the padding in cells instead."
        )
    (top, left) = (total // 2 for total in totals)
    return (top, totals[0] - top), (left, totals[1] - left)
