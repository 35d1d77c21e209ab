"""Reading a listing off a network that is a chain of layers which listings have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pellucid import nn
from pellucid.types import Shape
from pellucid.zoo.kinds import KINDS
from pellucid.zoo.listing import MOST_BLOCKS, Block, Listing
from pellucid.zoo.mobilenet import InvertedResidual
from pellucid.zoo.resnet import BasicBlock, Bottleneck

_PLAIN: dict[type, str] = {
    nn.BatchNorm1d: "norm", nn.BatchNorm2d: "norm", nn.Flatten: "flatten", nn.GELU: "gelu", nn.LeakyReLU: "leaky",
    nn.ReLU: "relu", nn.ReLU6: "relu6", nn.SiLU: "silu", nn.Sigmoid: "sigmoid", nn.Tanh: "tanh",
}  # fmt: skip


class _StrangerError(Exception):
    """A layer that listings do not have."""


def read(net: nn.Module, shape: Shape, classes: int) -> Listing | None:
    """Return the listing of a network for images of a shape; None where it is more than blocks in a row.

    Both have the same layers with the same settings; their weights are their own.

    >>> from pellucid import zoo
    >>> str(read(zoo.build("tiny"), (1, 28, 28), 10))
    '1x28x28to10-conv4.p1-relu-pool-conv8.p1-relu-pool-flatten-linear'
    """
    try:
        blocks = [_block(module) for module in _layers(net)]
    except _StrangerError:
        return None
    if len(blocks) > MOST_BLOCKS:
        return None
    for place in reversed(range(len(blocks))):  # the last layer that counts classes fits itself to them
        if KINDS[blocks[place].word].fits_classes:
            settings = blocks[place].settings()
            name = KINDS[blocks[place].word].settings[0].name
            if settings[name] == classes:
                blocks[place] = Block.of(blocks[place].word, **settings | {name: 0})
            break
    return Listing(shape, classes, tuple(blocks))


def _layers(net: nn.Module) -> Iterator[nn.Module]:
    """Yield the layers of nested sequences in their order."""
    if type(net) is not nn.Sequential:
        yield net
        return
    for module in net:
        yield from _layers(module)


def _block(module: nn.Module) -> Block:
    if type(module) in _PLAIN:
        return Block(_PLAIN[type(module)])
    reader = _READERS.get(type(module))
    if reader is None:
        raise _StrangerError
    return reader(module)


def _conv(module: Any) -> Block:
    settings = _window(module.op) | {"kernel_size": _one(module.kernel_size), "bias": int(module.bias is not None)}
    if module.op.border != "zeros":
        raise _StrangerError
    if module.groups > 1 and module.groups == module.in_channels == module.out_channels:
        return Block.of("depthwise", **settings)
    return Block.of("conv", out_channels=module.out_channels, groups=module.groups, **settings)


def _pool(word: str) -> Callable[[Any], Block]:
    def read_pool(module: Any) -> Block:
        settings = _window(module.op)
        if settings.pop("dilation", 1) != 1 or getattr(module, "return_indices", False):
            raise _StrangerError
        kernel = _one(module.op.kernel)
        stride = settings.pop("stride")
        ceil = int(module.op.ceil_mode)
        return Block.of(word, kernel_size=kernel, stride=0 if stride == kernel else stride, ceil_mode=ceil, **settings)

    return read_pool


def _adaptive(module: Any) -> Block:
    size = _one(module.op.output_size)
    return Block("gap") if size == 1 else Block.of("adaptive", output_size=size)


def _linear(module: Any) -> Block:
    return Block.of("linear", out_features=module.out_features, bias=int(module.bias is not None))


def _dropout(module: Any) -> Block:
    percent = 100 * module.p
    if percent != int(percent):
        raise _StrangerError
    return Block.of("dropout", percent=int(percent))


def _residual(word: str) -> Callable[[Any], Block]:
    def read_block(module: Any) -> Block:
        strided = module.conv1 if word == "residual" else module.conv2
        last = module.conv2 if word == "residual" else module.conv3
        if module.conv2.groups != 1 or (word == "bottleneck" and 4 * module.conv1.out_channels != last.out_channels):
            raise _StrangerError
        return Block.of(word, out_channels=last.out_channels, stride=_one(strided.stride))

    return read_block


def _inverted(module: Any) -> Block:
    *wide, depthwise, last, _ = module.conv
    sources = depthwise[0].in_channels if not wide else wide[0][0].in_channels
    expansion, stride = depthwise[0].in_channels // sources, _one(depthwise[0].stride)
    return Block.of("inverted", out_channels=last.out_channels, stride=stride, expansion=expansion)


def _window(op: Any) -> dict[str, int]:
    """Read what windows share, where rows and columns are alike."""
    (top, bottom), (left, right) = op.padding
    if not top == bottom == left == right:
        raise _StrangerError
    found = {"stride": _one(op.stride), "padding": top}
    return found | ({"dilation": _one(op.dilation)} if hasattr(op, "dilation") else {})


def _one(pair: tuple[int, int]) -> int:
    if pair[0] != pair[1]:
        raise _StrangerError
    return pair[0]


_READERS: dict[type, Callable[[Any], Block]] = {
    nn.AdaptiveAvgPool2d: _adaptive,
    nn.AvgPool2d: _pool("avgpool"),
    nn.Conv2d: _conv,
    nn.Dropout: _dropout,
    nn.Linear: _linear,
    nn.MaxPool2d: _pool("pool"),
    BasicBlock: _residual("residual"),
    Bottleneck: _residual("bottleneck"),
    InvertedResidual: _inverted,
}
