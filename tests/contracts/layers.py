"""Every layer class with settings and inputs, for the tests that hold for all of them."""

import inspect
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import pellucid.nn as nn

IMAGE = (2, 4, 9, 8)


@dataclass(frozen=True)
class Case:
    """A layer's name, what it is made from, the shape of its input, and whether chance is at work in training."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    shape: tuple[int, ...] = IMAGE
    random: bool = False

    def make(self, library: Any = nn) -> Any:
        return getattr(library, self.name)(*self.args, **self.kwargs)

    def input(self, dtype: str = "float32") -> np.ndarray[Any, Any]:
        return np.random.default_rng(5).standard_normal(self.shape).astype(dtype)

    def __str__(self) -> str:
        settings = [*map(repr, self.args), *(f"{name}={value!r}" for name, value in self.kwargs.items())]
        return f"{self.name}({', '.join(settings)})"


def case(name: str, *args: Any, shape: tuple[int, ...] = IMAGE, random: bool = False, **kwargs: Any) -> Case:
    return Case(name, args, kwargs, shape, random)


CASES = [
    case("Conv2d", 4, 6, 3),
    case("Conv2d", 4, 6, (3, 2), (2, 1), (1, 0), (1, 2), 2, False),
    case("Conv2d", 4, 8, kernel_size=3, groups=4, padding="same", dilation=2),
    case("Conv2d", 4, 3, 5, padding="valid", stride=6),
    *[
        case("Conv2d", 4, 6, 3, padding=(2, 1), padding_mode=mode, stride=2)
        for mode in ("reflect", "replicate", "circular")
    ],
    case("ConvTranspose2d", 4, 6, 3),
    case("ConvTranspose2d", 4, 6, (3, 2), (2, 3), (1, 0), (1, 2), 2, False, 2),
    case("Linear", 8, 5),
    case("Linear", 8, 5, False, shape=(8,)),
    case("MaxPool2d", 2),
    case("MaxPool2d", 3, 2, 1, 2, False, True),
    case("AvgPool2d", 2),
    case("AvgPool2d", (3, 2), 2, (1, 0), True, False),
    case("LPPool2d", 2, (3, 2), stride=2, ceil_mode=True),
    case("AdaptiveAvgPool2d", 1),
    case("AdaptiveAvgPool2d", (4, 5)),
    case("BatchNorm2d", 4),
    case("BatchNorm2d", 4, 1e-3, None, False),
    case("BatchNorm2d", 4, momentum=0.3, track_running_stats=False),
    case("BatchNorm1d", 4, shape=(5, 4)),
    case("BatchNorm1d", 4, shape=(5, 4, 3)),
    case("LayerNorm", 8),
    case("LayerNorm", (9, 8), 1e-3, True, False),
    case("LayerNorm", [9, 8], elementwise_affine=False),
    case("GroupNorm", 2, 4),
    case("GroupNorm", 4, 4, 1e-3, False),
    case("InstanceNorm2d", 4),
    case("InstanceNorm2d", 4, 1e-3, 0.1, True),
    case("LocalResponseNorm", 3),
    case("LocalResponseNorm", 2, 1e-3, 0.5, 2.0),
    case("Dropout", random=True),
    case("Dropout2d", 0.3, random=True),
    case("ReLU"),
    case("ReLU", True),
    case("LeakyReLU"),
    case("LeakyReLU", 0.3, True),
    case("PReLU"),
    case("PReLU", 4, 0.1),
    case("ReLU6"),
    case("ELU"),
    case("ELU", 0.5),
    case("Sigmoid"),
    case("Tanh"),
    case("SiLU"),
    case("GELU"),
    case("GELU", "tanh"),
    case("Hardswish"),
    case("Hardsigmoid"),
    case("Softmax", 1),
    case("Softmax", dim=-1),
    case("LogSoftmax", dim=2),
    case("Flatten"),
    case("Flatten", 0, 2),
    case("Identity"),
    case("PixelShuffle", 2),
    case("PixelUnshuffle", 2, shape=(2, 3, 4, 6)),
    case("ChannelShuffle", 2),
    case("ZeroPad2d", 2),
    case("ConstantPad2d", (1, 2, 0, 3), -1.5),
    case("ReplicationPad2d", 2),
    case("ReflectionPad2d", (1, 2, 0, 3)),
    case("CircularPad2d", (1, 2, 0, 3)),
    case("Upsample", scale_factor=2),
    case("Upsample", (5, 20), mode="bilinear"),
    case("Upsample", None, (2, 3), "bilinear", True),
]

LOSSES = ("BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "MSELoss")
CONTAINERS = ("Module", "ModuleList", "Sequential")

OWN = ("BlurPool2d", "OrientationPool2d", "P4BatchNorm2d", "P4Conv2d", "P4LiftConv2d")
"""Layers that PyTorch lacks; `tests/nn/test_blur_pool.py` and `test_group.py` hold them to what PyTorch computes."""

CLASSES = sorted(
    name
    for name in nn.__all__
    if inspect.isclass(getattr(nn, name)) and issubclass(getattr(nn, name), nn.Module) and name not in OWN
)
