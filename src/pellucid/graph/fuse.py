"""Fusion: nodes that follow each other become one, where a kernel computes both and nobody reads what is between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from pellucid.graph.graph import Node, Value
from pellucid.ops import Add, Backward, BatchNorm, Conv2d, Linear, MaxPool2d, ReLU
from pellucid.ops.fused import BOUNDS, Curve, FoldBatchNorm, Fused, FusedPool, MaskedBackward, accepted
from pellucid.ops.pointwise_depthwise import PointwiseDepthwise
from pellucid.types import TensorType


def fuse(nodes: list[Node], wanted: Iterable[str]) -> list[Node]:
    """Return nodes, in running order, that compute the same wanted values in fewer passes over memory."""
    kept = set(wanted)
    for rewrite in (
        _mask_before_unpooling,
        _fold_batch_norm,
        _add_residual,
        _bend,
        _cut_off,
        _filter_each,
        _pool,
        _mask_gradient,
    ):
        nodes = _Rewriting(nodes, kept).apply(rewrite)
    return nodes


class _Rewriting:
    """One pass over the nodes: who made each value, and who reads it."""

    def __init__(self, nodes: list[Node], wanted: set[str]) -> None:
        self.nodes, self.wanted = nodes, wanted
        self.makers = {value.name: node for node in nodes for value in node.outputs}
        self.readers = Counter(value.name for node in nodes for value in node.inputs if value is not None)
        self.gone: set[int] = set()

    def apply(self, rewrite: Callable[[_Rewriting, Node], list[Node] | None]) -> list[Node]:
        """Rewrite every node; a rewriting stands where the last of the nodes that it replaces stood."""
        results: list[tuple[Node, list[Node]]] = []
        for node in self.nodes:
            made = rewrite(self, node)
            results.append((node, [node] if made is None else made))
            for new in made or ():
                self.makers |= {value.name: new for value in new.outputs}
        return [new for old, made in results if id(old) not in self.gone for new in made]

    def sole_maker(self, value: Value | None) -> Node | None:
        """Return the node that made a value, if only one node reads it and nobody outside does."""
        if value is None or value.name in self.wanted or self.readers[value.name] != 1:
            return None
        node = self.makers.get(value.name)
        return None if node is None or value is not node.outputs[0] or id(node) in self.gone else node

    def drop(self, node: Node) -> None:
        """Leave a node out: another does its work."""
        self.gone.add(id(node))


def _mask_before_unpooling(rewriting: _Rewriting, node: Node) -> list[Node] | None:
    """ReLU then pooling, backwards: mask the few slopes of the pooled cells, then spread them.

    The winner of a window is above 0 where the pooled value is, which is the same number.
    """
    if not _is_backward(node, ReLU):
        return None
    slope, y = node.inputs
    spread = rewriting.sole_maker(slope)
    if spread is None or y is None or not _is_backward(spread, MaxPool2d):
        return None
    dy, indices = spread.inputs
    pool = rewriting.makers.get(indices.name) if indices is not None else None
    if dy is None or pool is None or pool.inputs[0] is not y:
        return None
    pooled = pool.outputs[0]
    masked = Value(dy.graph, f"{node.name}:pooled", dy.type)
    relu = Backward(ReLU(), ("x",), (pooled.type,))
    rewriting.drop(spread)
    return [
        Node(masked.name, relu, (dy, pooled), (masked,)),
        Node(node.name, spread.op, (masked, indices), node.outputs),
    ]


def _fold_batch_norm(rewriting: _Rewriting, node: Node) -> list[Node] | None:
    """Let a convolution do the batch normalisation that follows, by changed weights."""
    op = node.op
    if not isinstance(op, BatchNorm) or op.training:
        return None
    conv = rewriting.sole_maker(node.inputs[0])
    if conv is None or not (isinstance(conv.op, Conv2d) or (isinstance(conv.op, Linear) and conv.outputs[0].ndim == 2)):
        return None  # of rows of rows it is not the last axis that is normalised
    x, weight, bias = conv.inputs
    assert x is not None
    assert weight is not None
    statistics = node.inputs[1:]
    channels = TensorType((node.outputs[0].shape[1],), x.dtype)
    folded = (
        Value(x.graph, f"{node.name}:weight", weight.type),
        Value(x.graph, f"{node.name}:bias", channels),
    )
    rewriting.drop(conv)
    return [
        Node(f"{node.name}:fold", FoldBatchNorm(op.eps), (weight, bias, *statistics), folded),
        Node(node.name, conv.op, (x, *folded), node.outputs),
    ]


def _add_residual(rewriting: _Rewriting, node: Node) -> list[Node] | None:
    """Let a convolution add what is added to its result."""
    if not isinstance(node.op, Add) or any(
        value is None or value.type != node.outputs[0].type for value in node.inputs
    ):
        return None
    first, second = node.inputs
    for value, other in ((first, second), (second, first)):
        conv = rewriting.sole_maker(value)
        if conv is not None and isinstance(conv.op, Conv2d) and value is not other:
            return _fused(rewriting, conv, node, Fused(conv.op), (*conv.inputs, other, None))
    return None


def _bend(rewriting: _Rewriting, node: Node) -> list[Node] | None:
    """Let a convolution do the activation that follows."""
    maker = rewriting.sole_maker(node.inputs[0]) if isinstance(node.op, Curve) else None
    if maker is None or not isinstance(node.op, Curve):
        return None
    slope = node.inputs[1] if len(node.inputs) > 1 else None
    if isinstance(maker.op, Fused) and maker.op == Fused(maker.op.of):  # nothing else is done at its end yet
        return _fused(rewriting, maker, node, replace(maker.op, curve=node.op), (*maker.inputs[:4], slope))
    if isinstance(maker.op, Conv2d):
        return _fused(rewriting, maker, node, Fused(maker.op, curve=node.op), (*maker.inputs, None, slope))
    return None


def _cut_off(rewriting: _Rewriting, node: Node) -> list[Node] | None:
    """Let a convolution or dense layer do the ReLU that follows."""
    bounds = BOUNDS.get(type(node.op))
    maker = rewriting.sole_maker(node.inputs[0]) if bounds else None
    if bounds is None or maker is None:
        return None
    low, high = bounds
    if isinstance(maker.op, Fused):
        first = maker.op
        both = replace(first, low=min(max(first.low, low), high), high=min(max(first.high, low), high))
        return _fused(rewriting, maker, node, both, maker.inputs)
    if isinstance(maker.op, Conv2d | Linear):
        return _fused(rewriting, maker, node, Fused(maker.op, low, high), (*maker.inputs, None, None))
    return None


def _filter_each(rewriting: _Rewriting, node: Node) -> list[Node] | None:
    """Let a convolution of single cells do the depthwise one that follows."""
    second, maker = _alone(node), rewriting.sole_maker(node.inputs[0])
    first = _alone(maker) if maker is not None and second is not None else None
    if maker is None or first is None or second is None:
        return None
    return _fused(rewriting, maker, node, PointwiseDepthwise(first, second), (*maker.inputs[:3], *node.inputs[1:3]))


def _alone(node: Node) -> Fused | None:
    """Return a convolution with what it does at its end, if that reads nothing more."""
    if isinstance(node.op, Conv2d):
        return Fused(node.op)
    is_alone = isinstance(node.op, Fused) and isinstance(node.op.of, Conv2d) and node.inputs[3:] == (None, None)
    return node.op if is_alone and isinstance(node.op, Fused) else None


def _pool(rewriting: _Rewriting, node: Node) -> list[Node] | None:
    """Let a convolution, with the ReLU that it does, do the pooling that follows."""
    op = node.op
    maker = rewriting.sole_maker(node.inputs[0]) if isinstance(op, MaxPool2d) and _tiles(op) else None
    if maker is None or not isinstance(op, MaxPool2d):
        return None
    if isinstance(maker.op, Conv2d):
        return _fused(rewriting, maker, node, FusedPool(maker.op, op), maker.inputs)
    if isinstance(maker.op, Fused) and isinstance(maker.op.of, Conv2d) and maker.op.only_cuts(maker.types):
        pooled = FusedPool(maker.op.of, op, maker.op.low, maker.op.high)
        return _fused(rewriting, maker, node, pooled, maker.inputs[:3])
    return None


def _tiles(op: MaxPool2d) -> bool:
    """Whether the windows are 2×2 cells side by side."""
    return op.kernel == op.stride == (2, 2) and op.padding == ((0, 0), (0, 0)) and op.dilation == (1, 1)


def _mask_gradient(rewriting: _Rewriting, node: Node) -> list[Node] | None:
    """Let the gradient of a convolution's data do that of the ReLU before it."""
    if not _is_backward(node, ReLU):
        return None
    slope, y = node.inputs
    maker = rewriting.sole_maker(slope)
    if maker is None or not isinstance(maker.op, Backward) or maker.op.wrt != ("x",):
        return None
    if not isinstance(maker.op.of, Conv2d):
        return None
    return _fused(rewriting, maker, node, MaskedBackward(maker.op), (*maker.inputs, y))


def _fused(
    rewriting: _Rewriting,
    first: Node,
    last: Node,
    op: Fused | FusedPool | MaskedBackward | PointwiseDepthwise,
    inputs: tuple[Value | None, ...],
) -> list[Node] | None:
    """Return the node for both, if a kernel computes it."""
    node = Node(last.name, op, inputs, last.outputs)
    if not accepted(op, node.types):
        return None
    rewriting.drop(first)
    return [node]


def _is_backward(node: Node, kind: type) -> bool:
    return isinstance(node.op, Backward) and isinstance(node.op.of, kind)
