"""The base of layers that are one operation."""

from typing import Any

from pellucid.nn.functional import apply
from pellucid.nn.module import Module
from pellucid.ops import Op


class Layer(Module):
    """A module of exactly one operation, ``op``; the graph's node bears the layer's name."""

    one_op = True
    op: Any

    def forward(self, x: Any) -> Any:
        """Add the operation to the graph."""
        return apply(self.op, x)

    def extra_repr(self) -> str:
        """Return the operation's settings."""
        op: Op = self.op
        return str(op).partition("(")[2][:-1]
