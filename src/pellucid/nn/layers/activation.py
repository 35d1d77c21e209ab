"""Activation layers. ``inplace`` is taken for PyTorch's sake and changes nothing: memory is planned by the graph."""

from typing import Any

import numpy as np

from pellucid import ops
from pellucid.nn.functional import apply, log_softmax, softmax
from pellucid.nn.layers.base import Layer
from pellucid.nn.parameter import Parameter
from pellucid.nn.settings import positive


class ReLU(Layer):
    """max(0, x)."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.op = ops.ReLU()


class LeakyReLU(Layer):
    """x where positive, negative_slope·x elsewhere."""

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.op = ops.LeakyReLU(negative_slope)


class PReLU(Layer):
    """x where positive, a learned slope times x elsewhere; one slope, or one for each channel."""

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        super().__init__()
        self.num_parameters = positive(num_parameters, "num_parameters", "PReLU")
        self.op = ops.PReLU()
        self.weight = Parameter(np.full(num_parameters, init, np.float32))

    def forward(self, x: Any) -> Any:
        return apply(self.op, x, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class ReLU6(Layer):
    """min(max(0, x), 6)."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.op = ops.ReLU6()


class ELU(Layer):
    """x where positive, alpha·(eˣ − 1) elsewhere."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.op = ops.ELU(alpha)


class Sigmoid(Layer):
    """1 / (1 + e⁻ˣ)."""

    op = ops.Sigmoid()


class Tanh(Layer):
    """The hyperbolic tangent."""

    op = ops.Tanh()


class SiLU(Layer):
    """x·sigmoid(x)."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.op = ops.SiLU()


class GELU(Layer):
    """x·Φ(x), exact or by the "tanh" formula."""

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.op = ops.GELU(approximate)


class Hardswish(Layer):
    """x·ReLU6(x + 3) / 6."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.op = ops.Hardswish()


class Hardsigmoid(Layer):
    """ReLU6(x + 3) / 6."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.op = ops.Hardsigmoid()


class _AlongAxis(Layer):
    def __init__(self, dim: int = 1) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_AlongAxis):
    """eˣ / Σ eˣ along an axis, by default that of the classes."""

    def forward(self, x: Any) -> Any:
        return softmax(x, self.dim)


class LogSoftmax(_AlongAxis):
    """x − log Σ eˣ along an axis, by default that of the classes."""

    def forward(self, x: Any) -> Any:
        return log_softmax(x, self.dim)
