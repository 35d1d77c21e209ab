"""Sums of products: convolution, its transpose, the dense layer."""

import numpy as np

from pellucid.analysis.receptive_field import border_source
from pellucid.explain.cells import rounding
from pellucid.explain.cells.parts import Arithmetic, Operand, Site, Step, counted, mesh
from pellucid.explain.numbers import factor, number
from pellucid.ops import Conv2d, ConvTranspose2d
from pellucid.types import Array

_OUTSIDE = -1


def convolution(site: Site) -> Arithmetic:
    """Multiply a patch by the weights of a filter, and add up."""
    op, weight = site.op, site.given(1)
    assert isinstance(op, Conv2d)
    n, channel, *_ = site.index
    per_group = weight.shape[1]
    first = channel // (len(weight) // op.groups) * per_group
    rows, columns = (np.array(axis) for axis in _seen(site, reach=0))
    weights = weight[channel, :, ::-1, ::-1] if op.flip else weight[channel]
    patch = site.read(mesh(n, range(first, first + per_group), rows, columns), weights=weights.copy())
    bias = _bias(site, channel)
    if "winograd" in site.kernel:
        nearby = _largest_nearby(site, slice(first, first + per_group))
        bound = rounding.of_winograd(nearby, weights, bias)
    else:
        bound = rounding.of_sum(patch.values, weights, bias)
    return _sum(site, "sum of patch × weights", patch, bias, bound)


def transposed(site: Site) -> Arithmetic:
    """Add up what the cells that are stamped onto this one leave here."""
    op, weight = site.op, site.given(1)
    assert isinstance(op, ConvTranspose2d)
    n, channel, y, x = site.index
    window, (_, channels, height, width) = site.window(), site.x.shape
    rows = [pair for pair in window.rows.taps(y) if 0 <= pair[0] < height]
    columns = [pair for pair in window.columns.taps(x) if 0 <= pair[0] < width]
    group, own = divmod(channel, weight.shape[1])
    per_group = channels // op.groups
    inputs = range(group * per_group, (group + 1) * per_group)
    taps = np.array([tap for _, tap in rows], int), np.array([tap for _, tap in columns], int)
    weights = weight[inputs.start : inputs.stop, own][:, taps[0]][:, :, taps[1]]  # (C/groups, rows, columns)
    patch = site.read(mesh(n, inputs, [row for row, _ in rows], [column for column, _ in columns]), weights=weights)
    bias = _bias(site, channel)
    return _sum(site, "sum of cells × weights", patch, bias, rounding.of_sum(patch.values, weights, bias))


def dense(site: Site) -> Arithmetic:
    """Multiply all numbers of a row by a unit's weights, and add up."""
    *leading, unit = site.index
    weights = site.given(1)[unit].copy()
    row = site.read(mesh(*leading, range(len(weights))), weights=weights)
    bias = _bias(site, unit)
    return _sum(site, "sum of inputs × weights", row, bias, rounding.of_sum(row.values, weights, bias))


def _sum(site: Site, formula: str, operand: Operand, bias: float, bound: float) -> Arithmetic:
    assert operand.terms is not None
    total = float(operand.terms.sum())
    count = operand.values.size
    steps = [Step(f"sum of {counted(count, 'product')}", "", total)]
    if site.inputs[2] is not None:
        formula += " + bias"
        steps.append(Step("sum + bias", f"{number(total)} + {factor(bias)}", total + bias))
    return Arithmetic(formula, (operand,), tuple(steps), total + bias, bound, bias=bias)


def _bias(site: Site, channel: int) -> float:
    bias = site.inputs[2]
    return 0.0 if bias is None else float(bias[channel])


def _seen(site: Site, reach: int) -> tuple[list[int], list[int]]:
    """Return the rows and columns that the window lies on, and so many round it; −1 where a border of zeros is."""
    window, (y, x) = site.window(), site.index[2:]
    border = getattr(site.op, "border", "zeros")
    found = []
    for axis, place, size in zip((window.rows, window.columns), (y, x), site.x.shape[2:], strict=True):
        cells = list(axis.inputs(place))
        wide = cells if not reach else range(cells[0] - reach, cells[-1] + reach + 1)
        sources = (border_source(cell, size, border) for cell in wide)
        found.append([_OUTSIDE if source is None else source for source in sources])
    return found[0], found[1]


def _largest_nearby(site: Site, channels: slice) -> Array:
    """Return, for each pixel of the patch, the largest magnitude of its channel within the reach of a tile."""
    rows, columns = _seen(site, rounding.REACH)
    around = abs(site.x[site.index[0], channels])[:, rows][:, :, columns]  # (C/groups, KH + 2·reach, KW + 2·reach)
    around[:, np.array(rows) < 0] = 0
    around[:, :, np.array(columns) < 0] = 0
    side = 2 * rounding.REACH + 1
    return np.asarray(np.lib.stride_tricks.sliding_window_view(around, (side, side), (1, 2)).max((3, 4)))
