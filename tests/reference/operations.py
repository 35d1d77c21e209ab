"""One small example of every operation, for the tests that hold for all of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid import reference

Array = NDArray[Any]


class _Recorder:
    """The reference, which remembers what was asked of it."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # test collectors look for all kinds of attributes
            raise AttributeError(name)
        self.used.add(name)
        return getattr(reference, name)


ref = _Recorder()


@dataclass(frozen=True)
class Operation:
    """``forward(*inputs)`` returns y, ``backward(dy, y, *inputs)`` one gradient for each input."""

    forward: Callable[..., Array]
    backward: Callable[..., Sequence[Array]]
    shapes: Sequence[tuple[int, ...]]
    positive: bool = False

    def inputs(self, dtype: str = "float64") -> list[Array]:
        generator = np.random.default_rng(0)
        arrays = [generator.standard_normal(shape).astype(dtype) for shape in self.shapes]
        return [abs(array) + np.array(0.5, dtype) for array in arrays] if self.positive else arrays


OPERATIONS: dict[str, Operation] = {}


def _add(
    name: str,
    forward: Callable[..., Array],
    backward: Callable[..., Sequence[Array]],
    *shapes: tuple[int, ...],
    positive: bool = False,
) -> None:
    OPERATIONS[name] = Operation(forward, backward, shapes, positive)


def _convolutions() -> None:
    for border in ("zeros", "replicate", "reflect", "circular"):
        options = {
            "stride": (2, 1),
            "padding": ((2, 1), (0, 2)),
            "dilation": (1, 2),
            "groups": 2,
            "border": border,
            "flip": border == "circular",
        }
        _add(
            f"conv2d {border}",
            lambda x, w, b, options=options: ref.conv2d(x, w, b, **options),
            lambda dy, y, x, w, b, options=options: (
                ref.conv2d_backward_data(dy, w, x.shape, **options),
                ref.conv2d_backward_weight(dy, x, w.shape, **options),
                ref.bias_backward(dy),
            ),
            (2, 4, 4, 5),
            (4, 2, 3, 2),
            (4,),
        )
        padding = [(0, 0), (0, 1), (2, 1), (1, 2)] if border == "zeros" else [(1, 0), (0, 1), (2, 1), (1, 2)]
        _add(
            f"pad {border}",
            lambda x, padding=padding, mode=border: ref.pad(x, padding, mode=mode),
            lambda dy, y, x, padding=padding, mode=border: [ref.pad_backward(dy, x.shape, padding, mode=mode)],
            (2, 2, 3, 4),
        )
    transposed = {
        "stride": (2, 3),
        "padding": ((1, 0), (2, 1)),
        "output_padding": (1, 2),
        "dilation": (2, 1),
        "groups": 2,
    }
    _add(
        "conv_transpose2d",
        lambda x, w, b: ref.conv_transpose2d(x, w, b, **transposed),
        lambda dy, y, x, w, b: (
            ref.conv_transpose2d_backward_data(dy, w, x.shape, **transposed),
            ref.conv_transpose2d_backward_weight(dy, x, w.shape, **transposed),
            ref.bias_backward(dy),
        ),
        (2, 4, 2, 3),
        (4, 1, 2, 3),
        (2,),
    )
    _add(
        "linear",
        lambda x, w, b: ref.linear(x, w, b),
        lambda dy, y, x, w, b: (
            ref.linear_backward_data(dy, w),
            ref.linear_backward_weight(dy, x),
            ref.linear_backward_bias(dy),
        ),
        (2, 3, 4),
        (5, 4),
        (5,),
    )


def _pools() -> None:
    image = (2, 2, 5, 6)
    window = {"kernel": (3, 2), "stride": (2, 3), "ceil_mode": True}
    padded = {**window, "padding": ((1, 0), (0, 1))}
    _add(
        "max_pool2d",
        lambda x: ref.max_pool2d(x, **padded, dilation=(1, 2))[0],
        lambda dy, y, x: [ref.max_pool2d_backward(dy, ref.max_pool2d(x, **padded, dilation=(1, 2))[1], x.shape)],
        image,
    )
    for count_include_pad in (False, True):
        options = {**padded, "count_include_pad": count_include_pad}
        _add(
            f"avg_pool2d {count_include_pad}",
            lambda x, options=options: ref.avg_pool2d(x, **options),
            lambda dy, y, x, options=options: [ref.avg_pool2d_backward(dy, x.shape, **options)],
            image,
        )
    for norm in (1, 2, 3.5):
        _add(
            f"lp_pool2d {norm}",
            lambda x, norm=norm: ref.lp_pool2d(x, norm=norm, **window),
            lambda dy, y, x, norm=norm: [ref.lp_pool2d_backward(dy, x, y, norm=norm, **window)],
            image,
            positive=True,
        )
    _add(
        "adaptive_avg_pool2d",
        lambda x: ref.adaptive_avg_pool2d(x, output_size=(2, 7)),
        lambda dy, y, x: [ref.adaptive_avg_pool2d_backward(dy, x.shape, output_size=(2, 7))],
        image,
    )


