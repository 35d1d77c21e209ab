"""Normalisation: shift and scale so that a set of cells has mean 0 and variance 1.

Batch, layer, group and instance norm compute the same thing and differ in the set:

    x̂ = (x − mean) / √(variance + eps),    y = x̂ · weight + bias

with the biased variance (divided by the count). Their backward passes share one formula too, in ``_dx``.
"""

import numpy as np

from pellucid.reference._arrays import Array, along


def batch_norm(x: Array, weight: Array | None, bias: Array | None, *, eps: float) -> tuple[Array, Array, Array]:
    """Normalise each channel over the batch and all positions (Ioffe and Szegedy, 2015).

    x is (N, C) or (N, C, …); weight and bias (C,) or None. Returns y of x's shape, and the batch's mean and
    biased variance, both (C,).

    >>> batch_norm(np.array([[1.0], [3.0]]), None, np.array([10.0]), eps=0.0)
    (array([[ 9.],
           [11.]]), array([2.]), array([1.]))
    """
    axes = _all_but_channel(x)
    mean, variance = x.mean(axes), x.var(axes)
    return batch_norm_inference(x, weight, bias, mean, variance, eps=eps), mean, variance


def batch_norm_backward(
    dy: Array, x: Array, weight: Array | None, mean: Array, variance: Array, *, eps: float
) -> tuple[Array, Array, Array]:
    """Return dx, dweight = Σ dy · x̂ and dbias = Σ dy; mean and variance as the forward pass returned them.

    >>> x = np.array([[1.0], [3.0]])
    >>> batch_norm_backward(np.array([[5.0], [0.0]]), x, None, np.array([2.0]), np.array([1.0]), eps=0.0)
    (array([[0.],
           [0.]]), array([-5.]), array([5.]))
    """
    axes = _all_but_channel(x)
    inverse = 1 / np.sqrt(along(variance, 1, x.ndim) + eps)  # (1, C, 1, 1)
    normal = (x - along(mean, 1, x.ndim)) * inverse  # x̂, (N, C, H, W)
    dnormal = dy if weight is None else dy * along(weight, 1, x.ndim)
    return _dx(dnormal, normal, inverse, axes), (dy * normal).sum(axes), dy.sum(axes)


def batch_norm_inference(
    x: Array,
    weight: Array | None,
    bias: Array | None,
    running_mean: Array,
    running_variance: Array,
    *,
    eps: float,
) -> Array:
    """Normalise each channel with given, constant statistics; shapes as in :func:`batch_norm`.

    >>> batch_norm_inference(np.array([[5.0]]), None, None, np.array([1.0]), np.array([4.0]), eps=0.0)
    array([[2.]])
    """
    inverse = 1 / np.sqrt(running_variance + eps)  # (C,)
    y = (x - along(running_mean, 1, x.ndim)) * along(inverse, 1, x.ndim)
    return _scale_channels(y, weight, bias)


def batch_norm_inference_backward(
    dy: Array, x: Array, weight: Array | None, running_mean: Array, running_variance: Array, *, eps: float
) -> tuple[Array, Array, Array]:
    """Return dx = dy · weight / √(variance + eps), dweight = Σ dy · x̂ and dbias = Σ dy.

    >>> constants = np.array([1.0]), np.array([4.0])
    >>> batch_norm_inference_backward(np.array([[6.0]]), np.array([[5.0]]), None, *constants, eps=0.0)
    (array([[3.]]), array([12.]), array([6.]))
    """
    axes = _all_but_channel(x)
    inverse = along(1 / np.sqrt(running_variance + eps), 1, x.ndim)  # (1, C, 1, 1)
    normal = (x - along(running_mean, 1, x.ndim)) * inverse
    dnormal = dy if weight is None else dy * along(weight, 1, x.ndim)
    return dnormal * inverse, (dy * normal).sum(axes), dy.sum(axes)


