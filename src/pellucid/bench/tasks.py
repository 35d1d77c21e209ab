"""What is to be computed: the arrays that everyone is given, and how many operations it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, TypeAlias

import numpy as np

from pellucid import ops, zoo
from pellucid.bench.compare import gradient_error, relative_error
from pellucid.bench.conv_shapes import ConvShape
from pellucid.graph import Graph, Value, differentiate
from pellucid.nn import Dropout, Module
from pellucid.types import Array, Shape, TensorType

LEARNING_RATE, MOMENTUM = 1e-4, 0.9
"""So small that thousands of steps on one batch neither diverge nor end in zeros."""


class Inference:
    """A network and a batch of images (N, C, H, W)."""

    error = staticmethod(relative_error)

    def __init__(self, name: str, batch: int) -> None:
        self.net = _filled(zoo.build(name)).eval()
        self.x = _normal(batch, *self.net.metadata["input"])

    @property
    def tolerance(self) -> float:
        """Largest error of a result that is taken to be right."""
        return 1e-3

    @cached_property
    def graph(self) -> Graph:
        """The network's operations."""
        return self.net.graph(self.x.shape)

    @property
    def computed(self) -> tuple[Graph, tuple[str, ...]]:
        """The graph of all that is computed, and the names of what it is computed for, besides the outputs."""
        return self.graph, ()

    @property
    def flops(self) -> int:
        """Floating-point operations, two for each multiply-add, convolutions counted by their definition."""
        return 2 * sum(node.op.macs(*node.types) for node in self.computed[0].nodes)


class Training(Inference):
    """A network, a batch and its labels: forward, loss, backward, and a step of SGD with momentum.

    Dropout is off, for no two frameworks drop the same values.
    """

    error = staticmethod(gradient_error)

    def __init__(self, name: str, batch: int) -> None:
        super().__init__(name, batch)
        self.net.train()
        for module in self.net.modules():
            if isinstance(module, Dropout):
                module.eval()
        (logits,) = self.graph.outputs.values()
        self.y = _random().integers(0, logits.shape[1], batch)

    @property
    def tolerance(self) -> float:
        """Largest error of gradients that are taken to be right: PyTorch's own is half of it for deep networks."""
        return 2e-3 * sum(parameter.ndim > 1 for parameter in self.net.parameters())

    @cached_property
    def computed(self) -> tuple[Graph, tuple[str, ...]]:
        """The graph with its loss, and the names of the gradients."""
        return differentiated(self.net, self.x.shape)


class Convolution:
    """One convolution: forward ("fwd"), or the gradient of its input ("dgrad") or weight ("wgrad").

    Images are channels-last in memory, (N, C, H, W) by shape.
    """

    error = staticmethod(relative_error)
    tolerance: ClassVar = 1e-4
    directions: ClassVar = ("fwd", "dgrad", "wgrad")

    def __init__(self, direction: str, shape: ConvShape) -> None:
        self.direction, self.shape = direction, shape
        self.x = channels_last(_normal(*shape.input))
        self.weight = _normal(*shape.weight) / np.float32(math.sqrt(math.prod(shape.weight[1:])))
        self.bias = _normal(shape.k)
        self.dy = channels_last(_normal(*self._output.shape))

    @property
    def op(self) -> ops.Conv2d:
        """The operation whose result or gradient is asked."""
        sides = (self.shape.pad, self.shape.pad)
        return ops.Conv2d((self.shape.stride,) * 2, (sides, sides), groups=self.shape.group)

    @property
    def types(self) -> tuple[TensorType, TensorType, TensorType]:
        """Types of image, weight and bias."""
        return TensorType(self.shape.input), TensorType(self.shape.weight), TensorType((self.shape.k,))

    @property
    def _output(self) -> TensorType:
        return self.op.infer(*self.types)[0]

    @property
    def flops(self) -> int:
        """Floating-point operations by the definition, alike in all three directions."""
        return 2 * self.op.macs(*self.types)


@dataclass(frozen=True)
class Filter:
    """One kernel slid over a photo (rows, columns, channels), zeros around it."""

    size: int
    gauss: bool
    channels: int
    dtype: str
    rows: int = 3000
    columns: int = 4000

    error = staticmethod(relative_error)

    @property
    def tolerance(self) -> float:
        """How far results may be apart, as a share of the largest: whole numbers may be rounded either way."""
        return 2 / 255 if self.dtype == "uint8" else 1e-5

    @cached_property
    def photo(self) -> Array:
        """Random values from 0 to 255."""
        return _random().integers(0, 256, (self.rows, self.columns, self.channels)).astype(self.dtype)

    @cached_property
    def kernel(self) -> Array:
        """(size, size): Gauss's bell, a product of two rows of numbers, or one that cannot be taken apart."""
        if self.gauss:
            return np.outer(self.row, self.row)
        kernel = _random().uniform(-0.5, 1, (self.size, self.size)).astype(np.float32)
        kernel /= kernel.sum()
        return kernel

    @cached_property
    def row(self) -> Array:
        """(size,): a row of Gauss's bell, which adds up to 1."""
        places = np.arange(self.size) - self.size // 2
        bell: Array = np.exp(-((places / (self.size / 4)) ** 2) / 2)
        row: Array = (bell / bell.sum()).astype(np.float32)
        return row

    @property
    def flops(self) -> int:
        """Floating-point operations of the kernel as a whole."""
        return 2 * self.photo.size * self.kernel.size


Task: TypeAlias = Inference | Convolution | Filter


def differentiated(net: Module, shape: Shape) -> tuple[Graph, tuple[str, ...]]:
    """Return the graph of a network with its cross-entropy and gradients, and the names of the gradients."""
    graph = net.graph(shape)
    (logits,) = graph.outputs.values()
    labels = graph.input("labels", TensorType(shape[:1], "int64"))
    loss: Value = graph.add(ops.CrossEntropy(), logits, labels, None)
    gradients = differentiate(graph, loss, list(graph.parameters.values()))
    return graph, tuple(value.name for value in gradients.values())


def channels_last(x: Array) -> Array:
    """Lay (N, C, H, W) out in memory so that the channels of a pixel lie side by side."""
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


def _filled(net: Module) -> Module:
    """Give a network weights under which values keep their size from layer to layer (He et al. 2015).

    With fresh ones the images would hardly be seen in the output of a deep network, nor would an error.
    """
    random = _random()
    for name, parameter in net.named_parameters():
        if parameter.ndim > 1:
            spread = math.sqrt(2 / math.prod(parameter.shape[1:]))
            parameter.data[...] = random.standard_normal(parameter.shape, np.float32) * np.float32(spread)
        elif name.endswith("bias"):
            parameter.data[...] = random.uniform(-0.1, 0.1, parameter.shape)
        else:
            parameter.data[...] = random.uniform(0.5, 1.5, parameter.shape)
    for name, buffer in net.named_buffers():
        if name.endswith("running_mean"):
            buffer.data[...] = random.uniform(-0.1, 0.1, buffer.shape)
        elif name.endswith("running_var"):
            buffer.data[...] = random.uniform(0.5, 1.5, buffer.shape)
    return net


def _normal(*shape: int) -> Array:
    return _random().standard_normal(shape, np.float32)


def _random() -> np.random.Generator:
    return np.random.default_rng(0)
