"""Layers that can be written as Python and made: the same text gives the same network here and in PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pellucid import nn
from pellucid.zoo.blocks import Residual

RESIDUAL = '''class Residual(nn.Module):
    """Add what a body of layers makes of x to x, or to what a shortcut makes of it."""

    def __init__(self, body, shortcut=None):
        super().__init__()
        self.body = body
        self.shortcut = nn.Identity() if shortcut is None else shortcut

    def forward(self, x):
        shortcut = self.shortcut(x)
        return self.body(x) + shortcut
'''
"""What a text that uses ``Residual`` needs above it: PyTorch has no such layer."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer's class and arguments, which may be layers themselves.

    >>> str(Layer("Conv2d", (3, 8), (("kernel_size", 3),)))
    'nn.Conv2d(3, 8, kernel_size=3)'
    >>> print(Layer("Sequential", (Layer("Flatten"), Layer("Linear", (9, 2)))))
    nn.Sequential(
        nn.Flatten(),
        nn.Linear(9, 2),
    )
    """

    kind: str
    arguments: tuple[int | Layer, ...] = ()
    named: tuple[tuple[str, int | float], ...] = ()

    def __str__(self) -> str:
        start = self.kind if self.kind == "Residual" else f"nn.{self.kind}"
        if self.is_made_of_layers:
            inside = "".join(f"{argument},\n" for argument in self.arguments)
            return f"{start}(\n{indented(inside)})"
        words = [*map(str, self.arguments), *(f"{name}={value}" for name, value in self.named)]
        return f"{start}({', '.join(words)})"

    @property
    def is_made_of_layers(self) -> bool:
        """Whether its arguments are layers."""
        return any(isinstance(argument, Layer) for argument in self.arguments)

    @property
    def has_residual(self) -> bool:
        """Whether its text needs :data:`RESIDUAL`."""
        inside = (argument for argument in self.arguments if isinstance(argument, Layer))
        return self.kind == "Residual" or any(layer.has_residual for layer in inside)

    def make(self) -> nn.Module:
        """Make the layer."""
        arguments = (one.make() if isinstance(one, Layer) else one for one in self.arguments)
        cls: Any = Residual if self.kind == "Residual" else getattr(nn, self.kind)
        module: nn.Module = cls(*arguments, **dict(self.named))
        return module


def indented(text: str) -> str:
    """Move lines to the right by one step."""
    return "".join(f"    {line}" for line in text.splitlines(keepends=True))
