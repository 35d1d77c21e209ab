"""One number in, one number out: activations; and two numbers in: sums and products of maps."""

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from pellucid import ops
from pellucid.explain.cells import rounding
from pellucid.explain.cells.parts import Arithmetic, Operand, Site, Step, places
from pellucid.explain.numbers import factor, number
from pellucid.ops import Op

_GROWTH = 8
"""How much larger than x a number on the way may be: Hardswish divides x · 6 by 6."""

Account: TypeAlias = tuple[str, list[Step], float]
"""A formula, its steps, and how many ε·|value| the engine's value may be from the last; 0 where nothing is rounded."""


def activation(site: Site) -> Arithmetic:
    """Put one number into an activation's formula."""
    own = site.at(*site.index)
    x = float(own.values)
    formula, steps, roundings = FORMULAS[type(site.op)](site.op, x)
    return _account(own, formula, steps, roundings)


def prelu(site: Site) -> Arithmetic:
    """Keep what is above 0, multiply the rest by the channel's learned slope."""
    own, slopes = site.at(*site.index), site.given(1)
    channel = site.index[1] if slopes.size > 1 else 0
    return _account(own, *_leaky(float(slopes[channel]), float(own.values)))


def add(site: Site) -> Arithmetic:
    """Add two numbers; one that is repeated along an axis is found where it stands."""
    a, b = _both(site)
    pair = np.array([a.values, b.values])
    result = float(a.values) + float(b.values)
    step = Step("a + b", f"{number(float(a.values))} + {factor(float(b.values))}", result)
    operands = tuple(Operand(one.layer, one.values, one.where, weights=np.array(1.0)) for one in (a, b))
    return Arithmetic("a + b", operands, (step,), result, rounding.of_sum(pair))


def multiply(site: Site) -> Arithmetic:
    """Multiply two numbers."""
    a, b = _both(site)
    result = float(a.values) * float(b.values)
    step = Step("a × b", f"{number(float(a.values))} × {factor(float(b.values))}", result)
    bound = rounding.of_sum(np.array([a.values]), np.array([b.values]))
    return Arithmetic("a × b", (a, b), (step,), result, bound)


def _both(site: Site) -> tuple[Operand, Operand]:
    rank = len(site.index)
    found = []
    for which in (0, 1):
        shape = site.given(which).shape
        index = site.index[rank - len(shape) :]
        where = places(tuple(0 if size == 1 else place for place, size in zip(index, shape, strict=True)))
        found.append(site.read(where, which=which))
    return found[0], found[1]


def _account(own: Operand, formula: str, steps: list[Step], roundings: float) -> Arithmetic:
    result, x = steps[-1].value, float(own.values)
    if roundings:
        bound = rounding.of_value(result, own.values.dtype, roundings, 1 + abs(x))
        bound = bound if rounding.is_within(own.values.dtype, _GROWTH * x) else math.inf
    else:
        bound = rounding.of_choice(result, own.values.dtype)
    return Arithmetic(formula, (own,), tuple(steps), result, bound)


def _relu(op: Any, x: float) -> Account:
    return "max(0, x)", [Step("max(0, x)", f"max(0, {number(x)})", max(x, 0.0))], 0


def _relu6(op: Any, x: float) -> Account:
    return "min(max(0, x), 6)", [Step("min(max(0, x), 6)", f"min(max(0, {number(x)}), 6)", min(max(x, 0.0), 6.0))], 0


def _leaky_relu(op: Any, x: float) -> Account:
    return _leaky(op.negative_slope, x)


def _leaky(slope: float, x: float) -> Account:
    formula = "x where x > 0, else slope · x"
    if x > 0:
        return formula, [Step("x, which is above 0", "", x)], 0
    return formula, [Step("slope · x", f"{number(slope)} × {factor(x)}", slope * x)], 2


def _elu(op: Any, x: float) -> Account:
    formula = "x where x > 0, else alpha · (e^x − 1)"
    if x > 0:
        return formula, [Step("x, which is above 0", "", x)], 0
    grown = math.expm1(x)
    steps = [
        Step("e^x − 1", f"e^{factor(x)} − 1", grown),
        Step("alpha · (e^x − 1)", f"{number(op.alpha)} × {factor(grown)}", op.alpha * grown),
    ]
    return formula, steps, 8


def _sigmoid(op: Any, x: float) -> Account:
    steps, _ = _logistic(x)
    return "1 / (1 + e^(−x))", steps, 8


def _logistic(x: float) -> tuple[list[Step], float]:
    power = _exp(-x)
    share = 1 / (1 + power)
    return [
        Step("e^(−x)", f"e^{factor(-x)}", power),
        Step("s = 1 / (1 + e^(−x))", f"1 / (1 + {number(power)})", share),
    ], share


def _tanh(op: Any, x: float) -> Account:
    return "tanh(x)", [Step("(e^(2x) − 1) / (e^(2x) + 1)", f"tanh({number(x)})", math.tanh(x))], 8


def _silu(op: Any, x: float) -> Account:
    steps, share = _logistic(x)
    return "x / (1 + e^(−x))", [*steps, Step("x · s", f"{number(x)} × {number(share)}", x * share)], 10


def _gelu(op: Any, x: float) -> Account:
    if op.approximate == "tanh":
        argument = math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)
        share, name = 1 / (1 + _exp(-2 * argument)), "Φ(x) ≈ (1 + tanh(√(2/π) · (x + 0.044715 x³))) / 2"
        numbers = f"(1 + tanh({number(argument)})) / 2"
        roundings = 12 + 8 * abs(argument) + (1 / share if share else 0)  # 1 + tanh cancels far below 0
    else:
        share, name = math.erfc(-x / math.sqrt(2)) / 2, "Φ(x)"
        numbers = f"Φ({number(x)})"
        roundings = 12 + 2 * x * x
    steps = [
        Step(name, numbers, share),
        Step("x · Φ(x)", f"{number(x)} × {number(share)}", x * share),
    ]
    return "x · Φ(x)", steps, roundings


def _hardsigmoid(op: Any, x: float) -> Account:
    return "min(max(x + 3, 0), 6) / 6", _cut(x), 4


def _cut(x: float) -> list[Step]:
    cut = min(max(x + 3, 0.0), 6.0)
    return [
        Step("c = min(max(x + 3, 0), 6)", f"min(max({number(x)} + 3, 0), 6)", cut),
        Step("c / 6", f"{number(cut)} / 6", cut / 6),
    ]


def _hardswish(op: Any, x: float) -> Account:
    steps = _cut(x)
    share = steps[-1].value
    return "x · min(max(x + 3, 0), 6) / 6", [*steps, Step("x · c / 6", f"{number(x)} × {number(share)}", x * share)], 6


def _exp(x: float) -> float:
    return math.inf if x >= 709 else math.exp(x)


FORMULAS: dict[type[Op], Callable[[Any, float], Account]] = {
    ops.ReLU: _relu,
    ops.ReLU6: _relu6,
    ops.LeakyReLU: _leaky_relu,
    ops.ELU: _elu,
    ops.Sigmoid: _sigmoid,
    ops.Tanh: _tanh,
    ops.SiLU: _silu,
    ops.GELU: _gelu,
    ops.Hardsigmoid: _hardsigmoid,
    ops.Hardswish: _hardswish,
}
