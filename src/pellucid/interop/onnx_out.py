"""Writing graphs as ONNX models, operator set 17 (https://onnx.ai/onnx/operators)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid import ops
from pellucid.errors import ParameterError, ShapeError
from pellucid.graph import Graph, Node, Value
from pellucid.ops.base import present
from pellucid.types import Array, Padding

if TYPE_CHECKING:
    import onnx

OPSET = 17
_IR_VERSION = 8

_BORDERS = {"zeros": "constant", "reflect": "reflect", "replicate": "edge"}
"""ONNX's names of borders."""

_Writer = Callable[["_Model", Node], None]


def to_onnx(graph: Graph, arrays: Mapping[str, Array]) -> onnx.ModelProto:
    """Return the graph as an ONNX model for its batch size; ``arrays`` are its parameters and buffers by name.

    Inputs and outputs keep the names of their values. Needs the package onnx (extra "onnx"). Raises ParameterError
    listing every operation that cannot be written, ShapeError where an array is missing.
    """
    from onnx import helper

    nodes, read = needed(graph)
    known = _known(graph, arrays, read)
    nodes = _folded(nodes, known)
    refused = [reason for node in nodes if (reason := _refuses(node, read))]
    if refused:
        raise ParameterError(f"ONNX models are not written with {'; '.join(refused)}.")
    model = _Model(known)
    for node in nodes:
        _WRITERS[type(node.op)](model, node)
    outputs = {value.name: value for value in graph.outputs.values()}
    inputs = [_declared(value) for value in graph.inputs.values()]
    body = helper.make_graph(model.nodes, "pellucid", inputs, list(map(_declared, outputs.values())), model.tensors)
    return helper.make_model(
        body, producer_name="pellucid", ir_version=_IR_VERSION, opset_imports=[helper.make_opsetid("", OPSET)]
    )


def _declared(value: Value) -> Any:
    from onnx import helper

    return helper.make_tensor_value_info(
        value.name, helper.np_dtype_to_tensor_dtype(np.dtype(value.dtype)), value.shape
    )


def needed(graph: Graph) -> tuple[list[Node], set[str]]:
    """Nodes that the outputs depend on, and the names of the values that these read or return.

    What only updates buffers is no part of a model.
    """
    names = {value.name for value in graph.outputs.values()}
    nodes = []
    for node in reversed(graph.nodes):
        if any(value.name in names for value in node.outputs):
            names |= {value.name for value in node.inputs if value is not None}
            nodes.append(node)
    return nodes[::-1], names


def _known(graph: Graph, arrays: Mapping[str, Array], read: set[str]) -> dict[str, Array]:
    """Constants, parameters and buffers that a model needs."""
    known = {name: array for name, array in graph.constants.items() if name in read}
    for name in (*graph.parameters, *graph.buffers):
        if name in read:
            if name not in arrays:
                raise ShapeError(f"The model needs an array for '{name}'; none was given.")
            known[name] = arrays[name]
    return known


def _folded(nodes: list[Node], known: dict[str, Array]) -> list[Node]:
    """Put kernels in all orientations, which ONNX has no operation for, in place of the base kernels."""
    turned = [node for node in nodes if isinstance(node.op, ops.Orientations) and _name(node.inputs[0]) in known]
    left = [node for node in nodes if node not in turned]
    for node in turned:
        (known[node.outputs[0].name],) = node.op.reference(known[_name(node.inputs[0])])
    read = {_name(value) for node in left for value in node.inputs}
    for node in turned:
        if _name(node.inputs[0]) not in read:
            known.pop(_name(node.inputs[0]), None)
    return left


