"""A trace: what every layer computed for one image."""

import difflib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.errors import DataError, ParameterError, ShapeError
from pellucid.explain.cell import Cell, write_out
from pellucid.graph import Graph, Node, Plan, Value
from pellucid.nn import Module
from pellucid.ops import Conv2d
from pellucid.types import Array

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One operation of a trace: ``output`` is its result without the batch, (C, H, W) or (K,), read-only."""

    name: str
    op: str
    output: Array


class Trace:
    """Every activation of one run on one image, by layer: ``t["conv2"].output``.

    Layers are named as in the state dict; iterating gives them in running order. ``image`` is the network's input,
    (C, H, W); ``graph`` is what was run.
    """

    def __init__(self, graph: Graph, arrays: Mapping[str, Array]) -> None:
        self.graph, self._arrays = graph, arrays
        self._nodes = {node.name: node for node in graph.nodes}
        self.image = _read_only(arrays[next(iter(graph.inputs))][0])

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

    def cell(self, layer: str, channel: int, y: int, x: int) -> Cell:
        """Take one cell of a convolution apart into its products.

        Raises ParameterError where there is no such layer or cell, or the layer is no convolution.
        """
        return write_out(self.graph, self._node(layer), self._arrays, channel=channel, y=y, x=x)

    def _node(self, name: str) -> Node:
        if name in self._nodes:
            return self._nodes[name]
        result = self.graph.layers.get(name)
        if result is None or result.node is None:
            raise ParameterError(f"There is no layer {name!r}; {self._nearest(name)}.")
        return result.node

    def _nearest(self, name: str) -> str:
        names = list(dict.fromkeys([*self._nodes, *self.graph.layers]))
        near = difflib.get_close_matches(str(name), names, n=3, cutoff=0.5)
        return f"the nearest are {', '.join(near)}" if near else f"there are {', '.join(names)}"

    def _layer(self, node: Node) -> Layer:
        return Layer(node.name, node.op.kind, _read_only(self._arrays[node.outputs[0].name][0]))


def trace(net: Module, image: "Array | Image.Image") -> Trace:
    """Run a network on one image, as it is used after training, and keep what every layer computed.

    Parameters
    ----------
    net
        A network of one input.
    image
        float32 (C, H, W) as the network takes it, or a Pillow image if ``net.metadata`` has a "preprocessing".

    Raises
    ------
    ShapeError
        If the image does not fit the network; it names the first layer that cannot take it.
    DataError
        If a pixel is NaN or infinite.
    ParameterError
        If a Pillow image comes to a network that does not say how to prepare it.

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
      input channel 0: patch × weights
         2×1 +  1×0 + 3×-1
         0×1 +  2×0 + 1×-1
         1×1 +  0×0 + 2×-1
        = -3
      sum -3 + bias 0 = -3
      relu: ReLU(-3) = 0
      pixels behind it: rows 0 to 2, columns 0 to 2
    """
    batch = _as_input(net, image)[None]  # (1, C, H, W)
    with net.evaluating():
        graph = net.graph(batch.shape)
    arrays = net.arrays()
    plan = Plan(graph, keep=tuple({value.name: None for value in _kept(graph)}))
    run = plan.run({next(iter(graph.inputs)): batch, **arrays})
    # Training changes parameters in place; a trace goes on showing the weights that it was made with.
    return Trace(graph, {name: array.copy() if name in arrays else array for name, array in run.items()})


def _kept(graph: Graph) -> Iterator[Value]:
    """Yield the image, every node's result, and the weights that cells are written out with."""
    yield from graph.inputs.values()
    for node in graph.nodes:
        yield node.outputs[0]
        if isinstance(node.op, Conv2d):
            yield from (value for value in node.inputs[1:] if value is not None)


def _as_input(net: Module, image: Any) -> Array:
    pillow = sys.modules.get("PIL.Image")
    if pillow is not None and isinstance(image, pillow.Image):
        return _prepared(net, image)
    array = np.array(image)
    dtype = next((parameter.reading.dtype for parameter in net.parameters()), np.dtype("float32"))
    if array.dtype != dtype:
        raise ShapeError(f"The image of a trace must be {dtype}; got {array.dtype}; convert it: .astype('{dtype}').")
    if array.ndim == 4:
        raise ShapeError(f"A trace is of one image (C, H, W); got a batch of shape {array.shape}; choose images[0].")
    if not np.isfinite(array).all():
        raise DataError("The pixels of the image must be finite; got NaN or infinity; replace them with np.nan_to_num.")
    return array


def _prepared(net: Module, image: Any) -> Array:
    from pellucid.data import Preprocessing

    if "preprocessing" not in net.metadata:
        raise ParameterError(
            "The network does not say how a picture becomes its input; give the image as a float32 array (C, H, W), "
            "or set net.metadata['preprocessing'] = dataset.preprocessing.as_dict()."
        )
    preprocessing = Preprocessing.from_dict(net.metadata["preprocessing"])
    return preprocessing.normalise(preprocessing.to_array(image))


def _read_only(array: Array) -> Array:
    view = array[...]
    view.flags.writeable = False
    return view
