"""Reading the settings of layers: numbers or pairs, names or cells of padding."""

from typing import Any

import numpy as np

from pellucid.errors import ParameterError, ShapeError
from pellucid.geometry import named_padding
from pellucid.types import Padding, Pair, Shape

NAMES = ("valid", "same", "full")
"""Paddings that are named instead of counted."""


def pair(value: Any, name: str, owner: str, minimum: int = 1) -> Pair:
    """Read n or (rows, columns) as a pair."""
    values = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if not _are_two_cells(values, minimum):
        raise ParameterError(
            f"The '{name}' parameter of {owner} must be an integer of at least {minimum} or a pair of them; "
            f"got {value!r}."
        )
    return int(values[0]), int(values[1])


def padding_cells(value: Any, kernel: Pair, stride: Pair, dilation: Pair, owner: str) -> Padding:
    """Read n, (rows, columns), ((top, bottom), (left, right)), "valid", "same" or "full" as cells on four sides."""
    if isinstance(value, str) and value in NAMES:
        return named_padding(value, kernel, stride, dilation)
    sides = tuple(value) if isinstance(value, tuple | list) else (value, value)
    cells = [tuple(side) if isinstance(side, tuple | list) else (side, side) for side in sides]
    if len(cells) != 2 or not all(_are_two_cells(side, 0) for side in cells):
        raise ParameterError(
            f"The 'padding' parameter of {owner} must be a number of cells, (rows, columns), "
            f"((top, bottom), (left, right)), {', '.join(map(repr, NAMES))}; got {value!r}."
        )
    (top, bottom), (left, right) = cells
    return (int(top), int(bottom)), (int(left), int(right))


def _are_two_cells(values: tuple[Any, ...], minimum: int) -> bool:
    return len(values) == 2 and all(is_integer(number) and number >= minimum for number in values)


def positive(value: Any, name: str, owner: str) -> int:
    """Refuse anything but an integer of at least 1."""
    if not is_integer(value) or value < 1:
        raise ParameterError(f"The '{name}' parameter of {owner} must be an integer of at least 1; got {value!r}.")
    return int(value)


def divides(groups: int, value: int, name: str, owner: str, setting: str = "groups") -> None:
    """Refuse groups that do not divide a number of channels."""
    if value % groups:
        raise ParameterError(f"The '{setting}' parameter of {owner} must divide {name} {value}; got {groups}.")


def target_size(shape: Shape, size: Any, scale_factor: Any, owner: str) -> Pair:
    """Rows and columns that maps of ``shape`` are scaled to.

    Factors must be whole: a broken one leaves open whether it or the ratio of sizes places the samples.
    """
    if (size is None) == (scale_factor is None):
        raise ParameterError(f"{owner} needs either a size or a scale_factor; got {size!r} and {scale_factor!r}.")
    if size is not None:
        return pair(size, "size", owner)
    if len(shape) != 4:
        raise ShapeError(f"{owner} needs an input of 4 axes (N, C, H, W), got shape {shape}.")
    factors = tuple(scale_factor) if isinstance(scale_factor, tuple | list) else (scale_factor, scale_factor)
    if len(factors) != 2 or not all(_is_whole(factor) for factor in factors):
        raise ParameterError(
            f"The 'scale_factor' parameter of {owner} must be a whole number of at least 1, or two; "
            f"got {scale_factor!r}. Give the size instead."
        )
    return shape[2] * int(factors[0]), shape[3] * int(factors[1])


def is_integer(value: Any) -> bool:
    """Tell whether something is an integer of Python's or NumPy's; True and False are not."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return (is_integer(value) or (isinstance(value, float) and value.is_integer())) and value >= 1
