"""Our graphs as PyTorch modules: straight-line code of ``torch.nn.functional``, with the same weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from torch import fx

from pellucid import ops
from pellucid.errors import ParameterError
from pellucid.graph import Graph, Node, Value
from pellucid.interop.onnx_out import needed
from pellucid.types import Array, Padding, Pair

_Rule: TypeAlias = Callable[["_Module", Node], Any]


def to_torch(graph: Graph, arrays: Mapping[str, Array], *, fold: bool = False) -> Any:
    """Return a module that computes the graph's only output from its input; ``arrays`` are copied.

    Its parameters bear the graph's names, see :func:`parameter_name`. ``fold`` multiplies the scale of a batch
    normalisation after a convolution, at inference, into its weights. Raises ParameterError naming the operations
    that it has no rule for.
    """
    nodes, _ = needed(graph)
    unknown = sorted({node.op.kind for node in nodes if type(node.op) not in _RULES})
    if unknown:
        raise ParameterError(f"There is no rule for PyTorch for {', '.join(unknown)}.")
    module = _Module(graph, nodes, arrays)
    for node in nodes:
        result = node.outputs[0].name
        following = module.only_reader(node)
        if fold and type(node.op) is ops.Conv2d and following and isinstance(following.op, ops.BatchNorm):
            module.values[following.outputs[0].name] = _conv_and_norm(module, node, following)
        elif result not in module.values:
            module.values[result] = _RULES[type(node.op)](module, node)
    (output,) = graph.outputs.values()
    module.code.output(module.values[output.name])
    return fx.GraphModule(module.root, module.code)


def parameter_name(name: str) -> str:
    """Name of a parameter in the module.

    >>> parameter_name("layer1.0.conv1.weight")
    'layer1_0_conv1_weight'
    """
    return name.replace(".", "_")


class _Module:
    """A module under construction: its code, and what each value of the graph is in it."""

    def __init__(self, graph: Graph, nodes: list[Node], arrays: Mapping[str, Array]) -> None:
        self.root, self.code = torch.nn.Module(), fx.Graph()
        self.code.owning_module = self.root
        self.graph, self.arrays = graph, {**graph.constants, **arrays}
        self.values: dict[str, Any] = {name: self.code.placeholder(name) for name in graph.inputs}
        self.readers: dict[str, list[Node]] = {}
        for node in nodes:
            for value in node.inputs:
                if value is not None:
                    self.readers.setdefault(value.name, []).append(node)

    def call(self, function: Any, *arguments: Any, **settings: Any) -> Any:
        """Add a call; values of the graph are looked up."""
        return self.code.call_function(function, tuple(map(self.get, arguments)), settings)

    def get(self, value: Any) -> Any:
        """Find what a value is in the module, putting parameters into it when first used."""
        if isinstance(value, list):
            return [self.get(item) for item in value]
        if not isinstance(value, Value):
            return value
        if value.name not in self.values:
            trained = value.name in self.graph.parameters
            self.values[value.name] = self.put(value.name, self.arrays[value.name], trained)
        return self.values[value.name]

    def put(self, name: str, array: Array, trained: bool) -> Any:
        """Put an array into the module."""
        name, tensor = parameter_name(name), torch.from_numpy(np.array(array))
        if trained:
            self.root.register_parameter(name, torch.nn.Parameter(tensor))
        else:
            self.root.register_buffer(name, tensor)
        return self.code.get_attr(name)

    def only_reader(self, node: Node) -> Node | None:
        """Return the one node that reads a node's result, if it is one and the result is not an output."""
        name = node.outputs[0].name
        readers = self.readers.get(name, [])
        returned = any(value.name == name for value in self.graph.outputs.values())
        return readers[0] if len(readers) == 1 and not returned else None


def _conv_and_norm(module: _Module, conv: Node, norm: Node) -> Any:
    """Emit both as one convolution: w·γ/σ and (b − μ)·γ/σ + β."""
    weight, bias = (None if value is None else module.arrays[value.name] for value in conv.inputs[1:])
    gamma, beta, mean, variance = (None if v is None else module.arrays[v.name] for v in norm.inputs[1:])
    assert weight is not None
    assert mean is not None
    assert variance is not None
    scale = (1.0 if gamma is None else gamma) / np.sqrt(variance + norm.op.eps)  # type: ignore[attr-defined]
    shift = ((0.0 if bias is None else bias) - mean) * scale + (0.0 if beta is None else beta)
    folded = {"weight": weight * scale[:, None, None, None], "bias": shift}
    tensors = (module.put(f"{conv.name}.folded.{name}", a.astype(weight.dtype), True) for name, a in folded.items())
    return _conv(module, conv, *tensors)


def _conv(module: _Module, node: Node, *folded: Any) -> Any:
    op: Any = node.op
    x, *weights = node.inputs
    padding = _symmetric(op.padding)
    source: Any = x
    if op.border != "zeros" or padding is None:
        source = _pad(module, x, op.padding, mode="constant" if op.border == "zeros" else op.border)
        padding = (0, 0)
    settings = {"stride": op.stride, "padding": padding, "dilation": op.dilation, "groups": op.groups}
    return module.call(F.conv2d, source, *(folded or weights), **settings)


