"""Operations as functions, with PyTorch's names.

Each takes arrays and computes at once, or, inside a module's ``forward``, symbols, and adds a node to the graph.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from pellucid import ops
from pellucid.errors import ParameterError, ShapeError
from pellucid.graph import Graph, Plan, Value
from pellucid.nn import random, tracing
from pellucid.nn.parameter import Parameter
from pellucid.nn.settings import padding_cells, pair, target_size
from pellucid.ops import Op, modes
from pellucid.types import TensorType


def apply(op: Op, *inputs: Any) -> Any:
    """Add an op to the graph being traced, or compute it on arrays; returns the first result."""
    return apply_all(op, *inputs)[0]


def apply_all(op: Op, *inputs: Any) -> tuple[Any, ...]:
    """Like :func:`apply`; returns all results."""
    graph = _traced(inputs)
    if graph is not None:
        node = graph.add(op, *(_as_value(graph, value) for value in inputs)).node
        assert node is not None
        return node.outputs
    arrays = [value.reading if isinstance(value, Parameter) else value for value in inputs]
    arrays = [None if value is None else np.asarray(value) for value in arrays]
    plan = _plan(op, tuple(None if array is None else TensorType.of(array) for array in arrays), modes.changes())
    feeds = dict(zip(plan.graph.inputs, (array for array in arrays if array is not None), strict=True))
    results = plan.run(feeds)
    return tuple(results[name] for name in plan.keep)


@lru_cache(256)
def _plan(op: Op, types: ops.Types, changes: int) -> Plan:
    """Make the plan of one op, for the present modes. Raises ShapeError where the types do not fit."""
    try:
        op.checked_infer(types)
    except ShapeError as error:
        raise ShapeError(f"{op.kind} {error}") from None
    graph = Graph()
    values = [None if type_ is None else graph.input(f"x{index}", type_) for index, type_ in enumerate(types)]
    node = graph.add(op, *values).node
    assert node is not None
    return Plan(graph, keep=tuple(value.name for value in node.outputs))


def _traced(inputs: tuple[Any, ...]) -> Graph | None:
    """Return the graph that an op on these inputs belongs to, or None where they are arrays."""
    symbol = next((value for value in inputs if isinstance(value, Value)), None)
    if symbol is not None:
        return symbol.graph
    return tracing.active() if any(isinstance(value, Parameter) for value in inputs) else None


def _as_value(graph: Graph, value: Any) -> Value | None:
    if isinstance(value, Parameter):
        return tracing.lift(value)
    return value if value is None or isinstance(value, Value) else graph.constant(np.asarray(value))


def conv2d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    border: str = "zeros",
    flip: bool = False,
) -> Any:
    """Convolve images (N, C, H, W) with kernels (O, C/groups, KH, KW); returns (N, O, H', W').

    One image (C, H, W) or plane (H, W), and one kernel (KH, KW), are accepted too, and the result then has as few
    axes as the image. ``padding`` is a number of cells, a pair, ((top, bottom), (left, right)), "valid", "same" or
    "full"; ``border`` is "zeros", "replicate", "reflect" or "circular". Frameworks compute cross-correlation, and
    so does this; ``flip=True`` gives the convolution of mathematics. Raises ShapeError where shapes do not fit.

    >>> import numpy as np
    >>> step = np.array([[255, 255, 0, 0]] * 3, np.float32)
    >>> conv2d(step, np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32))
    array([[-1020., -1020.]], dtype=float32)
    """
    image, kernel, missing = x, weight, 0
    if _traced((x, weight)) is None:
        image = np.asarray(x)
        missing = 4 - image.ndim
        kernel = weight.data if isinstance(weight, Parameter) else np.asarray(weight)
        for name, array in (("images", image), ("kernels", kernel)):
            if not 2 <= array.ndim <= 4:
                raise ShapeError(f"conv2d needs {name} of 2 to 4 axes, got shape {array.shape}.")
        image, kernel = image[(None,) * missing], kernel[(None,) * (4 - kernel.ndim)]
    size = pair(kernel.shape[2:], "weight", "conv2d")
    stride, dilation = pair(stride, "stride", "conv2d"), pair(dilation, "dilation", "conv2d")
    cells = padding_cells(padding, size, stride, dilation, "conv2d")
    y = apply(ops.Conv2d(stride, cells, dilation, groups, border, flip), image, kernel, bias)
    for _ in range(missing):  # as few axes as the image, unless several filters need the channel axis
        y = y[0] if y.shape[0] == 1 else y
    return y


def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    """x·Wᵀ + b on the last axis."""
    return apply(ops.Linear(), x, weight, bias)


def relu(x: Any) -> Any:
    """max(0, x)."""
    return apply(ops.ReLU(), x)


def leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    """Return x where positive, negative_slope·x elsewhere."""
    return apply(ops.LeakyReLU(negative_slope), x)


def prelu(x: Any, weight: Any) -> Any:
    """Return x where positive, weight·x elsewhere."""
    return apply(ops.PReLU(), x, weight)


def relu6(x: Any) -> Any:
    """min(max(0, x), 6)."""
    return apply(ops.ReLU6(), x)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """Return x where positive, alpha·(eˣ − 1) elsewhere."""
    return apply(ops.ELU(alpha), x)


def sigmoid(x: Any) -> Any:
    """1 / (1 + e⁻ˣ)."""
    return apply(ops.Sigmoid(), x)


def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return apply(ops.Tanh(), x)


def silu(x: Any) -> Any:
    """x·sigmoid(x)."""
    return apply(ops.SiLU(), x)


def gelu(x: Any, approximate: str = "none") -> Any:
    """x·Φ(x), exact or by the "tanh" formula."""
    return apply(ops.GELU(approximate), x)


def hardswish(x: Any) -> Any:
    """x·ReLU6(x + 3) / 6."""
    return apply(ops.Hardswish(), x)


def hardsigmoid(x: Any) -> Any:
    """ReLU6(x + 3) / 6."""
    return apply(ops.Hardsigmoid(), x)


def softmax(x: Any, dim: int) -> Any:
    """eˣ / Σ eˣ along an axis."""
    return apply(ops.Softmax(ops.nth_axis(dim, x.ndim, "softmax")), x)


def log_softmax(x: Any, dim: int) -> Any:
    """Return x − log Σ eˣ along an axis."""
    return apply(ops.LogSoftmax(ops.nth_axis(dim, x.ndim, "log_softmax")), x)


def max_pool2d(
    x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
) -> Any:
    """Return the maximum of every window; the stride is the kernel size unless given."""
    return max_pool2d_with_indices(x, kernel_size, stride, padding, dilation, ceil_mode)[0]


def max_pool2d_with_indices(
    x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
) -> Any:
    """Return the maxima and their flat indices into each plane."""
    kernel, steps, gaps = _pooling("max_pool2d", kernel_size, stride, dilation)
    cells = padding_cells(padding, kernel, steps, gaps, "max_pool2d")
    return apply_all(ops.MaxPool2d(kernel, steps, cells, gaps, ceil_mode), x)


def avg_pool2d(
    x: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """Return the mean of every window; the stride is the kernel size unless given."""
    kernel, steps, gaps = _pooling("avg_pool2d", kernel_size, stride, 1)
    cells = padding_cells(padding, kernel, steps, gaps, "avg_pool2d")
    return apply(ops.AvgPool2d(kernel, steps, cells, ceil_mode, count_include_pad), x)


def lp_pool2d(x: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """(Σ xᵖ)^(1/p) of every window."""
    kernel, steps, _ = _pooling("lp_pool2d", kernel_size, stride, 1)
    return apply(ops.LPPool2d(norm_type, kernel, steps, ceil_mode), x)


def _pooling(owner: str, kernel: Any, stride: Any, dilation: Any) -> tuple[Any, Any, Any]:
    steps = kernel if stride is None else stride
    return pair(kernel, "kernel_size", owner), pair(steps, "stride", owner), pair(dilation, "dilation", owner)


def adaptive_avg_pool2d(x: Any, output_size: Any) -> Any:
    """Mean over windows chosen to give ``output_size``; 1 is global average pooling."""
    return apply(ops.AdaptiveAvgPool2d(pair(output_size, "output_size", "adaptive_avg_pool2d")), x)


def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Merge axes into one."""
    end = end_dim if end_dim == -1 else ops.nth_axis(end_dim, x.ndim, "flatten")
    return apply(ops.Flatten(ops.nth_axis(start_dim, x.ndim, "flatten"), end), x)