def _activations() -> None:
    shape = (3, 4, 5)
    for name in ("relu", "sigmoid", "tanh"):  # gradients in terms of y
        _add(
            name,
            lambda x, name=name: getattr(ref, name)(x),
            lambda dy, y, x, name=name: [getattr(ref, f"{name}_backward")(dy, y)],
            shape,
        )
    for name, options in (
        ("leaky_relu", {"negative_slope": 0.1}),
        ("relu6", {}),
        ("elu", {"alpha": 1.5}),
        ("silu", {}),
        ("gelu", {"approximate": "none"}),
        ("gelu", {"approximate": "tanh"}),
        ("hardswish", {}),
        ("hardsigmoid", {}),
    ):
        _add(
            " ".join([name, *map(str, options.values())]),
            lambda x, name=name, options=options: getattr(ref, name)(4 * x, **options),
            lambda dy, y, x, name=name, options=options: [4 * getattr(ref, f"{name}_backward")(dy, 4 * x, **options)],
            shape,
        )
    for slopes in (1, 4):
        _add(
            f"prelu {slopes}",
            lambda x, w: ref.prelu(x, w),
            lambda dy, y, x, w: ref.prelu_backward(dy, x, w),
            shape,
            (slopes,),
        )
    for name in ("softmax", "log_softmax"):
        _add(
            name,
            lambda x, name=name: getattr(ref, name)(x, axis=1),
            lambda dy, y, x, name=name: [getattr(ref, f"{name}_backward")(dy, y, axis=1)],
            shape,
        )


def _norms() -> None:
    shape, c = (3, 4, 2, 3), (4,)
    _add(
        "batch_norm",
        lambda x, w, b: ref.batch_norm(x, w, b, eps=1e-3)[0],
        lambda dy, y, x, w, b: ref.batch_norm_backward(dy, x, w, *ref.batch_norm(x, w, b, eps=1e-3)[1:], eps=1e-3),
        shape,
        c,
        c,
    )

    def statistics(x: Array) -> tuple[Array, Array]:
        return np.linspace(-1, 1, 4, dtype=x.dtype), np.linspace(0.5, 2, 4, dtype=x.dtype)

    _add(
        "batch_norm_inference",
        lambda x, w, b: ref.batch_norm_inference(x, w, b, *statistics(x), eps=1e-3),
        lambda dy, y, x, w, b: ref.batch_norm_inference_backward(dy, x, w, *statistics(x), eps=1e-3),
        shape,
        c,
        c,
    )
    _add(
        "layer_norm",
        lambda x, w, b: ref.layer_norm(x, w, b, axes=2, eps=1e-3),
        lambda dy, y, x, w, b: ref.layer_norm_backward(dy, x, w, axes=2, eps=1e-3),
        shape,
        shape[2:],
        shape[2:],
    )
    _add(
        "group_norm",
        lambda x, w, b: ref.group_norm(x, w, b, groups=2, eps=1e-3),
        lambda dy, y, x, w, b: ref.group_norm_backward(dy, x, w, groups=2, eps=1e-3),
        shape,
        c,
        c,
    )
    _add(
        "instance_norm",
        lambda x, w, b: ref.instance_norm(x, w, b, eps=1e-3),
        lambda dy, y, x, w, b: ref.instance_norm_backward(dy, x, w, eps=1e-3),
        shape,
        c,
        c,
    )
    _add(
        "running_average",
        lambda running, batch: ref.running_average(running, batch, momentum=0.25, scale=1.5),
        lambda dy, y, running, batch: (0.75 * dy, 0.375 * dy),
        c,
        c,
    )
    response = {"size": 2, "alpha": 0.7, "beta": 0.75, "k": 1.5}
    _add(
        "local_response_norm",
        lambda x: ref.local_response_norm(x, **response),
        lambda dy, y, x: [ref.local_response_norm_backward(dy, x, **response)],
        shape,
    )
    key = np.array([1, 2], np.uint64)
    for per_channel in (False, True):
        options = {"p": 0.4, "salt": 3, "per_channel": per_channel}
        _add(
            f"dropout {per_channel}",
            lambda x, options=options: ref.dropout(x, key, **options)[0],
            lambda dy, y, x, options=options: [ref.dropout_backward(dy, ref.dropout(x, key, **options)[1], p=0.4)],
            shape,
        )


