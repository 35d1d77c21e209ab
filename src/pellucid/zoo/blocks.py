"""Blocks that several families share."""

from collections.abc import Callable
from typing import Any

from pellucid.nn import AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Identity, Module, ReLU, Sequential


def conv_norm(
    in_channels: int,
    out_channels: int,
    kernel_size: int = 1,
    stride: int = 1,
    groups: int = 1,
    norm: Callable[[int], Module] = BatchNorm2d,
    activation: Callable[[], Module] | None = ReLU,
) -> Sequential:
    """Put a convolution that keeps the size (but for its stride), its normalisation and its activation in a row."""
    padding = (kernel_size - 1) // 2
    layers: list[Module] = [
        Conv2d(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=False),
        norm(out_channels),
    ]
    return Sequential(*layers, *([activation()] if activation else []))


class SqueezeExcitation(Module):
    """Weigh every channel by what the means of all channels say (Hu et al. 2018, arXiv:1709.01507).

    >>> import numpy as np
    >>> SqueezeExcitation(8, 2, ReLU, ReLU)(np.zeros((1, 8, 6, 6), np.float32)).shape
    (1, 8, 6, 6)
    """

    def __init__(
        self, channels: int, squeezed: int, activation: Callable[[], Module], gate: Callable[[], Module]
    ) -> None:
        super().__init__()
        self.avgpool = AdaptiveAvgPool2d(1)
        self.fc1 = Conv2d(channels, squeezed, 1)
        self.activation = activation()
        self.fc2 = Conv2d(squeezed, channels, 1)
        self.gate = gate()

    def forward(self, x: Any) -> Any:
        """Return x · gate(fc2(activation(fc1(means))))."""
        return x * self.gate(self.fc2(self.activation(self.fc1(self.avgpool(x)))))


class Residual(Module):
    """Add what a body of layers makes of x to x, or to what a shortcut makes of it (He et al. 2015).

    >>> import numpy as np
    >>> Residual(Conv2d(4, 4, 3, padding=1))(np.zeros((1, 4, 6, 6), np.float32)).shape
    (1, 4, 6, 6)
    """

    def __init__(self, body: Module, shortcut: Module | None = None) -> None:
        super().__init__()
        self.body = body
        self.shortcut = Identity() if shortcut is None else shortcut

    def forward(self, x: Any) -> Any:
        """Return body(x) + shortcut(x)."""
        shortcut = self.shortcut(x)
        return self.body(x) + shortcut
