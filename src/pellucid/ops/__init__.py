"""Operations: each declares its shape rule, cost, window, gradient, reference and kernels."""

from pellucid.ops.activation import (
    ELU,
    GELU,
    Hardsigmoid,
    Hardswish,
    LeakyReLU,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Tanh,
)
from pellucid.ops.arithmetic import Add, Expand, Mean, Multiply, Sum
from pellucid.ops.arrange import (
    ChannelShuffle,
    Concatenate,
    Flatten,
    PixelShuffle,
    PixelUnshuffle,
    Reshape,
    Slice,
    Transpose,
)
from pellucid.ops.backward import Backward
from pellucid.ops.base import Candidate, Op, Types, nth_axis, op_from_dict, type_from_lists
from pellucid.ops.conv import Conv2d, ConvTranspose2d
from pellucid.ops.dropout import Dropout
from pellucid.ops.group import Orientations
from pellucid.ops.linear import Linear
from pellucid.ops.loss import MSE, BinaryCrossEntropy, BinaryCrossEntropyWithLogits, CrossEntropy
from pellucid.ops.norm import BatchNorm, GroupNorm, LayerNorm, LocalResponseNorm, RunningAverage
from pellucid.ops.pad import Pad
from pellucid.ops.pool import AdaptiveAvgPool2d, AvgPool2d, LPPool2d, MaxPool2d
from pellucid.ops.resize import Resize
from pellucid.ops.select import Choice, by_definition, choose
from pellucid.ops.softmax import LogSoftmax, Softmax

__all__ = [
    "ELU",
    "GELU",
    "MSE",
    "AdaptiveAvgPool2d",
    "Add",
    "AvgPool2d",
    "Backward",
    "BatchNorm",
    "BinaryCrossEntropy",
    "BinaryCrossEntropyWithLogits",
    "Candidate",
    "ChannelShuffle",
    "Choice",
    "Concatenate",
    "Conv2d",
    "ConvTranspose2d",
    "CrossEntropy",
    "Dropout",
    "Expand",
    "Flatten",
    "GroupNorm",
    "Hardsigmoid",
    "Hardswish",
    "LPPool2d",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LocalResponseNorm",
    "LogSoftmax",
    "MaxPool2d",
    "Mean",
    "Multiply",
    "Op",
    "Orientations",
    "PReLU",
    "Pad",
    "PixelShuffle",
    "PixelUnshuffle",
    "ReLU",
    "ReLU6",
    "Reshape",
    "Resize",
    "RunningAverage",
    "SiLU",
    "Sigmoid",
    "Slice",
    "Softmax",
    "Sum",
    "Tanh",
    "Transpose",
    "Types",
    "by_definition",
    "choose",
    "nth_axis",
    "op_from_dict",
    "type_from_lists",
]