def cat(parts: Any, dim: int = 0) -> Any:
    """Lay arrays end to end along an axis."""
    return apply(ops.Concatenate(ops.nth_axis(dim, parts[0].ndim, "cat")), *parts)


def dropout(x: Any, p: float = 0.5, training: bool = True) -> Any:
    """In training, set a share p of the values to zero and scale the rest by 1/(1 − p)."""
    return _dropout(x, p, training, per_channel=False)


def dropout2d(x: Any, p: float = 0.5, training: bool = True) -> Any:
    """In training, set a share p of the channels to zero and scale the rest by 1/(1 − p)."""
    return _dropout(x, p, training, per_channel=True)


def _dropout(x: Any, p: float, training: bool, per_channel: bool) -> Any:
    key: Any
    if isinstance(x, Value):
        salt = sum(isinstance(node.op, ops.Dropout) for node in x.graph.nodes)
        key = tracing.dropout_key() if training else None
    else:
        salt, key = 0, random.next_key() if training else None
    return apply(ops.Dropout(p, salt, per_channel, training), x, key)


def pad(x: Any, pad: Any, mode: str = "constant", value: float = 0.0) -> Any:
    """Pad as PyTorch does: (left, right, top, bottom, …), the last axis first.

    ``mode`` is "constant" (of ``value``), "reflect", "replicate" or "circular".
    """
    if len(pad) % 2:
        raise ParameterError(f"The 'pad' parameter of pad must hold (before, after) for each axis; got {pad!r}.")
    pairs = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)][::-1]
    borders = ((0, 0),) * (x.ndim - len(pairs)) + tuple(pairs)
    return apply(ops.Pad(borders, "zeros" if mode == "constant" else mode, value), x)


def interpolate(
    x: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool = False
) -> Any:
    """Scale maps to a size, or by whole factors, nearest or bilinear."""
    return apply(
        ops.Resize(target_size(x.shape, size, scale_factor, tracing.here("interpolate")), mode, align_corners), x
    )


def pixel_shuffle(x: Any, upscale_factor: int) -> Any:
    """Turn groups of factor² channels into blocks of pixels."""
    return apply(ops.PixelShuffle(upscale_factor), x)


def pixel_unshuffle(x: Any, downscale_factor: int) -> Any:
    """Turn blocks of pixels into factor² channels."""
    return apply(ops.PixelUnshuffle(downscale_factor), x)


def channel_shuffle(x: Any, groups: int) -> Any:
    """Deal the channels of the groups out in turn."""
    return apply(ops.ChannelShuffle(groups), x)
