"""Activations: one number in, one number out, cell by cell.

Every forward takes x of any shape and returns y of that shape; every backward takes the gradient dy of y and
what the forward pass kept (x or y), and returns dx = dy · f′. At a kink, f′ is PyTorch's choice. NaN comes
out as NaN.
"""

import math

import numpy as np

from pellucid.reference._arrays import Array, along


def relu(x: Array) -> Array:
    """Compute y = max(x, 0).

    >>> relu(np.array([-1.0, 2.0]))
    array([0., 2.])
    """
    return np.maximum(x, 0)


def relu_backward(dy: Array, y: Array) -> Array:
    """Pass dy where y > 0.

    >>> relu_backward(np.array([5.0, 5.0]), np.array([0.0, 2.0]))
    array([0., 5.])
    """
    return np.where(y <= 0, 0, dy).astype(dy.dtype)


def leaky_relu(x: Array, *, negative_slope: float) -> Array:
    """Compute y = x for x > 0, else negative_slope · x.

    >>> leaky_relu(np.array([-1.0, 2.0]), negative_slope=0.5)
    array([-0.5,  2. ])
    """
    return np.where(x > 0, x, x * negative_slope)


def leaky_relu_backward(dy: Array, x: Array, *, negative_slope: float) -> Array:
    """Pass dy where x > 0, else negative_slope · dy.

    >>> leaky_relu_backward(np.array([4.0, 4.0]), np.array([-1.0, 2.0]), negative_slope=0.5)
    array([2., 4.])
    """
    return np.where(x > 0, dy, dy * negative_slope)


def prelu(x: Array, weight: Array) -> Array:
    """Compute y = x for x > 0, else weight[c] · x: a leaky ReLU whose slope is learned (He et al., 2015).

    x is (N, C, …), weight (C,) or (1,); returns the shape of x.

    >>> prelu(np.array([[-1.0, -1.0]]), np.array([0.5, 2.0]))
    array([[-0.5, -2. ]])
    """
    return np.where(x > 0, x, x * along(weight, min(1, x.ndim - 1), x.ndim))


def prelu_backward(dy: Array, x: Array, weight: Array) -> tuple[Array, Array]:
    """Return dx, and dweight = Σ x · dy over the cells with x ≤ 0 that share the slope.

    >>> prelu_backward(np.array([[3.0, 3.0]]), np.array([[-1.0, 1.0]]), np.array([0.5]))
    (array([[1.5, 3. ]]), array([-3.]))
    """
    channel_axis = min(1, x.ndim - 1)
    dx = np.where(x > 0, dy, dy * along(weight, channel_axis, x.ndim))
    products = np.where(x > 0, 0, x * dy).astype(dy.dtype)
    shared = tuple(a for a in range(x.ndim) if a != channel_axis or weight.size == 1)
    return dx, products.sum(shared).reshape(weight.shape)


def relu6(x: Array) -> Array:
    """Compute y = min(max(x, 0), 6).

    >>> relu6(np.array([-1.0, 2.0, 7.0]))
    array([0., 2., 6.])
    """
    return np.clip(x, 0, 6)


def relu6_backward(dy: Array, x: Array) -> Array:
    """Pass dy where 0 < x < 6.

    >>> relu6_backward(np.array([5.0, 5.0, 5.0]), np.array([-1.0, 2.0, 6.0]))
    array([0., 5., 0.])
    """
    return np.where((x > 0) & (x < 6), dy, 0).astype(dy.dtype)


def elu(x: Array, *, alpha: float) -> Array:
    """Compute y = x for x > 0, else alpha · (exp(x) − 1) (Clevert et al., 2016).

    >>> elu(np.array([-np.inf, 0.0, 2.0]), alpha=0.5)
    array([-0.5,  0. ,  2. ])
    """
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def elu_backward(dy: Array, x: Array, *, alpha: float) -> Array:
    """Compute dx = dy for x > 0, else dy · alpha · exp(x).

    >>> elu_backward(np.array([4.0, 4.0]), np.array([0.0, 2.0]), alpha=0.5)
    array([2., 4.])
    """
    return np.where(x > 0, dy, dy * alpha * np.exp(np.minimum(x, 0)))