def _arrangements() -> None:
    _add(
        "pixel_shuffle",
        lambda x: ref.pixel_shuffle(x, factor=2),
        lambda dy, y, x: [ref.pixel_shuffle_backward(dy, factor=2)],
        (2, 8, 2, 3),
    )
    _add(
        "pixel_unshuffle",
        lambda x: ref.pixel_unshuffle(x, factor=2),
        lambda dy, y, x: [ref.pixel_shuffle(dy, factor=2)],
        (2, 2, 4, 6),
    )
    _add(
        "channel_shuffle",
        lambda x: ref.channel_shuffle(x, groups=2),
        lambda dy, y, x: [ref.channel_shuffle_backward(dy, groups=2)],
        (2, 6, 2),
    )
    for shape in ((3,), (3, 2, 3, 3), (3, 2, 4, 2, 2)):
        _add(
            f"orientations {len(shape)}",
            lambda x: ref.orientations(x),
            lambda dy, y, x: [ref.orientations_backward(dy, x.shape)],
            shape,
        )
    _add(
        "flatten",
        lambda x: ref.flatten(x, start=1, end=-1),
        lambda dy, y, x: [ref.reshape(dy, x.shape)],
        (2, 3, 4),
    )
    _add(
        "transpose",
        lambda x: ref.transpose(x, (2, 0, 1)),
        lambda dy, y, x: [ref.transpose(dy, (1, 2, 0))],
        (2, 3, 4),
    )
    _add(
        "concatenate",
        lambda a, b: ref.concatenate([a, b], axis=1),
        lambda dy, y, a, b: ref.concatenate_backward(dy, (3, 2), axis=1),
        (2, 3),
        (2, 2),
    )
    _add(
        "add",
        lambda a, b: ref.add(a, b),
        lambda dy, y, a, b: ref.add_backward(dy, a.shape, b.shape),
        (2, 1, 3),
        (4, 1),
    )
    _add(
        "multiply",
        lambda a, b: ref.multiply(a, b),
        lambda dy, y, a, b: ref.multiply_backward(dy, a, b),
        (2, 1, 3),
        (4, 1),
    )
    _add(
        "broadcast",
        lambda x: x + np.zeros((4, 1, 3), x.dtype),
        lambda dy, y, x: [ref.unbroadcast(dy, x.shape)],
        (2, 1),
    )
    for name, axes, keepdims in (("total", (0, -1), False), ("mean", (1,), True), ("mean", (-1, 0), False)):
        options = {"axes": axes, "keepdims": keepdims}
        _add(
            f"{name} {axes}",
            lambda x, name=name, options=options: getattr(ref, name)(x, **options),
            lambda dy, y, x, name=name, options=options: [getattr(ref, f"{name}_backward")(dy, x.shape, **options)],
            (2, 3, 4),
        )
    for size in ((7, 2), (3, 9)):
        _add(
            f"resize_nearest {size}",
            lambda x, size=size: ref.resize_nearest(x, size=size),
            lambda dy, y, x, size=size: [ref.resize_nearest_backward(dy, x.shape, size=size)],
            (2, 1, 3, 4),
        )
        for align_corners in (False, True):
            options = {"size": size, "align_corners": align_corners}
            _add(
                f"resize_bilinear {size} {align_corners}",
                lambda x, options=options: ref.resize_bilinear(x, **options),
                lambda dy, y, x, options=options: [ref.resize_bilinear_backward(dy, x.shape, **options)],
                (2, 1, 3, 4),
            )


def _losses() -> None:
    labels = np.random.default_rng(1).integers(0, 4, (5, 2))

    def weight(logits: Array) -> Array:
        return np.linspace(0.5, 2, 4, dtype=logits.dtype)

    for reduction in ("none", "sum", "mean"):
        for smoothing in (0.0, 0.3):
            options = {"label_smoothing": smoothing, "reduction": reduction}
            _add(
                f"cross_entropy {reduction} {smoothing}",
                lambda x, options=options: ref.cross_entropy(x, labels, weight(x), **options),
                lambda dy, y, x, options=options: [ref.cross_entropy_backward(dy, x, labels, weight(x), **options)],
                (5, 4, 2),
            )
        _add(
            f"mse {reduction}",
            lambda x, t, reduction=reduction: ref.mse(x, t, reduction=reduction),
            lambda dy, y, x, t, reduction=reduction: ref.mse_backward(dy, x, t, reduction=reduction),
            (3, 4),
            (3, 4),
        )
        for name in ("binary_cross_entropy", "binary_cross_entropy_with_logits"):
            # inputs 0.5 … 4 become probabilities 0.1 … 0.8
            def target(x: Array) -> Array:
                return np.linspace(0, 1, x.size, dtype=x.dtype).reshape(x.shape)

            _add(
                f"{name} {reduction}",
                lambda x, name=name, reduction=reduction: getattr(ref, name)(x / 5, target(x), reduction=reduction),
                lambda dy, y, x, name=name, reduction=reduction: [
                    getattr(ref, f"{name}_backward")(dy, x / 5, target(x), reduction=reduction) / 5
                ],
                (3, 4),
                positive=True,
            )


for _family in (_convolutions, _pools, _activations, _norms, _arrangements, _losses):
    _family()
