"""Feature maps of one run: which layers to look at, their channels in order, and what is known of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid import ops
from pellucid.analysis.receptive_field import ACTIVATIONS, plane_axes
from pellucid.errors import DataError, ParameterError
from pellucid.graph import Graph, Node, Value
from pellucid.nn import Module
from pellucid.nn.settings import is_integer
from pellucid.types import Array, Shape

if TYPE_CHECKING:
    from pellucid.explain.trace import Trace

ORDERS = ("index", "mean", "max")
"""By number, or those of the largest mean or the largest value first."""

_MANY = 8
"""Stages above which an overview takes the last of each size."""
_FINISHING = (*ACTIVATIONS, ops.Add, ops.BatchNorm, ops.ChannelShuffle, ops.Concatenate, ops.LocalResponseNorm)
"""What may follow a convolution within its stage."""


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """A layer's result on one image: ``values`` are maps (C, H, W), or numbers (C,) of a layer without places.

    ``order`` holds the chosen channels as they are to be shown.
    """

    layer: str
    op: str
    values: Array
    order: tuple[int, ...]

    @property
    def lows(self) -> Array:
        """Smallest value of each channel, (C,)."""
        return np.asarray(self._flat.min(axis=1))

    @property
    def highs(self) -> Array:
        """Largest value of each channel, (C,)."""
        return np.asarray(self._flat.max(axis=1))

    @property
    def means(self) -> Array:
        """Mean of each channel, float64 (C,)."""
        return np.asarray(self._flat.mean(axis=1, dtype=np.float64))

    @property
    def zeros(self) -> Array:
        """Share of each channel's cells that are 0, (C,)."""
        return np.asarray((self._flat == 0).mean(axis=1))

    @property
    def dead(self) -> tuple[int, ...]:
        """Channels whose map is 0 everywhere: after a ReLU, filters that this image does not move at all."""
        flat = self._flat
        return tuple(np.flatnonzero(~flat.any(axis=1)).tolist()) if flat.shape[1] > 1 else ()

    @property
    def _flat(self) -> Array:
        return self.values.reshape(len(self.values), -1)

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values: statistics of the chosen channels, in their order, without the maps."""
        columns = zip(self.lows, self.means, self.highs, self.zeros, strict=True)
        known = [dict(zip(("min", "mean", "max", "zeros"), map(float, numbers), strict=True)) for numbers in columns]
        return {
            "layer": self.layer,
            "op": self.op,
            "shape": list(self.values.shape),
            "dead": list(self.dead),
            "channels": [{"channel": channel, **known[channel]} for channel in self.order],
        }


def feature_maps(
    trace: Trace, layers: Sequence[str] | None = None, channels: Sequence[int] | None = None, by: str = "index"
) -> list[Maps]:
    """Read layers of a trace as maps.

    Parameters
    ----------
    trace
        One run on one image.
    layers
        Their names; by default :func:`stages`, which is what the convolutions end in, and the network's result.
    channels
        Which of every layer's channels to show; by default all.
    by
        Their order: "index", or "mean" or "max" for the largest first.

    Raises
    ------
    ParameterError
        If there is no such layer, channel or order, or a layer's result has no channels.
    DataError
        If a layer's result is not finite.

    Examples
    --------
    >>> import pellucid as pel
    >>> net = pel.nn.Sequential({"relu": pel.nn.ReLU()})
    >>> image = np.float32([[[-1, -2]], [[0, 3]], [[5, 1]]])
    >>> (found,) = feature_maps(pel.trace(net, image), ["relu"], by="mean")
    >>> found.order, found.highs.tolist(), found.dead
    ((2, 1, 0), [0.0, 3.0, 5.0], (0,))
    """
    if by not in ORDERS:
        raise ParameterError(f"The 'by' parameter of feature_maps must be one of {', '.join(ORDERS)}; got {by!r}.")
    names = list(dict.fromkeys(stages(trace.graph) if layers is None else layers))
    return [_read(trace, name, channels, by) for name in names]


def stages(graph: Graph) -> list[str]:
    """Name the layers that convolutions end in, and the network's result.

    A convolution's stage goes on through normalisation, activation, addition and concatenation up to what several
    layers read. Of more than eight stages there remain, for each size of maps, the last one that no path goes around.

    >>> import pellucid as pel
    >>> stages(pel.zoo.build("tiny").graph((1, 1, 28, 28)))
    ['relu1', 'relu2', 'fc']
    """
    axes, readers = plane_axes(graph), dict[str, list[Node]]()
    for node in graph.nodes:
        for value in node.inputs:
            if value is not None:
                readers.setdefault(value.name, []).append(node)
    ends = {_end(node, readers).name for node in graph.nodes if _learns(graph, node)}
    found = [node for node in graph.nodes if node.name in ends]
    if len(found) > _MANY:
        shared = _shared(graph, readers)
        last = {_plane(node.outputs[0], axes): node.name for node in found if node.name in shared}
        found = [node for node in found if node.name in last.values()]
    result = next(iter(graph.outputs.values())).node
    names = [node.name for node in found]
    return names if result is None or result.name in names else [*names, result.name]


def in_channels(graph: Graph, value: Value, batch: Array) -> Array:
    """Return results of a layer with their channels first: (N, C, H, W), or (N, C) of a layer without places.

    Raises ParameterError where they are neither images nor vectors.
    """
    axes = plane_axes(graph).get(value.name)
    if axes is not None:
        moved = np.moveaxis(batch, axes, (2, 3))
        return moved[:, :, 0, 0] if moved.shape[2:] == (1, 1) else moved
    if batch.ndim == 2:
        return batch
    raise ParameterError(
        f"The layer '{value.name}' gives {'×'.join(map(str, batch.shape[1:]))}, which are neither maps (C×H×W) nor a "
        "vector; choose another layer."
    )


def channel_count(net: Module, layer: str, shape: Shape) -> int:
    """Return how many channels a layer gives for images (C, H, W). Raises ParameterError where there is no such layer.

    >>> from pellucid import zoo
    >>> channel_count(zoo.build("tiny"), "relu2", (1, 28, 28))
    8
    """
    with net.evaluating():
        graph = net.graph((1, *shape))
    value = graph.layer(layer)
    return len(in_channels(graph, value, np.empty(value.shape, np.bool_))[0])


def chosen_channels(layer: str, count: int, channels: Sequence[int] | None) -> tuple[int, ...]:
    """Return the channels to show, each once. Raises ParameterError where one does not exist, or none is named."""
    if channels is None:
        return tuple(range(count))
    wrong = [channel for channel in channels if not is_integer(channel) or not 0 <= channel < count]
    if wrong or not len(channels):
        got = repr(wrong[0]) if wrong else "none"
        raise ParameterError(f"The channels of '{layer}' must be among 0 to {count - 1}; got {got}.")
    return tuple(dict.fromkeys(map(int, channels)))


def _read(trace: Trace, name: str, channels: Sequence[int] | None, by: str) -> Maps:
    layer, value = trace[name], trace.graph.layer(name)
    (values,) = in_channels(trace.graph, value, layer.output[None])
    if not np.isfinite(values).all():
        raise DataError(f"The results of '{name}' must be finite; got NaN or infinity; train the network anew.")
    found = Maps(name, layer.op, values, chosen_channels(name, len(values), channels))
    if by == "index":
        return found
    numbers = found.means if by == "mean" else found.highs
    order = sorted(found.order, key=lambda channel: -numbers[channel])  # stable: equal ones stay in order
    return Maps(name, layer.op, values, tuple(order))


def _end(node: Node, readers: dict[str, list[Node]]) -> Node:
    """Follow a node to the end of its stage."""
    while True:
        following = readers.get(node.outputs[0].name, [])
        if len(following) != 1 or not isinstance(following[0].op, _FINISHING):
            return node
        (node,) = following


def _learns(graph: Graph, node: Node) -> bool:
    """Whether a node is a convolution whose weights are not fixed."""
    weight = node.inputs[1] if isinstance(node.op, ops.Conv2d) else None
    return weight is not None and weight.name not in graph.constants and weight.name not in graph.buffers


def _shared(graph: Graph, readers: dict[str, list[Node]]) -> set[str]:
    """Name the nodes that all paths from the image to the result go through."""
    places = {node.name: place for place, node in enumerate(graph.nodes)}
    images = [value.name for value in graph.inputs.values()]
    depends, furthest, shared = set(images), -1, set[str]()
    for name in images:
        furthest = max([furthest, *(places[reader.name] for reader in readers.get(name, []))])
    for place, node in enumerate(graph.nodes):
        if not any(value is not None and value.name in depends for value in node.inputs):
            continue  # computed from weights alone
        if furthest <= place:
            shared.add(node.name)
        for value in node.outputs:
            depends.add(value.name)
            furthest = max([furthest, *(places[reader.name] for reader in readers.get(value.name, []))])
    return shared


def _plane(value: Value, axes: dict[str, tuple[int, int]]) -> tuple[int, ...]:
    return tuple(value.shape[axis] for axis in axes.get(value.name, ()))