def layer_norm(x: Array, weight: Array | None, bias: Array | None, *, axes: int, eps: float) -> Array:
    """Normalise each sample over its last ``axes`` axes (Ba et al., 2016).

    weight and bias have the shape of those axes, or are None.

    >>> layer_norm(np.array([[1.0, 3.0]]), np.array([1.0, 10.0]), None, axes=1, eps=0.0)
    array([[-1., 10.]])
    """
    y, _ = _normalise(x, tuple(range(x.ndim - axes, x.ndim)), eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def layer_norm_backward(
    dy: Array, x: Array, weight: Array | None, *, axes: int, eps: float
) -> tuple[Array, Array, Array]:
    """Return dx, dweight = Σ dy · x̂ and dbias = Σ dy, both summed over the leading axes.

    >>> layer_norm_backward(np.array([[5.0, 0.0]]), np.array([[1.0, 3.0]]), None, axes=1, eps=0.0)
    (array([[0., 0.]]), array([-5.,  0.]), array([5., 0.]))
    """
    last = tuple(range(x.ndim - axes, x.ndim))
    leading = tuple(range(x.ndim - axes))
    normal, inverse = _normalise(x, last, eps)
    dnormal = dy if weight is None else dy * weight
    return _dx(dnormal, normal, inverse, last), (dy * normal).sum(leading), dy.sum(leading)


def group_norm(x: Array, weight: Array | None, bias: Array | None, *, groups: int, eps: float) -> Array:
    """Normalise each sample over C/groups channels and all positions (Wu and He, 2018).

    x is (N, C, …); weight and bias (C,) or None. One group is layer norm over (C, …) but for the shape of the
    weight; ``groups == C`` is instance norm.

    >>> group_norm(np.array([[1.0, 3.0, 10.0, 30.0]]), None, None, groups=2, eps=0.0)
    array([[-1.,  1., -1.,  1.]])
    """
    normal, _ = _normalise(_by_group(x, groups), (2,), eps)
    return _scale_channels(normal.reshape(x.shape), weight, bias)


def group_norm_backward(
    dy: Array, x: Array, weight: Array | None, *, groups: int, eps: float
) -> tuple[Array, Array, Array]:
    """Return dx, and dweight = Σ dy · x̂ and dbias = Σ dy of each channel.

    >>> group_norm_backward(np.array([[5.0, 0.0]]), np.array([[1.0, 3.0]]), None, groups=1, eps=0.0)
    (array([[0., 0.]]), array([-5.,  0.]), array([5., 0.]))
    """
    axes = _all_but_channel(x)
    normal, inverse = _normalise(_by_group(x, groups), (2,), eps)
    dnormal = dy if weight is None else dy * along(weight, 1, x.ndim)
    dx = _dx(_by_group(dnormal, groups), normal, inverse, (2,)).reshape(x.shape)
    return dx, (dy * normal.reshape(x.shape)).sum(axes), dy.sum(axes)


def instance_norm(x: Array, weight: Array | None, bias: Array | None, *, eps: float) -> Array:
    """Normalise each channel of each sample over its positions: group norm with one channel a group.

    >>> instance_norm(np.array([[[1.0, 3.0], [10.0, 30.0]]]), None, None, eps=0.0)
    array([[[-1.,  1.],
            [-1.,  1.]]])
    """
    return group_norm(x, weight, bias, groups=x.shape[1], eps=eps)


def instance_norm_backward(dy: Array, x: Array, weight: Array | None, *, eps: float) -> tuple[Array, Array, Array]:
    """Return (dx, dweight, dbias) of :func:`instance_norm`.

    >>> instance_norm_backward(np.array([[[5.0, 0.0]]]), np.array([[[1.0, 3.0]]]), None, eps=0.0)
    (array([[[0., 0.]]]), array([-5.]), array([5.]))
    """
    return group_norm_backward(dy, x, weight, groups=x.shape[1], eps=eps)


def local_response_norm(x: Array, *, size: int, alpha: float, beta: float, k: float) -> Array:
    """Divide each cell by the activity of its neighbour channels (Krizhevsky et al., 2012).

    y_c = x_c / b_c^beta,  b_c = k + alpha / size · Σ_j x_j²

    over the channels j = c − size//2 … c + (size − 1)//2 that exist. x is (N, C, …).

    >>> local_response_norm(np.array([[1.0, 2.0]]), size=2, alpha=2.0, beta=1.0, k=1.0)
    array([[0.5       , 0.33333333]])
    """
    return x * _response(x, size, alpha, k) ** -beta


def local_response_norm_backward(dy: Array, x: Array, *, size: int, alpha: float, beta: float, k: float) -> Array:
    """Compute dx_j = dy_j / b_j^beta − 2 · alpha · beta / size · x_j · Σ dy_c · x_c / b_c^(beta + 1).

    The sum runs over the channels c whose neighbourhood holds j.

    >>> local_response_norm_backward(np.array([[8.0]]), np.array([[1.0]]), size=1, alpha=1.0, beta=1.0, k=1.0)
    array([[0.]])
    """
    b = _response(x, size, alpha, k)
    through_sum = dy * x * b ** (-beta - 1)
    gathered = np.zeros_like(x)
    for j, window in _neighbours(x.shape[1], size):
        gathered[:, window] += through_sum[:, j : j + 1]
    return dy * b**-beta - 2 * alpha * beta / size * x * gathered


def _all_but_channel(x: Array) -> tuple[int, ...]:
    return tuple(axis for axis in range(x.ndim) if axis != 1)


def _by_group(x: Array, groups: int) -> Array:
    """Return x (N, C, …) with each group's cells in one row: (N, G, C/G · …)."""
    cells = int(np.prod(x.shape[1:])) // groups
    return x.reshape(x.shape[0], groups, cells)


def _scale_channels(x: Array, weight: Array | None, bias: Array | None) -> Array:
    x = x if weight is None else x * along(weight, 1, x.ndim)
    return x if bias is None else x + along(bias, 1, x.ndim)


def _normalise(x: Array, axes: tuple[int, ...], eps: float) -> tuple[Array, Array]:
    """Return x̂ and 1 / √(variance + eps), the statistics taken over ``axes``."""
    inverse = 1 / np.sqrt(x.var(axes, keepdims=True) + eps)
    return (x - x.mean(axes, keepdims=True)) * inverse, inverse


def _dx(dnormal: Array, normal: Array, inverse: Array, axes: tuple[int, ...]) -> Array:
    """Return the gradient through x̂ = (x − mean) · inverse, where mean and inverse depend on x too.

    dx = inverse · (dx̂ − mean(dx̂) − x̂ · mean(dx̂ · x̂))
    """
    shift = dnormal.mean(axes, keepdims=True)
    stretch = (dnormal * normal).mean(axes, keepdims=True)
    return np.asarray(inverse * (dnormal - shift - normal * stretch))


def _response(x: Array, size: int, alpha: float, k: float) -> Array:
    """Return b_c = k + alpha / size · Σ x_j² of :func:`local_response_norm`."""
    squares = np.zeros_like(x)
    for c, window in _neighbours(x.shape[1], size):
        squares[:, c] = (x[:, window] ** 2).sum(1)
    return k + alpha / size * squares


def _neighbours(channels: int, size: int) -> list[tuple[int, slice]]:
    """Return each channel with the channels around it."""
    return [(c, slice(max(0, c - size // 2), c + (size - 1) // 2 + 1)) for c in range(channels)]


def running_average(running: Array, batch: Array, *, momentum: float, scale: float = 1.0) -> Array:
    """(1 − momentum)·running + momentum·scale·batch, in the dtype of ``running``.

    >>> running_average(np.array([1.0]), np.array([3.0]), momentum=0.5)
    array([2.])
    """
    kept, added = np.asarray(1 - momentum, running.dtype), np.asarray(momentum * scale, running.dtype)
    return np.asarray(kept * running + added * batch)
