"""Activations as functions of vectors, for kernels of their own and for the ends of others.

Each forward takes x and the activation's one setting (a slope, a scale; most have none) and returns y. Each backward
takes the gradient dy, then x or y, whichever the reference takes, and the setting. Kinks, infinities and NaN go as
they do there.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from pellucid.kernels.elementary import exp, expm1, normal, sigmoid, tanh, tanh_normal

Vector: TypeAlias = Any
Setting: TypeAlias = Any
"""A number, the symbol of one, or a vector."""


def relu(x: Vector, setting: Setting = 0.0) -> Vector:
    """Return max(0, x)."""
    return x.at_least(0.0)


def relu_backward(dy: Vector, y: Vector, setting: Setting = 0.0) -> Vector:
    """Return dy where y > 0, or is NaN."""
    return y.where_above(0.0, dy, 0.0)


def relu6(x: Vector, setting: Setting = 0.0) -> Vector:
    """Return min(max(0, x), 6)."""
    return x.at_least(0.0).at_most(6.0)


def relu6_backward(dy: Vector, x: Vector, setting: Setting = 0.0) -> Vector:
    """Return dy where 0 < x < 6."""
    return x.where_within(0.0, 6.0, dy, 0.0)


def leaky_relu(x: Vector, slope: Setting) -> Vector:
    """Return x where positive, slope · x elsewhere."""
    return x.where_over(0.0, x, x * slope)


def leaky_relu_backward(dy: Vector, x: Vector, slope: Setting) -> Vector:
    """Return dy where x > 0, slope · dy elsewhere."""
    return x.where_over(0.0, dy, dy * slope)


def elu(x: Vector, alpha: Setting) -> Vector:
    """Return x where positive, alpha · (eˣ − 1) elsewhere."""
    return x.where_over(0.0, x, expm1(x.at_most(0.0)) * alpha)


def elu_backward(dy: Vector, x: Vector, alpha: Setting) -> Vector:
    """Return dy where x > 0, dy · alpha · eˣ elsewhere."""
    return x.where_over(0.0, dy, dy * alpha * exp(x.at_most(0.0)))


def logistic(x: Vector, setting: Setting = 0.0) -> Vector:
    """Return 1 / (1 + e⁻ˣ), the sigmoid."""
    return sigmoid(x)


def logistic_backward(dy: Vector, y: Vector, setting: Setting = 0.0) -> Vector:
    """Return dy · y · (1 − y)."""
    return dy * y * (1.0 - y)


def hyperbolic_tangent(x: Vector, setting: Setting = 0.0) -> Vector:
    """Return the hyperbolic tangent."""
    return tanh(x)


def hyperbolic_tangent_backward(dy: Vector, y: Vector, setting: Setting = 0.0) -> Vector:
    """Return dy · (1 − y²)."""
    return dy * (1.0 - y * y)


def silu(x: Vector, setting: Setting = 0.0) -> Vector:
    """Return x · sigmoid(x)."""
    return x * sigmoid(x)


def silu_backward(dy: Vector, x: Vector, setting: Setting = 0.0) -> Vector:
    """Return dy · s · (1 + x · (1 − s)) with s = sigmoid(x)."""
    s = sigmoid(x)
    return dy * s * (1.0 + x * (1.0 - s))


def gelu(x: Vector, setting: Setting = 0.0) -> Vector:
    """Return x · Φ(x)."""
    return x * normal(x)[0]


def gelu_backward(dy: Vector, x: Vector, setting: Setting = 0.0) -> Vector:
    """Return dy · (Φ(x) + x · Φ′(x))."""
    share, density = normal(x)
    return dy * x.fma(density, share)


def gelu_tanh(x: Vector, setting: Setting = 0.0) -> Vector:
    """Return x · Φ(x), Φ by the formula with tanh."""
    return x * tanh_normal(x)[0]


def gelu_tanh_backward(dy: Vector, x: Vector, setting: Setting = 0.0) -> Vector:
    """Return dy · (Φ(x) + x · Φ′(x)), Φ by the formula with tanh."""
    share, density = tanh_normal(x)
    return dy * x.fma(density, share)


def hardsigmoid(x: Vector, setting: Setting = 0.0) -> Vector:
    """Return min(max(x + 3, 0), 6) / 6."""
    return (x + 3.0).at_least(0.0).at_most(6.0) * (1 / 6)


def hardsigmoid_backward(dy: Vector, x: Vector, setting: Setting = 0.0) -> Vector:
    """Return dy / 6 where −3 < x < 3."""
    return x.where_within(-3.0, 3.0, dy * (1 / 6), 0.0)


def hardswish(x: Vector, setting: Setting = 0.0) -> Vector:
    """Return x · min(max(x + 3, 0), 6) / 6."""
    return x * (x + 3.0).at_least(0.0).at_most(6.0) * (1 / 6)


def hardswish_backward(dy: Vector, x: Vector, setting: Setting = 0.0) -> Vector:
    """Return 0 for x ≤ −3, dy · (x / 3 + 1/2) between, dy for x ≥ 3 and NaN."""
    between = dy * x.fma(1 / 3, 0.5)
    return x.where_above(-3.0, x.where_within(-3.0, 3.0, between, dy), 0.0)


class Activation(NamedTuple):
    """An activation and its gradient."""

    forward: Callable[[Vector, Setting], Vector]
    backward: Callable[[Vector, Vector, Setting], Vector]


ACTIVATIONS = {
    "relu": Activation(relu, relu_backward),
    "relu6": Activation(relu6, relu6_backward),
    "leaky_relu": Activation(leaky_relu, leaky_relu_backward),
    "elu": Activation(elu, elu_backward),
    "sigmoid": Activation(logistic, logistic_backward),
    "tanh": Activation(hyperbolic_tangent, hyperbolic_tangent_backward),
    "silu": Activation(silu, silu_backward),
    "gelu": Activation(gelu, gelu_backward),
    "gelu_tanh": Activation(gelu_tanh, gelu_tanh_backward),
    "hardsigmoid": Activation(hardsigmoid, hardsigmoid_backward),
    "hardswish": Activation(hardswish, hardswish_backward),
}
"""By the name that their kernels have."""
