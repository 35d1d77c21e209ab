"""The dense layer."""

import math
from typing import Any

from pellucid.nn import random
from pellucid.nn.functional import linear
from pellucid.nn.layers.base import Layer
from pellucid.nn.parameter import Parameter
from pellucid.nn.settings import positive


class Linear(Layer):
    """y = x·Wᵀ + b on the last axis: (…, in_features) → (…, out_features).

    >>> Linear(3136, 128)
    Linear(in_features=3136, out_features=128, bias=True)
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__()
        self.in_features = positive(in_features, "in_features", "Linear")
        self.out_features = positive(out_features, "out_features", "Linear")
        bound = 1 / math.sqrt(in_features)  # Kaiming uniform with a = √5, as PyTorch draws it
        self.weight = Parameter(random.uniform((out_features, in_features), bound))
        self.bias = Parameter(random.uniform((out_features,), bound)) if bias else None

    def forward(self, x: Any) -> Any:
        return linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
