"""One channel of a layer as the sum of what each input channel adds: map ⊛ kernel, map by map."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pellucid.errors import ParameterError
from pellucid.explain.trace import Trace
from pellucid.graph import Graph, Node, Plan, Value
from pellucid.ops import Conv2d, Flatten, Linear
from pellucid.types import Array, TensorType


@dataclass(frozen=True, slots=True, eq=False)
class Products:
    """What a channel of a convolution, or a unit that reads flattened maps, is the sum of.

    For each of n input channels: its map (h, w) in ``inputs``, its kernel (kh, kw) as it lies on the map, and the
    ``partials`` (H, W) that the engine makes of the two. Their sum and the ``bias`` are the channel's ``output``
    (H, W), but for rounding: ``error`` is the largest difference. ``source`` names what the maps are of, and
    ``channels`` are their numbers there. A unit's kernels are as large as the maps, its partials single numbers.
    """

    layer: str
    channel: int
    source: str
    channels: range
    inputs: Array
    kernels: Array
    partials: Array
    bias: float | None
    output: Array

    @property
    def error(self) -> float:
        """How far the sum of the partial maps and the bias is from the engine's own output, at most."""
        total = self.partials.sum(axis=0, dtype=np.float64) + (self.bias or 0.0)
        return float(abs(total - self.output).max())

    @property
    def strongest(self) -> list[int]:
        """The places of the inputs, those that change the output most first (by the partial map's mean square)."""
        power = np.square(self.partials.astype(np.float64)).mean(axis=(1, 2))
        return [int(place) for place in np.argsort(-power, kind="stable")]


def channel_products(trace: Trace, layer: str, channel: int) -> Products | None:
    """Split a channel of a convolution, or a unit that reads flattened maps, into its inputs' shares.

    The engine convolves each input map with its own kernel. None where the layer is of another kind. Raises
    ParameterError where there is no such layer or channel.

    >>> import pellucid as pel
    >>> net = pel.nn.Sequential({"conv": pel.nn.Conv2d(2, 1, 2, bias=False)})
    >>> net.load_state_dict({"conv.weight": [[[[1, 0], [0, 1]], [[0, 2], [0, 0]]]]})
    >>> image = np.float32([[[1, 2, 3], [4, 5, 6]], [[1, 0, 1], [0, 1, 0]]])
    >>> found = channel_products(pel.trace(net, image), "conv", 0)
    >>> found.partials.tolist(), found.output.tolist()
    ([[[6.0, 8.0]], [[0.0, 2.0]]], [[6.0, 10.0]])
    """
    node = trace.graph.layer(layer).node
    if node is None or not isinstance(node.op, Conv2d | Linear):
        return None
    source, weights, biases = node.inputs
    assert source is not None
    assert weights is not None
    weight, bias = trace.value(weights.name), None if biases is None else trace.value(biases.name)
    if not 0 <= channel < len(weight):
        raise ParameterError(f"The channel of '{layer}' must be 0 to {len(weight) - 1}; got {channel}.")
    name, op, kernels = source.name, node.op, weight[channel]
    if isinstance(op, Linear):
        flattened = _maps_before(node)
        if flattened is None:
            return None
        name, op, first = flattened.name, Conv2d(), 0
        kernels = kernels.reshape(flattened.shape[1:])
    else:
        first = channel // (len(weight) // op.groups) * len(kernels)
    maps = trace.value(name)[:, first : first + len(kernels)]
    partials = _convolved(replace(op, groups=len(kernels)), maps, kernels)
    output = trace[node.name].output[channel]
    return Products(
        layer=node.name,
        channel=channel,
        source=name,
        channels=range(first, first + len(kernels)),
        inputs=maps[0],
        kernels=kernels[:, ::-1, ::-1] if op.flip else kernels,
        partials=partials[0],
        bias=None if bias is None else float(bias[channel]),
        output=output if output.ndim else output.reshape(1, 1),
    )


def _maps_before(node: Node) -> Value | None:
    """Return the maps that were flattened for a dense layer; None where it reads something else."""
    before = node.inputs[0].node if node.inputs[0] is not None else None
    if before is None or not isinstance(before.op, Flatten) or before.inputs[0] is None:
        return None
    maps = before.inputs[0]
    return maps if maps.ndim == 4 and before.outputs[0].shape == (1, maps.type.size) else None


def _convolved(op: Conv2d, maps: Array, kernels: Array) -> Array:
    """Convolve each of (1, n, h, w) maps with its own of (n, kh, kw) kernels."""
    graph = Graph()
    arrays = {"x": np.ascontiguousarray(maps), "weight": np.ascontiguousarray(kernels[:, None])}
    x, weight = graph.input("x", TensorType.of(arrays["x"])), graph.parameter("weight", TensorType.of(arrays["weight"]))
    graph.outputs = {"y": graph.add(op, x, weight, None, name="y")}
    found: Array = Plan(graph).run(arrays)["y"]
    return found
