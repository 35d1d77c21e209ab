"""Normalisation: by given statistics, by those of a set of numbers, by the neighbouring channels."""

import math
from dataclasses import dataclass

import numpy as np

from pellucid.explain.cells import rounding
from pellucid.explain.cells.parts import Arithmetic, Operand, Site, Step, Where, counted, mesh
from pellucid.explain.numbers import factor, number
from pellucid.ops import BatchNorm, GroupNorm, LayerNorm, LocalResponseNorm


@dataclass(frozen=True, slots=True)
class _Statistics:
    """Mean, variance, and how far the engine's may be from them."""

    mean: float
    variance: float
    mean_bound: float = 0.0
    variance_bound: float = 0.0


def batch(site: Site) -> Arithmetic:
    """Normalise by the running statistics of the channel, or in training by those of its numbers."""
    op, channel = site.op, site.index[1]
    assert isinstance(op, BatchNorm)
    weight, bias = _at(site, 1, (channel,)), _at(site, 2, (channel,))
    if not op.training:
        known = _Statistics(float(site.given(3)[channel]), float(site.given(4)[channel]))
        return _normalised(site, op.eps, known, weight, bias)
    axes = [range(size) for size in site.x.shape]
    return _over(site, op.eps, mesh(axes[0], channel, *axes[2:]), weight, bias)


def layer(site: Site) -> Arithmetic:
    """Normalise by the statistics of a sample's trailing axes."""
    op, leading = site.op, site.index
    assert isinstance(op, LayerNorm)
    kept = site.x.ndim - op.axes
    where = mesh(*leading[:kept], *(range(size) for size in site.x.shape[kept:]))
    trailing = leading[kept:]
    return _over(site, op.eps, where, _at(site, 1, trailing), _at(site, 2, trailing))


def group(site: Site) -> Arithmetic:
    """Normalise by the statistics of a group of channels."""
    op, (n, channel, *_) = site.op, site.index
    assert isinstance(op, GroupNorm)
    size = site.x.shape[1] // op.groups
    first = channel // size * size
    where = mesh(n, range(first, first + size), *(range(extent) for extent in site.x.shape[2:]))
    return _over(site, op.eps, where, _at(site, 1, (channel,)), _at(site, 2, (channel,)))


def local_response(site: Site) -> Arithmetic:
    """Divide by the activity of the neighbouring channels."""
    op, (n, channel, *place) = site.op, site.index
    assert isinstance(op, LocalResponseNorm)
    first, last = channel - op.size // 2, channel + (op.size - 1) // 2
    neighbours = range(max(first, 0), min(last + 1, site.x.shape[1]))
    found, own = site.read(mesh(n, neighbours, *place)), site.at(*site.index)
    squares = found.values.astype(np.float64) ** 2
    total, x = float(squares.sum()), float(own.values)
    activity = op.k + op.alpha / op.size * total
    result = float(x * np.float64(activity) ** -op.beta)
    share = number(op.alpha / op.size)
    steps = (
        Step(f"sum of {counted(squares.size, 'square')}", "", total),
        Step("a = k + alpha/size · sum", f"{number(op.k)} + {share} × {number(total)}", activity),
        Step("x / a^beta", f"{number(x)} / {number(activity)}^{number(op.beta)}", result),
    )
    terms = Operand(found.layer, found.values, found.where, terms=squares, term="x²")
    bound = rounding.of_value(result, site.x.dtype, abs(op.beta) * (squares.size + 4) + 6)
    bound = bound if rounding.is_within(site.x.dtype, total, activity) else math.inf
    return Arithmetic("x / (k + alpha/size · Σ x²)^beta", (own, terms), steps, result, bound)


def _over(site: Site, eps: float, where: Where, weight: float | None, bias: float | None) -> Arithmetic:
    """Normalise by the statistics of some numbers, which are taken first."""
    found = site.read(where)
    values, count = found.values.astype(np.float64), found.values.size
    mean = float(values.mean())
    squares = (values - mean) ** 2
    variance = float(squares.mean())
    mean_bound = rounding.of_mean(found.values, count)
    away = (count + 4) * rounding.epsilon(site.x.dtype) * (variance + mean_bound * mean_bound) + mean_bound * mean_bound
    away = away if rounding.is_within(site.x.dtype, float(squares.sum())) else math.inf
    statistics = _Statistics(mean, variance, mean_bound, away)
    operand = Operand(found.layer, found.values, found.where, terms=squares, term="(x − mean)²")
    before = (
        Step(f"mean of {counted(count, 'number')}", "", mean),
        Step("variance: mean of (x − mean)²", f"{number(float(squares.sum()))} / {count:,}", variance),
    )
    return _normalised(site, eps, statistics, weight, bias, (operand,), before)


def _normalised(
    site: Site,
    eps: float,
    found: _Statistics,
    weight: float | None,
    bias: float | None,
    read: tuple[Operand, ...] = (),
    before: tuple[Step, ...] = (),
) -> Arithmetic:
    """(x − mean) / √(variance + eps) · weight + bias, with the numbers put in."""
    own, unit = site.at(*site.index), rounding.epsilon(site.x.dtype)
    x = float(own.values)
    centred = x - found.mean
    deviation = math.sqrt(found.variance + eps) if not found.variance + eps < 0 else math.nan
    normal = centred / deviation if deviation else math.copysign(math.inf, centred) if centred else math.nan
    scale = 1.0 if weight is None else weight
    scaled = normal * scale
    result = scaled + (bias or 0.0)
    steps = [
        *before,
        Step("x − mean", f"{number(x)} − {factor(found.mean)}", centred),
        Step("√(variance + eps)", f"√({number(found.variance)} + {number(eps)})", deviation),
        Step("n = (x − mean) / √(variance + eps)", f"{number(centred)} / {number(deviation)}", normal),
    ]
    formula = "(x − mean) / √(variance + eps)"
    if weight is not None:
        formula += " · weight"
        steps.append(Step("n · weight", f"{number(normal)} × {factor(weight)}", scaled))
    if bias is not None:
        formula += " + bias"
        steps.append(
            Step("n + bias" if weight is None else "n · weight + bias", f"{number(scaled)} + {factor(bias)}", result)
        )
    linear = abs(scale) / deviation if deviation else math.inf
    share = found.variance_bound / (found.variance + eps) if deviation else math.inf
    relative = 4 * unit + share if share <= 0.5 else math.inf  # 1 / √(1 − s) is at most 1 + s up to there
    bound = relative * abs(scaled) + linear * found.mean_bound * (1 + relative) + 4 * unit * (abs(bias or 0.0))
    bound += rounding.tiny(site.x.dtype) * (1 + linear)
    bound = bound if rounding.is_within(site.x.dtype, centred, normal, scaled) else math.inf
    if not read and deviation:  # the statistics are given: x is only multiplied by a number
        own = Operand(own.layer, own.values, own.where, weights=np.array(scale / deviation))
    return Arithmetic(formula, (own, *read), tuple(steps), result, bound, bias=bias or 0.0)


def _at(site: Site, which: int, index: tuple[int, ...]) -> float | None:
    array = site.inputs[which]
    return None if array is None else float(array[index])
