"""Layers that scale maps."""

from typing import Any

from pellucid import ops
from pellucid.nn.functional import interpolate
from pellucid.nn.layers.base import Layer
from pellucid.nn.settings import target_size


class Upsample(Layer):
    """Scale maps to ``size``, or by whole factors; mode "nearest" or "bilinear"."""

    def __init__(
        self, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool = False
    ) -> None:
        super().__init__()
        one_cell = target_size((1, 1, 1, 1), size, scale_factor, "Upsample")
        ops.Resize(one_cell, mode, align_corners)  # refuses bad settings now rather than at the first call
        self.size, self.scale_factor, self.mode, self.align_corners = size, scale_factor, mode, align_corners

    def forward(self, x: Any) -> Any:
        return interpolate(x, self.size, self.scale_factor, self.mode, self.align_corners)

    def extra_repr(self) -> str:
        target = f"size={self.size}" if self.size is not None else f"scale_factor={self.scale_factor}"
        return f"{target}, mode={self.mode!r}"
