"""Comparison of arrays with PyTorch's."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

Array = NDArray[Any]

EPSILON = {np.dtype("float64"): 2.0**-52, np.dtype("float32"): 2.0**-23}


def assert_close(actual: Array, expected: Array, *, terms: int = 1, scale: float = 1.0) -> None:
    """Raise AssertionError unless two computations of the same formula agree in shape, dtype and every cell.

    Summing n terms in another order changes the sum by at most n·epsilon·Σ|term|. The terms are of order
    ``scale``, so Σ|term| is of order n·scale, but the n roundings differ in sign, which leaves √n of them and
    √n·n in all; and ``terms`` is the size of a whole input, far above the n of any one cell. The factor 16
    and the 4 are for the few roundings inside a term and for data up to four standard deviations out.
    """
    assert actual.shape == expected.shape, f"{actual.shape} instead of {expected.shape}"
    assert actual.dtype == expected.dtype, f"{actual.dtype} instead of {expected.dtype}"
    size = max(scale, np.abs(expected, where=np.isfinite(expected), out=np.zeros_like(expected)).max(initial=0))
    bound = 16 * EPSILON[expected.dtype] * (terms + 4) * size
    np.testing.assert_allclose(actual, expected, rtol=0, atol=bound)


def by_torch(
    function: Callable[..., torch.Tensor], inputs: Sequence[Array], dy: Callable[[Array], Array]
) -> tuple[Array, list[Array]]:
    """Return function(*inputs) and the gradients of the inputs for the gradient ``dy(y)`` of the result."""
    tensors = [torch.from_numpy(array.copy()).requires_grad_() for array in inputs]
    y = function(*tensors)
    gradient = torch.from_numpy(np.array(dy(y.detach().numpy())))
    gradients = torch.autograd.grad(y, tensors, gradient)
    return y.detach().numpy(), [g.numpy() for g in gradients]


def check(
    torch_function: Callable[..., torch.Tensor],
    forward: Callable[..., Array],
    backward: Callable[..., Sequence[Array]],
    inputs: Sequence[Array],
    dy: Callable[[Array], Array],
    *,
    terms: int = 1,
    scale: float = 1.0,
) -> None:
    """Compare forward(*inputs) and backward(dy, y) with PyTorch's."""
    expected, expected_gradients = by_torch(torch_function, inputs, dy)
    y = forward(*inputs)
    assert_close(y, expected, terms=terms, scale=scale)
    for gradient, expected_gradient in zip(backward(dy(y), y), expected_gradients, strict=True):
        assert_close(gradient, expected_gradient, terms=terms, scale=scale)
