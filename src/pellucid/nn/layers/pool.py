"""Pooling layers."""

from typing import Any

from pellucid import ops
from pellucid.nn import functional
from pellucid.nn.layers.base import Layer
from pellucid.nn.settings import padding_cells, pair
from pellucid.types import Pair


class MaxPool2d(Layer):
    """The maximum of every window; the stride is the kernel size unless given.

    With ``return_indices`` also where each maximum stood, as a flat index into its plane.

    >>> MaxPool2d(2)
    MaxPool2d(kernel=(2, 2), stride=(2, 2))
    """

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        kernel, steps = _windows(kernel_size, stride, "MaxPool2d")
        gaps = pair(dilation, "dilation", "MaxPool2d")
        self.op = ops.MaxPool2d(
            kernel, steps, padding_cells(padding, kernel, steps, gaps, "MaxPool2d"), gaps, ceil_mode
        )
        self.return_indices = return_indices

    def forward(self, x: Any) -> Any:
        results = functional.apply_all(self.op, x)
        return results if self.return_indices else results[0]


class AvgPool2d(Layer):
    """The mean of every window; the stride is the kernel size unless given.

    >>> AvgPool2d(3, stride=2)
    AvgPool2d(kernel=(3, 3), stride=(2, 2))
    """

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        kernel, steps = _windows(kernel_size, stride, "AvgPool2d")
        cells = padding_cells(padding, kernel, steps, (1, 1), "AvgPool2d")
        self.op = ops.AvgPool2d(kernel, steps, cells, ceil_mode, count_include_pad)


class LPPool2d(Layer):
    """(Σ xᵖ)^(1/p) of every window, p being ``norm_type``.

    >>> LPPool2d(2, kernel_size=2)
    LPPool2d(norm=2, kernel=(2, 2), stride=(2, 2))
    """

    def __init__(self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> None:
        super().__init__()
        kernel, steps = _windows(kernel_size, stride, "LPPool2d")
        self.op = ops.LPPool2d(norm_type, kernel, steps, ceil_mode)


class AdaptiveAvgPool2d(Layer):
    """The mean over windows chosen to give ``output_size``; 1 is global average pooling.

    >>> AdaptiveAvgPool2d(1)
    AdaptiveAvgPool2d(output_size=(1, 1))
    """

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.op = ops.AdaptiveAvgPool2d(pair(output_size, "output_size", "AdaptiveAvgPool2d"))


def _windows(kernel: Any, stride: Any, owner: str) -> tuple[Pair, Pair]:
    size = pair(kernel, "kernel_size", owner)
    return size, size if stride is None else pair(stride, "stride", owner)
