"""The kinds of blocks of which a listing is made: their settings, and the layers that they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pellucid.errors import ShapeError
from pellucid.types import Shape
from pellucid.zoo.written import Layer

Settings: TypeAlias = Mapping[str, int]
LayerOf: TypeAlias = Callable[[Shape, Settings], Layer]
"""Takes the shape before the block, (C, H, W) or (N,), and its settings."""

MOST_WEIGHTS = 1 << 28
"""Weights of one layer at most: a gigabyte."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A number of a block: its name as in PyTorch, its letter in a listing, what it usually is, and its range."""

    name: str
    letter: str
    usual: int
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of block: its word in listings, what its layers are called, its settings, the layers themselves.

    The setting without a letter stands right behind the word. Where ``fits_classes``, leaving it out, or 0, means
    as many as there are classes.
    """

    word: str
    name: str
    settings: tuple[Setting, ...]
    layer: LayerOf
    fits_classes: bool = False


def _maps(shape: Shape, what: str) -> int:
    """Return the number of channels. Raises ShapeError where there are no maps any more."""
    if len(shape) != 3:
        raise ShapeError(f"{what} needs maps (C, H, W); got {shape[0]:,} numbers; put it before the flattening.")
    return shape[0]


def _square(settings: Settings, usual_stride: int = 1) -> tuple[tuple[str, int], ...]:
    """Name the settings of a window that are not PyTorch's usual ones."""
    usual = {"stride": usual_stride, "padding": 0, "dilation": 1, "groups": 1}
    return tuple((name, settings[name]) for name in usual if settings.get(name, usual[name]) != usual[name])


def _conv2d(sources: int, channels: int, kernel: int, *named: tuple[str, int], bias: bool = False) -> Layer:
    given = dict(named)
    weights = sources // given.get("groups", 1) * channels * kernel * kernel
    if weights > MOST_WEIGHTS:
        raise ShapeError(
            f"A convolution may have {MOST_WEIGHTS:,} weights at most; got {weights:,}; use less channels."
        )
    square = (("kernel_size", kernel), *((name, value) for name, value in named if value))
    return Layer("Conv2d", (sources, channels), square if bias else (*square, ("bias", False)))


def _sequence(*layers: Layer) -> Layer:
    return Layer("Sequential", layers)


def _norm2d(channels: int) -> Layer:
    return Layer("BatchNorm2d", (channels,))


def _strided(stride: int) -> tuple[tuple[str, int], ...]:
    return (("stride", stride),) if stride > 1 else ()


def _each(channels: int) -> tuple[tuple[str, int], ...]:
    """Give every channel a group of its own."""
    return (("groups", channels),) if channels > 1 else ()


_PADDED = ("padding", 1)
_RELU = Layer("ReLU")


def _conv(shape: Shape, settings: Settings) -> Layer:
    sources, channels = _maps(shape, "A convolution"), settings["out_channels"]
    _check_groups(settings["groups"], sources, channels)
    return _conv2d(sources, channels, settings["kernel_size"], *_square(settings), bias=bool(settings["bias"]))


def _check_groups(groups: int, sources: int, channels: int) -> None:
    if sources % groups or channels % groups:
        raise ShapeError(
            f"The groups of a convolution must divide its {sources} channels before and {channels} after; got {groups}."
        )


def _depthwise(shape: Shape, settings: Settings) -> Layer:
    channels = _maps(shape, "A depthwise convolution")
    named = (*_square(settings), *_each(channels))
    return _conv2d(channels, channels, settings["kernel_size"], *named, bias=bool(settings["bias"]))