def sigmoid(x: Array) -> Array:
    """Compute y = 1 / (1 + exp(−x)), written so that exp never overflows.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    small = np.exp(-abs(x))  # exp(−|x|), in (0, 1]
    return np.asarray(np.where(x >= 0, 1, small).astype(x.dtype) / (1 + small))


def sigmoid_backward(dy: Array, y: Array) -> Array:
    """Compute dx = dy · y · (1 − y).

    >>> sigmoid_backward(np.array([4.0]), np.array([0.5]))
    array([1.])
    """
    return np.asarray(dy * y * (1 - y))


def tanh(x: Array) -> Array:
    """Compute y = (exp(x) − exp(−x)) / (exp(x) + exp(−x)).

    >>> tanh(np.array([-np.inf, 0.0]))
    array([-1.,  0.])
    """
    return np.tanh(x)


def tanh_backward(dy: Array, y: Array) -> Array:
    """Compute dx = dy · (1 − y²).

    >>> tanh_backward(np.array([4.0]), np.array([0.5]))
    array([3.])
    """
    return np.asarray(dy * (1 - y * y))


def silu(x: Array) -> Array:
    """Compute y = x · sigmoid(x), also called swish; −∞ gives NaN, being −∞ · 0.

    >>> silu(np.array([0.0, 1000.0]))
    array([   0., 1000.])
    """
    with np.errstate(invalid="ignore"):
        return x * sigmoid(x)


def silu_backward(dy: Array, x: Array) -> Array:
    """Compute dx = dy · s · (1 + x · (1 − s)) with s = sigmoid(x).

    >>> silu_backward(np.array([4.0]), np.array([0.0]))
    array([2.])
    """
    s = sigmoid(x)
    with np.errstate(invalid="ignore"):
        return np.asarray(dy * s * (1 + x * (1 - s)))


def gelu(x: Array, *, approximate: str) -> Array:
    """Compute y = x · Φ(x), Φ being the normal distribution function (Hendrycks and Gimpel, 2016).

    ``approximate="none"`` takes Φ(x) = (1 + erf(x / √2)) / 2, ``"tanh"`` takes
    Φ(x) ≈ (1 + tanh(√(2/π) · (x + 0.044715 x³))) / 2. (−∞ gives NaN, being −∞ · 0.)

    >>> gelu(np.array([0.0, 1.0]), approximate="none").round(4)
    array([0.    , 0.8413])
    """
    with np.errstate(invalid="ignore", over="ignore"):
        if approximate == "none":
            return x * _normal_distribution(x)
        return np.asarray(x * (1 + np.tanh(_tanh_argument(x))) / 2)


def gelu_backward(dy: Array, x: Array, *, approximate: str) -> Array:
    """Compute dx = dy · (Φ(x) + x · Φ′(x)).

    ``approximate="none"``: Φ′(x) = exp(−x²/2) / √(2π). ``"tanh"``, with t the tanh:
    Φ′(x) = (1 − t²) / 2 · √(2/π) · (1 + 3 · 0.044715 x²).

    >>> gelu_backward(np.array([4.0]), np.array([0.0]), approximate="tanh")
    array([2.])
    """
    with np.errstate(invalid="ignore", over="ignore"):
        if approximate == "none":
            density = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
            return dy * (_normal_distribution(x) + x * density)
        t = np.tanh(_tanh_argument(x))
        slope = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x)
        return np.asarray(dy * ((1 + t) / 2 + x * (1 - t * t) / 2 * slope))


def _normal_distribution(x: Array) -> Array:
    """Return Φ(x) = erfc(−x / √2) / 2, which equals (1 + erf(x / √2)) / 2 and keeps small values accurate."""
    return np.asarray(np.vectorize(math.erfc, otypes=[x.dtype])(-x / math.sqrt(2)) / 2)


def _tanh_argument(x: Array) -> Array:
    return math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)


def hardsigmoid(x: Array) -> Array:
    """Compute y = min(max(x + 3, 0), 6) / 6: the sigmoid in three straight pieces.

    >>> hardsigmoid(np.array([-3.0, 0.0, 4.0]))
    array([0. , 0.5, 1. ])
    """
    return np.asarray(np.clip(x + 3, 0, 6) / 6)


def hardsigmoid_backward(dy: Array, x: Array) -> Array:
    """Compute dx = dy / 6 where −3 < x < 3, else 0.

    >>> hardsigmoid_backward(np.array([6.0, 6.0]), np.array([0.0, 3.0]))
    array([1., 0.])
    """
    return np.where((x > -3) & (x < 3), dy / 6, 0).astype(dy.dtype)


def hardswish(x: Array) -> Array:
    """Compute y = x · min(max(x + 3, 0), 6) / 6 (Howard et al., 2019); −∞ gives NaN, being −∞ · 0.

    >>> hardswish(np.array([-3.0, 3.0, 4.0]))
    array([-0.,  3.,  4.])
    """
    with np.errstate(invalid="ignore"):
        return np.asarray(x * np.clip(x + 3, 0, 6) / 6)


def hardswish_backward(dy: Array, x: Array) -> Array:
    """Compute dx = 0 for x ≤ −3, dy · (x / 3 + 1/2) between, dy for x ≥ 3.

    >>> hardswish_backward(np.array([2.0, 2.0, 2.0]), np.array([-3.0, 0.0, 3.0]))
    array([0., 1., 2.])
    """
    with np.errstate(invalid="ignore"):
        between = dy * (x / 3 + 0.5)
    return np.where(x <= -3, 0, np.where((x > -3) & (x < 3), between, dy)).astype(dy.dtype)