def _conv_transpose(module: _Module, node: Node) -> Any:
    op: Any = node.op
    settings = {name: getattr(op, name) for name in ("stride", "output_padding", "dilation", "groups")}
    return module.call(F.conv_transpose2d, *node.inputs, padding=_asked(op), **settings)


def _max_pool(module: _Module, node: Node) -> Any:
    op: Any = node.op
    source: Any = node.inputs[0]
    padding = _symmetric(op.padding)
    if padding is None:
        source, padding = _pad(module, source, op.padding, value=float("-inf")), (0, 0)
    return module.call(F.max_pool2d, source, op.kernel, op.stride, padding, op.dilation, op.ceil_mode)


def _avg_pool(module: _Module, node: Node) -> Any:
    op: Any = node.op
    return module.call(
        F.avg_pool2d, node.inputs[0], op.kernel, op.stride, _asked(op), op.ceil_mode, op.count_include_pad
    )


def _batch_norm(module: _Module, node: Node) -> Any:
    op: Any = node.op
    x, weight, bias, *running = node.inputs
    if op.training:
        running = [_remembered(module.graph, batch) for batch in node.outputs[1:]]
    return module.call(F.batch_norm, x, *running, weight, bias, op.training, op.momentum, op.eps)


def _remembered(graph: Graph, batch: Value) -> Value | None:
    """Find the buffer that keeps a statistic of the batch in mind."""
    updates = (value.node for value in graph.updates.values() if value.node is not None)
    return next((node.inputs[0] for node in updates if batch in node.inputs), None)


def _relu(module: _Module, node: Node) -> Any:
    """Work in place where nobody else, gradients included, needs what went in: as hand-written modules do."""
    (x,) = node.inputs
    assert x is not None
    source = x.node
    forgets = source is not None and isinstance(source.op, ops.Conv2d | ops.BatchNorm | ops.Linear | ops.Add)
    alone = forgets and source is not None and module.only_reader(source) is node
    return module.call(F.relu if isinstance(node.op, ops.ReLU) else F.relu6, x, inplace=alone)


def _dropout(module: _Module, node: Node) -> Any:
    op: Any = node.op
    if not op.training:
        return module.get(node.inputs[0])
    return module.call(F.dropout2d if op.per_channel else F.dropout, node.inputs[0], op.p, True)


def _reshape(module: _Module, node: Node) -> Any:
    return module.call(torch.reshape, node.inputs[0], node.outputs[0].shape)


def _concatenate(module: _Module, node: Node) -> Any:
    op: Any = node.op
    return module.call(torch.cat, list(node.inputs), op.axis)


def _plain(function: Any, *attributes: str) -> _Rule:
    """Call a function on the same inputs and the op's attributes."""

    def rule(module: _Module, node: Node) -> Any:
        return module.call(function, *node.inputs, *(getattr(node.op, name) for name in attributes))

    return rule


def _symmetric(padding: Padding) -> Pair | None:
    """(rows, columns) of padding that is alike on opposite sides."""
    (top, bottom), (left, right) = padding
    return (top, left) if top == bottom and left == right else None


def _asked(op: Any) -> Pair:
    padding = _symmetric(op.padding)
    if padding is None:
        raise ParameterError(f"PyTorch knows no {op.kind} with a padding of {op.padding}.")
    return padding


def _pad(module: _Module, x: Any, padding: Padding, **settings: Any) -> Any:
    (top, bottom), (left, right) = padding
    return module.call(F.pad, x, (left, right, top, bottom), **settings)


_RULES: dict[type, _Rule] = {
    ops.AdaptiveAvgPool2d: _plain(F.adaptive_avg_pool2d, "output_size"),
    ops.Add: _plain(torch.add),
    ops.AvgPool2d: _avg_pool,
    ops.BatchNorm: _batch_norm,
    ops.ChannelShuffle: _plain(torch.channel_shuffle, "groups"),
    ops.Concatenate: _concatenate,
    ops.Conv2d: _conv,
    ops.ConvTranspose2d: _conv_transpose,
    ops.Dropout: _dropout,
    ops.Flatten: _reshape,
    ops.Hardsigmoid: _plain(F.hardsigmoid),
    ops.Hardswish: _plain(F.hardswish),
    ops.LeakyReLU: _plain(F.leaky_relu, "negative_slope"),
    ops.Linear: _plain(F.linear),
    ops.LogSoftmax: _plain(torch.log_softmax, "axis"),
    ops.MaxPool2d: _max_pool,
    ops.Mean: _plain(torch.mean, "axes", "keepdims"),
    ops.Multiply: _plain(torch.mul),
    ops.ReLU: _relu,
    ops.ReLU6: _relu,
    ops.Reshape: _reshape,
    ops.SiLU: _plain(F.silu),
    ops.Sigmoid: _plain(torch.sigmoid),
    ops.Softmax: _plain(torch.softmax, "axis"),
    ops.Tanh: _plain(torch.tanh),
    ops.Transpose: _plain(torch.permute, "permutation"),
}