def _separable(shape: Shape, settings: Settings) -> Layer:
    """Filter every channel by itself, then mix them: MobileNet's block (arXiv:1704.04861)."""
    sources, channels = _maps(shape, "A separable convolution"), settings["out_channels"]
    kernel = settings["kernel_size"]
    named = (*_strided(settings["stride"]), ("padding", kernel // 2), *_each(sources))
    return _sequence(
        _conv2d(sources, sources, kernel, *named), _norm2d(sources), _RELU,
        _conv2d(sources, channels, 1), _norm2d(channels), _RELU,
    )  # fmt: skip


def _shortcut(sources: int, channels: int, stride: int) -> tuple[Layer, ...]:
    if sources == channels and stride == 1:
        return ()
    return (_sequence(_conv2d(sources, channels, 1, *_strided(stride)), _norm2d(channels)),)


def _residual(shape: Shape, settings: Settings) -> Layer:
    """Put two 3×3 convolutions beside a shortcut: the basic block of ResNet (arXiv:1512.03385)."""
    sources, channels, stride = _maps(shape, "A residual block"), settings["out_channels"], settings["stride"]
    body = _sequence(
        _conv2d(sources, channels, 3, *_strided(stride), _PADDED), _norm2d(channels), _RELU,
        _conv2d(channels, channels, 3, _PADDED), _norm2d(channels),
    )  # fmt: skip
    return _sequence(Layer("Residual", (body, *_shortcut(sources, channels, stride))), _RELU)


def _bottleneck(shape: Shape, settings: Settings) -> Layer:
    """Work in a quarter of the channels between two 1×1 convolutions: the deeper ResNets' block."""
    sources, channels, stride = _maps(shape, "A bottleneck"), settings["out_channels"], settings["stride"]
    inner = max(1, channels // 4)
    body = _sequence(
        _conv2d(sources, inner, 1), _norm2d(inner), _RELU,
        _conv2d(inner, inner, 3, *_strided(stride), _PADDED), _norm2d(inner), _RELU,
        _conv2d(inner, channels, 1), _norm2d(channels),
    )  # fmt: skip
    return _sequence(Layer("Residual", (body, *_shortcut(sources, channels, stride))), _RELU)


def _inverted(shape: Shape, settings: Settings) -> Layer:
    """Widen, filter every channel by itself, narrow: MobileNetV2's block (arXiv:1801.04381)."""
    sources, channels, stride = _maps(shape, "An inverted bottleneck"), settings["out_channels"], settings["stride"]
    wide, relu6 = sources * settings["expansion"], Layer("ReLU6")
    widen = (_conv2d(sources, wide, 1), _norm2d(wide), relu6) if wide > sources else ()
    body = _sequence(
        *widen,
        _conv2d(wide, wide, 3, *_strided(stride), _PADDED, *_each(wide)), _norm2d(wide), relu6,
        _conv2d(wide, channels, 1), _norm2d(channels),
    )  # fmt: skip
    return Layer("Residual", (body,)) if stride == 1 and sources == channels else body


def _pool(kind: str) -> LayerOf:
    def layer(shape: Shape, settings: Settings) -> Layer:
        _maps(shape, "Pooling")
        kernel, padding = settings["kernel_size"], settings["padding"]
        if 2 * padding > kernel:
            raise ShapeError(f"The padding of a pooling must be at most half its kernel, {kernel}; got {padding}.")
        stride = settings["stride"] or kernel
        named = _square({**settings, "stride": stride}, usual_stride=kernel)
        return Layer(kind, (kernel,), (*named, *((("ceil_mode", True),) if settings["ceil_mode"] else ())))

    return layer


def _adaptive(shape: Shape, settings: Settings) -> Layer:
    _maps(shape, "Adaptive pooling")
    return Layer("AdaptiveAvgPool2d", (settings["output_size"],))


def _gap(shape: Shape, settings: Settings) -> Layer:
    _maps(shape, "Global average pooling")
    return Layer("AdaptiveAvgPool2d", (1,))


def _norm(shape: Shape, settings: Settings) -> Layer:
    return Layer("BatchNorm2d" if len(shape) == 3 else "BatchNorm1d", (shape[0],))


def _linear(shape: Shape, settings: Settings) -> Layer:
    if len(shape) != 1:
        height, width = shape[1:]
        raise ShapeError(
            f"A dense layer needs a row of numbers; got maps {shape[0]}×{height}×{width}; put a flattening before it."
        )
    units = settings["out_features"]
    if shape[0] * units > MOST_WEIGHTS:
        raise ShapeError(
            f"A dense layer may have {MOST_WEIGHTS:,} weights at most; got {shape[0] * units:,}; "
            "shrink the maps before it, by pooling or global average pooling."
        )
    return Layer("Linear", (shape[0], units), () if settings["bias"] else (("bias", False),))


def _plain(kind: str) -> LayerOf:
    return lambda shape, settings: Layer(kind)


def _dropout(shape: Shape, settings: Settings) -> Layer:
    return Layer("Dropout", (), (("p", settings["percent"] / 100),))


_CHANNELS = Setting("out_channels", "", 0, 0, 4096)
_STRIDE, _BIAS = Setting("stride", "s", 1, 1, 16), Setting("bias", "b", 1, 0, 1)
_KERNEL, _PADDING = Setting("kernel_size", "k", 3, 1, 31), Setting("padding", "p", 0, 0, 64)
_DILATION = Setting("dilation", "d", 1, 1, 32)
_POOL = (
    Setting("kernel_size", "", 2, 1, 31),
    Setting("stride", "s", 0, 0, 16),
    Setting("padding", "p", 0, 0, 15),
    Setting("ceil_mode", "c", 0, 0, 1),
)
_FILLED = Setting("out_channels", "", 64, 1, 4096)

KINDS: dict[str, Kind] = {
    kind.word: kind
    for kind in (
        Kind(
            "conv",
            "conv",
            (_CHANNELS, _KERNEL, _STRIDE, _PADDING, _DILATION, Setting("groups", "g", 1, 1, 4096), _BIAS),
            _conv,
            fits_classes=True,
        ),
        Kind("depthwise", "depthwise", (_KERNEL, _STRIDE, _PADDING, _DILATION, _BIAS), _depthwise),
        Kind("separable", "separable", (_FILLED, _KERNEL, _STRIDE), _separable),
        Kind("residual", "residual", (_FILLED, _STRIDE), _residual),
        Kind("bottleneck", "bottleneck", (_FILLED, _STRIDE), _bottleneck),
        Kind("inverted", "inverted", (_FILLED, _STRIDE, Setting("expansion", "e", 6, 1, 16)), _inverted),
        Kind("pool", "pool", _POOL, _pool("MaxPool2d")),
        Kind("avgpool", "pool", _POOL, _pool("AvgPool2d")),
        Kind("adaptive", "adaptive", (Setting("output_size", "", 7, 1, 64),), _adaptive),
        Kind("gap", "gap", (), _gap),
        Kind("relu", "relu", (), _plain("ReLU")),
        Kind("relu6", "relu", (), _plain("ReLU6")),
        Kind("leaky", "leaky", (), _plain("LeakyReLU")),
        Kind("gelu", "gelu", (), _plain("GELU")),
        Kind("silu", "silu", (), _plain("SiLU")),
        Kind("tanh", "tanh", (), _plain("Tanh")),
        Kind("sigmoid", "sigmoid", (), _plain("Sigmoid")),
        Kind("norm", "norm", (), _norm),
        Kind("dropout", "drop", (Setting("percent", "", 50, 0, 95),), _dropout),
        Kind("flatten", "flatten", (), _plain("Flatten")),
        Kind("linear", "fc", (Setting("out_features", "", 0, 0, 65536), _BIAS), _linear, fits_classes=True),
    )
}
"""All kinds, by their words."""
