"""A trace: what every layer computed for one image."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from pellucid.errors import ParameterError
from pellucid.explain.activations import Activations
from pellucid.explain.cell import Cell, write_out
from pellucid.explain.inputs import as_input
from pellucid.graph import Graph, Node
from pellucid.nn import Module
from pellucid.types import Array, Shape

if TYPE_CHECKING:
    from PIL import Image

MEMORY = 256 * 2**20
"""Bytes of activations that a trace keeps at a time."""


class Layer:
    """One operation of a trace: its name, its op's, the kernel that computes it, and its result.

    ``output`` is (C, H, W), or whatever the layer gives, without the batch, in the layer's dtype, read-only. It is
    computed when first asked for; ``shape`` and ``dtype`` are known before.
    """

    def __init__(self, values: Activations, node: Node) -> None:
        self._values, self._node = values, node
        self._is_batched = node.outputs[0].name in values.batched
        self.name, self.op = node.name, node.op.kind
        self.shape: Shape = node.outputs[0].shape[self._is_batched :]
        self.dtype = np.dtype(node.outputs[0].dtype)

    @property
    def kernel(self) -> str:
        """The kernel that computes the layer: "reference" for the definition."""
        return self._values.kernel(self._node)

    @property
    def output(self) -> Array:
        """The layer's result."""
        result = self._values[self._node.outputs[0].name]
        return result[0] if self._is_batched else result

    @property
    def largest(self) -> tuple[int, ...]:
        """The place of the largest number; of equal ones the first. Raises ParameterError where there is none."""
        if not self.output.size:
            raise ParameterError(f"The layer '{self.name}' has no numbers; its result is {self.shape}.")
        return tuple(int(i) for i in np.unravel_index(int(self.output.argmax()), self.shape))

    def __repr__(self) -> str:
        return f"Layer {self.name}: {self.op}, {self.dtype}{self.shape}"


class Trace:
    """Every activation of one run on one image, by layer: ``t["conv2"].output``.

    Layers are named as in the state dict; iterating gives them in running order. ``image`` is the network's input,
    (C, H, W); ``graph`` is what was run.

    The engine runs when a layer is first asked for. At most ``memory`` bytes of results are kept; those used longest
    ago make room for others, and are computed again, to the same bit, if they are asked for again.
    """

    def __init__(self, graph: Graph, feeds: Mapping[str, Array], memory: int = MEMORY) -> None:
        """Take the image (1, C, H, W), the parameters and the buffers by name; they must not change afterwards."""
        self.graph, self._values = graph, Activations(graph, feeds, memory)
        self._nodes = {node.name: node for node in graph.nodes}
        self.image = feeds[next(iter(graph.inputs))][0]
        self.image.flags.writeable = False

    def __getitem__(self, name: str) -> Layer:
        """Return a layer. Raises ParameterError, with the nearest names, where there is none of that name."""
        return self._layer(self._node(name))

    def __contains__(self, name: str) -> bool:
        return name in self._nodes or name in self.graph.layers

    def __iter__(self) -> Iterator[Layer]:
        return (self._layer(node) for node in self.graph.nodes)

    def __len__(self) -> int:
        return len(self.graph.nodes)

    def __repr__(self) -> str:
        return f"Trace of {len(self)} layers: {', '.join(self._nodes)}"

    @property
    def nbytes(self) -> int:
        """Bytes of activations that are kept at present."""
        return self._values.nbytes

    def value(self, name: str) -> Array:
        """Return a value of the run by its name in the graph, batch included: the image, a weight, a result."""
        return self._values[name]

    def cell(
        self, layer: str, channel: int | None = None, y: int | None = None, x: int | None = None, *deeper: int
    ) -> Cell:
        """Take one cell of a layer's result apart into what it was computed from.

        Give as many numbers as the result has axes: channel, y and x of a map, the channel alone of a vector.

        Raises ParameterError where there is no such layer or cell, or no account of its kind.
        """
        place = [channel, y, x, *deeper]
        while place and place[-1] is None:
            place.pop()
        return write_out(self._values, self._node(layer), tuple(place))

    def _node(self, name: str) -> Node:
        node = self.graph.layer(name).node
        if node is None:
            raise ParameterError(f"The layer {name!r} computes nothing: it passes its input on; choose another.")
        return node

    def _layer(self, node: Node) -> Layer:
        return Layer(self._values, node)


def trace(net: Module, image: "Array | Image.Image", memory: int = MEMORY) -> Trace:
    """Trace what every layer of a network computes of one image, as the network is used after training.

    Each layer is computed by itself, from the very numbers that the trace shows of the layers before. When the network
    is used, layers that follow each other may be computed in one; the last digits may then differ.

    Parameters
    ----------
    net
        A network of one input. Its weights are copied: training it further changes nothing here.
    image
        (C, H, W) as the network takes it, in the dtype of its weights, or a Pillow image if ``net.metadata`` has a
        "preprocessing"; (K,) of a network of vectors.
    memory
        Bytes of activations to keep at a time, 256 MiB by default.

    Raises
    ------
    ShapeError
        If the image does not fit the network; it names the first layer that cannot take it.
    DataError
        If a pixel is NaN or infinite.
    ParameterError
        If the network takes several inputs, or a Pillow image comes to one that does not say how to prepare it, or
        the image is neither.

    Examples
    --------
    >>> import numpy as np
    >>> import pellucid.nn as nn
    >>> net = nn.Sequential({"conv": nn.Conv2d(1, 1, 3), "relu": nn.ReLU()})
    >>> net.load_state_dict({"conv.weight": [[[[1, 0, -1]] * 3]], "conv.bias": [0]})
    >>> image = np.float32([[[2, 1, 3, 0], [0, 2, 1, 3], [1, 0, 2, 1]]])
    >>> t = trace(net, image)
    >>> t["conv"].output.tolist()
    [[[-3.0, -1.0]]]
    >>> print(t.cell("conv", channel=0, y=0, x=0).text())
    conv, channel 0, row 0, column 0
      Conv2d: sum of patch × weights + bias
      x, channel 0: patch × weights
         2×1 +  1×0 + 3×−1
         0×1 +  2×0 + 1×−1
         1×1 +  0×0 + 2×−1
        = −3
      sum of 9 products = −3
      sum + bias = −3 + 0 = −3
      the engine computed −3, exactly that
      relu: ReLU(−3) = 0
      pixels behind it: rows 0 to 2, columns 0 to 2
    """
    if isinstance(memory, bool) or not isinstance(memory, int) or memory < 0:
        raise ParameterError(f"The 'memory' parameter of trace must be a number of bytes from 0 up; got {memory!r}.")
    batch = as_input(net, image, vectors=True)[None]  # (1, C, H, W)
    with net.evaluating():
        graph = net.graph(batch.shape)
    used = graph.parameters | graph.buffers
    weights = {name: array.copy() for name, array in net.arrays().items() if name in used}
    return Trace(graph, {next(iter(graph.inputs)): batch, **weights}, memory)