class _Model:
    """The nodes and tensors written so far."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self.nodes: list[Any] = []
        self.tensors: list[Any] = []
        for name, array in arrays.items():
            self._store(name, array)

    def add(self, kind: str, node: Node, *inputs: str | Value | None, to: str | None = None, **attributes: Any) -> str:
        """Add an ONNX node; its result is the graph node's, or a step on the way there, named ``to``."""
        from onnx import helper

        names = [_name(value) for value in inputs]
        while names and not names[-1]:
            names.pop()
        result = node.outputs[0].name if to is None else f"{node.name}/{to}"
        self.nodes.append(helper.make_node(kind, names, [result], name=result, **attributes))
        return result

    def tensor(self, node: Node, name: str, array: Any) -> str:
        """Put an array into the model, under a name of the node's own."""
        return self._store(f"{node.name}/{name}", np.asarray(array))

    def _store(self, name: str, array: Array) -> str:
        from onnx import numpy_helper

        self.tensors.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name


def _name(value: str | Value | None) -> str:
    return value.name if isinstance(value, Value) else value or ""


def _refuses(node: Node, read: set[str]) -> str | None:
    """Say what of a node cannot be written, or None."""
    op = node.op
    if type(op) not in _WRITERS:
        return f"{op.kind} ('{node.name}')"
    if any(value.name in read for value in node.outputs[1:]):
        return f"the further results of {op.kind} ('{node.name}')"
    if isinstance(op, ops.Conv2d) and (op.border != "zeros" or op.flip):
        return f"{op} ('{node.name}'), whose border or flipped kernel ONNX does not know"
    if isinstance(op, ops.Pad) and op.mode not in _BORDERS:
        return f"{op} ('{node.name}'), whose border ONNX {OPSET} does not know"
    if isinstance(op, ops.Dropout | ops.BatchNorm) and op.training:
        hint = "switch to net.eval()" if len(node.inputs) < 4 or node.inputs[3] else "it keeps no running statistics"
        return f"{op.kind} ('{node.name}') in training; {hint}"
    if isinstance(op, ops.AdaptiveAvgPool2d) and op.window(present(node.types)) is None:
        return f"{op} ('{node.name}'), whose windows differ"
    if isinstance(op, ops.AvgPool2d) and op.ceil_mode:
        return f"{op} ('{node.name}'), whose last windows ONNX counts otherwise"
    return None


def _simple(kind: str, **renamed: str) -> _Writer:
    """Write one node of the same inputs; attributes take ONNX's names."""

    def write(model: _Model, node: Node) -> None:
        attributes = {theirs: getattr(node.op, ours) for theirs, ours in renamed.items()}
        model.add(kind, node, *node.inputs, **attributes)

    return write


def _pads(padding: Padding) -> list[int]:
    (top, bottom), (left, right) = padding
    return [top, left, bottom, right]


def _conv(model: _Model, node: Node) -> None:
    op: Any = node.op
    more: dict[str, Any] = {"output_padding": op.output_padding} if isinstance(op, ops.ConvTranspose2d) else {}
    model.add(
        "ConvTranspose" if more else "Conv",
        node,
        *node.inputs,
        strides=op.stride,
        pads=_pads(op.padding),
        dilations=op.dilation,
        group=op.groups,
        **more,
    )


def _pool(model: _Model, node: Node) -> None:
    op: Any = node.op
    shape = {"kernel_shape": op.kernel, "strides": op.stride, "pads": _pads(op.padding)}
    if isinstance(op, ops.MaxPool2d):
        model.add("MaxPool", node, *node.inputs, **shape, dilations=op.dilation, ceil_mode=int(op.ceil_mode))
    else:
        model.add("AveragePool", node, *node.inputs, **shape, count_include_pad=int(op.count_include_pad))


def _adaptive(model: _Model, node: Node) -> None:
    (x,), (y,) = node.inputs, node.outputs
    assert x is not None
    if y.shape[2:] == (1, 1):
        model.add("GlobalAveragePool", node, x)
        return
    kernel = x.shape[2] // y.shape[2], x.shape[3] // y.shape[3]
    model.add("AveragePool", node, x, kernel_shape=kernel, strides=kernel)


def _linear(model: _Model, node: Node) -> None:
    x, weight, bias = node.inputs
    assert x is not None
    if x.ndim == 2:
        model.add("Gemm", node, x, weight, bias, transB=1)
        return
    across = model.add("Transpose", node, weight, to="weight", perm=(1, 0))
    if bias is None:
        model.add("MatMul", node, x, across)
    else:
        model.add("Add", node, model.add("MatMul", node, x, across, to="product"), bias)


