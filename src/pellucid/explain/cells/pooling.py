"""Pooling, and sums and means over whole axes."""

import math

import numpy as np

from pellucid.explain.cells import rounding
from pellucid.explain.cells.parts import Arithmetic, Operand, Site, Step, Where, counted, mesh
from pellucid.explain.numbers import number
from pellucid.geometry import Axis, TransposedAxis
from pellucid.ops import AdaptiveAvgPool2d, AvgPool2d, LPPool2d, MaxPool2d, Mean, Sum


def maximum(site: Site) -> Arithmetic:
    """Take the largest number of a window: the first of equal ones, the last NaN."""
    assert isinstance(site.op, MaxPool2d)
    found = site.read(_inside(site))
    values = found.values.reshape(-1)
    if not values.size:
        step = Step("largest of 0 numbers", "", -math.inf)
        return Arithmetic("largest of the window", (found,), (step,), -math.inf, 0.0)
    is_nan = np.flatnonzero(np.isnan(values))
    winner = int(is_nan[-1]) if is_nan.size else int(values.argmax())
    equal = int((values == values[winner]).sum())
    weights = np.zeros(values.size)
    weights[winner] = 1
    result = float(values[winner])
    name = f"largest of {counted(values.size, 'number')}{f', the first of {equal} equal ones' if equal > 1 else ''}"
    operand = Operand(found.layer, found.values, found.where, weights.reshape(found.values.shape), found.values)
    bound = rounding.of_choice(result, values.dtype)
    return Arithmetic("largest of the window", (operand,), (Step(name, "", result),), result, bound, winner=winner)


def average(site: Site) -> Arithmetic:
    """Divide the sum of a window by the number of its cells that count."""
    op = site.op
    assert isinstance(op, AvgPool2d)
    n, channel, y, x = site.index
    if not op.count_include_pad:
        return _mean(site, _inside(site))
    window, found, count = site.window(), [], 1
    for axis, place, size in zip((window.rows, window.columns), (y, x), site.x.shape[2:], strict=True):
        assert isinstance(axis, Axis)
        counted = [cell for cell in axis.inputs(place) if cell < size + axis.after]
        count *= len(counted)
        found.append(np.array([cell if 0 <= cell < size else -1 for cell in counted]))
    return _mean(site, mesh(n, [channel], *found), count)


def adaptive(site: Site) -> Arithmetic:
    """Average one of the windows that cover the plane evenly."""
    assert isinstance(site.op, AdaptiveAvgPool2d)
    n, channel, *place = site.index
    spans = [
        range(cell * size // count, -(-(cell + 1) * size // count))
        for cell, size, count in zip(place, site.x.shape[2:], site.op.output_size, strict=True)
    ]
    return _mean(site, mesh(n, [channel], *spans))


def over_axes(site: Site) -> Arithmetic:
    """Add all numbers along some axes up; for a mean, divide by their number."""
    op = site.op
    assert isinstance(op, Mean | Sum)
    index = iter(site.index)
    where: list[int | range] = []
    for axis, size in enumerate(site.x.shape):
        if axis in op.axes:
            where.append(range(size))
            if op.keepdims:
                next(index)
        else:
            where.append(next(index))
    if isinstance(op, Mean):
        return _mean(site, mesh(*where))
    found = site.read(mesh(*where))
    total = float(found.values.sum(dtype=np.float64))
    step = Step(f"sum of {counted(found.values.size, 'number')}", "", total)
    operand = _with_weight(found, 1.0)
    return Arithmetic("sum of the numbers", (operand,), (step,), total, rounding.of_sum(found.values))


def power(site: Site) -> Arithmetic:
    """Take the p-norm of a window; one that hangs over the end is made up for."""
    op = site.op
    assert isinstance(op, LPPool2d)
    found = site.read(_inside(site))
    terms = found.values.astype(np.float64) ** op.norm
    total, size = float(terms.sum()), float(abs(terms).sum())
    factor = op.kernel[0] * op.kernel[1] / found.values.size
    result = _root(factor * total, op.norm)
    p = number(op.norm)
    steps = [Step(f"sum of {counted(terms.size, f'x^{p}', '')}", "", total)]
    if factor != 1:
        steps.append(Step("made up for a whole window", f"{number(total)} × {number(factor)}", factor * total))
    steps.append(Step(f"root of order {p}", f"{number(factor * total)}^(1/{p})", result))
    operand = Operand(found.layer, found.values, found.where, terms=terms, term=f"x^{p}")
    away = factor * size * (found.values.size + 4) * rounding.epsilon(found.values.dtype)
    ends = [_root(max(factor * total + side * away, 0.0), op.norm) for side in (-1, 1)]
    bound = max(abs(end - result) for end in ends) + rounding.of_value(result, found.values.dtype, 4)
    bound = bound if rounding.is_within(found.values.dtype, factor * size) else math.inf
    return Arithmetic(f"(sum of x^{p})^(1/{p})", (operand,), tuple(steps), result, bound)


def _root(value: float, order: float) -> float:
    """Return NaN of a negative number, as the definition does, unless the order is 1."""
    if value < 0:
        return value if order == 1 else math.nan
    return float(np.float64(value) ** (1 / order))


def _inside(site: Site) -> Where:
    """Return the places of the window that exist."""
    window, (n, channel, y, x) = site.window(), site.index
    height, width = site.x.shape[2:]
    return mesh(n, [channel], _existing(window.rows, y, height), _existing(window.columns, x, width))


def _existing(axis: Axis | TransposedAxis, place: int, size: int) -> list[int]:
    return [cell for cell in axis.inputs(place) if 0 <= cell < size]


def _mean(site: Site, where: Where, count: int | None = None) -> Arithmetic:
    found = site.read(where)
    count = found.values.size if count is None else count
    total = float(found.values.sum(dtype=np.float64))
    steps = (
        Step(f"sum of {counted(found.values.size, 'number')}", "", total),
        Step("sum / number of cells", f"{number(total)} / {count:,}", total / count),
    )
    operand = _with_weight(found, 1 / count)
    return Arithmetic("mean of the numbers", (operand,), steps, total / count, rounding.of_mean(found.values, count))


def _with_weight(found: Operand, weight: float) -> Operand:
    """Give all numbers one weight, but show them as they are added up: without it."""
    weights = np.full(found.values.shape, weight)
    return Operand(found.layer, found.values, found.where, weights, found.values.astype(np.float64))
