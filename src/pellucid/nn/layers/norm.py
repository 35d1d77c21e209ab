"""Normalisation layers."""

from typing import Any

import numpy as np

from pellucid import ops
from pellucid.errors import ShapeError
from pellucid.nn.batch_norm import batch_norm
from pellucid.nn.functional import apply
from pellucid.nn.layers.base import Layer
from pellucid.nn.parameter import Buffer, Parameter
from pellucid.nn.settings import divides, positive
from pellucid.nn.tracing import here
from pellucid.types import Shape


class _Affine(Layer):
    weight: Parameter | None
    bias: Parameter | None

    def _set_affine(self, shape: Shape, affine: bool, bias: bool = True) -> None:
        self.weight = Parameter(np.ones(shape, np.float32)) if affine else None
        self.bias = Parameter(np.zeros(shape, np.float32)) if affine and bias else None

    def forward(self, x: Any) -> Any:
        return apply(self.op, x, self.weight, self.bias)


class BatchNorm2d(_Affine):
    """Normalise every channel: in training by the batch's statistics, afterwards by their running average.

    ``momentum=None`` remembers the plain average over all batches (Ioffe & Szegedy 2015).

    >>> BatchNorm2d(64)
    BatchNorm2d(64, eps=1e-05, momentum=0.1)
    """

    axes: tuple[int, ...] = (4,)
    normalise = staticmethod(batch_norm)

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = positive(num_features, "num_features", type(self).__name__)
        self.eps, self.momentum = eps, momentum
        ops.BatchNorm(eps, momentum)  # refuses bad settings now rather than at the first call
        self._set_affine((num_features,), affine)
        tracked = track_running_stats
        self.running_mean = Buffer(np.zeros(num_features, np.float32)) if tracked else None
        self.running_var = Buffer(np.ones(num_features, np.float32)) if tracked else None
        self.num_batches_tracked = Buffer(np.zeros((), np.int64)) if tracked else None

    def forward(self, x: Any) -> Any:
        if x.ndim not in self.axes:
            axes = " or ".join(map(str, self.axes))
            raise ShapeError(f"{here(type(self).__name__)} needs an input of {axes} axes, got shape {x.shape}.")
        op = ops.BatchNorm(self.eps, self.momentum, self.training or self.running_mean is None)
        statistics = self.running_mean, self.running_var, self.num_batches_tracked if self.training else None
        return self.normalise(op, x, self.weight, self.bias, *statistics)

    def extra_repr(self) -> str:
        text = f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"
        text += ", affine=False" if self.weight is None else ""
        return text + (", track_running_stats=False" if self.running_mean is None else "")


class BatchNorm1d(BatchNorm2d):
    """Normalise every feature of (N, C) or (N, C, L): see :class:`BatchNorm2d`."""

    axes = (2, 3)


class LayerNorm(_Affine):
    """Normalise every sample over its trailing axes, of shape ``normalized_shape`` (Ba et al. 2016)."""

    def __init__(
        self, normalized_shape: Any, eps: float = 1e-5, elementwise_affine: bool = True, bias: bool = True
    ) -> None:
        super().__init__()
        shape = tuple(normalized_shape) if isinstance(normalized_shape, tuple | list) else (normalized_shape,)
        self.normalized_shape = tuple(positive(extent, "normalized_shape", "LayerNorm") for extent in shape)
        self.op = ops.LayerNorm(len(shape), eps)
        self._set_affine(self.normalized_shape, elementwise_affine, bias)

    def forward(self, x: Any) -> Any:
        trailing = tuple(x.shape[-len(self.normalized_shape) :])
        if trailing != self.normalized_shape:
            raise ShapeError(
                f"{here('LayerNorm')} needs an input (…, {str(self.normalized_shape)[1:]}, got shape {x.shape}."
            )
        return super().forward(x)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.op.eps}"


class GroupNorm(_Affine):
    """Normalise every sample over groups of channels (Wu & He 2018)."""

    def __init__(self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True) -> None:
        super().__init__()
        self.num_channels = positive(num_channels, "num_channels", "GroupNorm")
        groups = positive(num_groups, "num_groups", "GroupNorm")
        divides(groups, self.num_channels, "num_channels", "GroupNorm", "num_groups")
        self.op = ops.GroupNorm(groups, eps)
        self._set_affine((num_channels,), affine)

    def extra_repr(self) -> str:
        return f"{self.op.groups}, {self.num_channels}, eps={self.op.eps}"


class InstanceNorm2d(_Affine):
    """Normalise every channel of every sample by itself (Ulyanov et al. 2016)."""

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool = False) -> None:
        super().__init__()
        self.num_features = positive(num_features, "num_features", "InstanceNorm2d")
        self.op = ops.GroupNorm(self.num_features, eps)
        self._set_affine((num_features,), affine)

    def forward(self, x: Any) -> Any:
        if x.ndim != 4 or x.shape[1] != self.num_features:
            raise ShapeError(
                f"{here('InstanceNorm2d')} needs an input (N, {self.num_features}, H, W), got shape {x.shape}."
            )
        return super().forward(x)

    def extra_repr(self) -> str:
        return f"{self.num_features}, eps={self.op.eps}"


class LocalResponseNorm(Layer):
    """x / (k + alpha/size · Σ x²)^beta over ``size`` neighbouring channels (Krizhevsky et al. 2012)."""

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.op = ops.LocalResponseNorm(size, alpha, beta, k)