def _batch_norm(model: _Model, node: Node) -> None:
    op: Any = node.op
    x, weight, bias, mean, variance = node.inputs
    assert x is not None
    plain = {"weight": np.ones, "bias": np.zeros}
    scale, shift = (
        value if value is not None else model.tensor(node, name, plain[name](x.shape[1], x.dtype))
        for name, value in (("weight", weight), ("bias", bias))
    )
    model.add("BatchNormalization", node, x, scale, shift, mean, variance, epsilon=op.eps)


def _relu6(model: _Model, node: Node) -> None:
    dtype = node.outputs[0].dtype
    low, high = (model.tensor(node, name, np.array(bound, dtype)) for name, bound in (("low", 0), ("high", 6)))
    model.add("Clip", node, *node.inputs, low, high)


def _hardsigmoid(model: _Model, node: Node) -> None:
    model.add("HardSigmoid", node, *node.inputs, alpha=1 / 6, beta=0.5)


def _hardswish(model: _Model, node: Node) -> None:
    gate = model.add("HardSigmoid", node, *node.inputs, to="gate", alpha=1 / 6, beta=0.5)
    model.add("Mul", node, *node.inputs, gate)


def _silu(model: _Model, node: Node) -> None:
    gate = model.add("Sigmoid", node, *node.inputs, to="gate")
    model.add("Mul", node, *node.inputs, gate)


def _reshape(model: _Model, node: Node) -> None:
    """Write the shape as it is: 0 and −1 mean in ONNX what they mean here. A flattening keeps its leading axes."""
    op: Any = node.op
    shape = op.shape if isinstance(op, ops.Reshape) else (0,) * op.start + node.outputs[0].shape[op.start :]
    model.add("Reshape", node, *node.inputs, model.tensor(node, "shape", np.array(shape, np.int64)))


def _pad(model: _Model, node: Node) -> None:
    op: Any = node.op
    before, after = zip(*op.padding, strict=True)
    pads = model.tensor(node, "pads", np.array(before + after, np.int64))
    value = model.tensor(node, "value", np.array(op.value, node.outputs[0].dtype)) if op.value else None
    model.add("Pad", node, *node.inputs, pads, value, mode=_BORDERS[op.mode])


def _dropout(model: _Model, node: Node) -> None:
    model.add("Identity", node, node.inputs[0])


def _mean(model: _Model, node: Node) -> None:
    op: Any = node.op
    model.add("ReduceMean", node, *node.inputs, axes=op.axes, keepdims=int(op.keepdims))


_WRITERS: dict[type, _Writer] = {
    ops.AdaptiveAvgPool2d: _adaptive,
    ops.Add: _simple("Add"),
    ops.AvgPool2d: _pool,
    ops.BatchNorm: _batch_norm,
    ops.Concatenate: _simple("Concat", axis="axis"),
    ops.Conv2d: _conv,
    ops.ConvTranspose2d: _conv,
    ops.Dropout: _dropout,
    ops.Flatten: _reshape,
    ops.Hardsigmoid: _hardsigmoid,
    ops.Hardswish: _hardswish,
    ops.LeakyReLU: _simple("LeakyRelu", alpha="negative_slope"),
    ops.Linear: _linear,
    ops.LogSoftmax: _simple("LogSoftmax", axis="axis"),
    ops.MaxPool2d: _pool,
    ops.Mean: _mean,
    ops.Multiply: _simple("Mul"),
    ops.Pad: _pad,
    ops.ReLU: _simple("Relu"),
    ops.ReLU6: _relu6,
    ops.Reshape: _reshape,
    ops.SiLU: _silu,
    ops.Sigmoid: _simple("Sigmoid"),
    ops.Softmax: _simple("Softmax", axis="axis"),
    ops.Tanh: _simple("Tanh"),
    ops.Transpose: _simple("Transpose", perm="permutation"),
}
