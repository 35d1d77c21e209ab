"""Dropout layers."""

from typing import Any

from pellucid import ops
from pellucid.nn.functional import dropout, dropout2d
from pellucid.nn.layers.base import Layer


class Dropout(Layer):
    """In training, set a share p of the values to zero and scale the rest by 1/(1 − p) (Srivastava et al. 2014)."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        self.p = p
        ops.Dropout(p)  # refuses a p outside of [0, 1] now rather than at the first call

    def forward(self, x: Any) -> Any:
        return dropout(x, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}"


class Dropout2d(Dropout):
    """In training, set a share p of the channels to zero and scale the rest by 1/(1 − p) (Tompson et al. 2015)."""

    def forward(self, x: Any) -> Any:
        return dropout2d(x, self.p, self.training)
