"""What the blocks of a listing tell its designer, beside what :mod:`pellucid.analysis.warnings` says of its fields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pellucid.analysis.warnings import Remark
from pellucid.types import Shape
from pellucid.zoo.listing import Placed

_SUMS = ("conv", "depthwise", "linear")
_STRAIGHT = ("norm", "dropout", "flatten", "avgpool", "adaptive", "gap")


def advice(placed: Sequence[Placed], classes: int) -> tuple[Remark, ...]:
    """Return one sentence for each thing worth a look.

    >>> from pellucid.zoo.listing import parse
    >>> listing = parse("1x8x8to2-conv4-conv4-relu")
    >>> for remark in advice(listing.placed(), listing.classes): print(remark.text)
    Nothing bends the numbers between 'conv1' and 'conv2': together they can do no more than one; put a ReLU between.
    The network ends in 4×4×4 numbers, not in one for each of 2 classes; end with 'flatten' and 'linear'.
    """
    fitting = [place for place in placed if not place.error]
    return (*_collapsing(fitting), *_last(fitting, classes))


def _collapsing(fitting: Sequence[Placed]) -> Iterator[Remark]:
    """Find layers of sums that only other layers of sums follow."""
    last: Placed | None = None
    for place in fitting:
        word = place.block.word
        if last is not None and word in _SUMS and (word, last.block.word) != ("conv", "depthwise"):
            yield Remark(
                place.name,
                f"Nothing bends the numbers between '{last.name}' and '{place.name}': together they can do no more "
                "than one; put a ReLU between.",
            )
        if word in _SUMS:
            last = place
        elif word not in _STRAIGHT:
            last = None


def _last(fitting: Sequence[Placed], classes: int) -> Iterator[Remark]:
    if not fitting:
        return
    end = fitting[-1]
    if end.output != (classes,):
        yield Remark(
            end.name,
            f"The network ends in {_written(end.output)} numbers, not in one for each of {classes:,} classes; "
            "end with 'flatten' and 'linear'.",
        )
    elif end.block.word in ("relu", "relu6"):
        yield Remark(end.name, "A ReLU at the end cuts every score below 0 off; leave it out.")


def _written(shape: Shape) -> str:
    return "×".join(f"{extent:,}" for extent in shape)
