"""Layers and networks with PyTorch's names, argument order, defaults and weight layouts."""

from pellucid.nn import functional, losses
from pellucid.nn.layers.activation import (
    ELU,
    GELU,
    Hardsigmoid,
    Hardswish,
    LeakyReLU,
    LogSoftmax,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
)
from pellucid.nn.layers.arrange import (
    ChannelShuffle,
    CircularPad2d,
    ConstantPad2d,
    Flatten,
    Identity,
    PixelShuffle,
    PixelUnshuffle,
    ReflectionPad2d,
    ReplicationPad2d,
    ZeroPad2d,
)
from pellucid.nn.layers.blur_pool import BlurPool2d
from pellucid.nn.layers.container import ModuleList, Sequential
from pellucid.nn.layers.conv import Conv2d, ConvTranspose2d
from pellucid.nn.layers.dropout import Dropout, Dropout2d
from pellucid.nn.layers.group import OrientationPool2d, P4BatchNorm2d, P4Conv2d, P4LiftConv2d
from pellucid.nn.layers.linear import Linear
from pellucid.nn.layers.loss import BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, MSELoss
from pellucid.nn.layers.norm import (
    BatchNorm1d,
    BatchNorm2d,
    GroupNorm,
    InstanceNorm2d,
    LayerNorm,
    LocalResponseNorm,
)
from pellucid.nn.layers.pool import AdaptiveAvgPool2d, AvgPool2d, LPPool2d, MaxPool2d
from pellucid.nn.layers.resize import Upsample
from pellucid.nn.module import Module
from pellucid.nn.parameter import Buffer, Parameter
from pellucid.nn.random import manual_seed

__all__ = [
    "ELU",
    "GELU",
    "AdaptiveAvgPool2d",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "BlurPool2d",
    "Buffer",
    "ChannelShuffle",
    "CircularPad2d",
    "ConstantPad2d",
    "Conv2d",
    "ConvTranspose2d",
    "CrossEntropyLoss",
    "Dropout",
    "Dropout2d",
    "Flatten",
    "GroupNorm",
    "Hardsigmoid",
    "Hardswish",
    "Identity",
    "InstanceNorm2d",
    "LPPool2d",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LocalResponseNorm",
    "LogSoftmax",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "ModuleList",
    "OrientationPool2d",
    "P4BatchNorm2d",
    "P4Conv2d",
    "P4LiftConv2d",
    "PReLU",
    "Parameter",
    "PixelShuffle",
    "PixelUnshuffle",
    "ReLU",
    "ReLU6",
    "ReflectionPad2d",
    "ReplicationPad2d",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "Upsample",
    "ZeroPad2d",
    "functional",
    "losses",
    "manual_seed",
]
