"""Small examples of every kind of operation, for the tests that hold for all of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid import ops
from pellucid.types import TensorType

Array = NDArray[Any]


@dataclass(frozen=True)
class Example:
    """An op, its inputs by name, and the inputs that have a gradient."""

    op: ops.Op
    inputs: dict[str, Array | None]
    wrt: tuple[str, ...]

    @property
    def types(self) -> ops.Types:
        return tuple(None if array is None else TensorType.of(array) for array in self.inputs.values())

    def __str__(self) -> str:
        return str(self.op)


def numbers(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def _example(op: ops.Op, *arrays: Array | None, wrt: tuple[str, ...] | None = None) -> Example:
    names = [f"parts{i}" for i in range(len(arrays))] if op.arguments[0] == "parts*" else op.arguments
    inputs = dict(zip(names, arrays, strict=True))
    return Example(op, inputs, wrt or tuple(name for name, array in inputs.items() if array is not None))


def _sliding() -> Iterator[Example]:
    x, weight = numbers(2, 4, 5, 6), numbers(6, 2, 3, 2)
    for border in ("zeros", "replicate", "reflect", "circular"):
        op = ops.Conv2d((2, 1), ((2, 1), (0, 2)), (1, 2), groups=2, border=border, flip=border == "circular")
        yield _example(op, x, weight, numbers(6))
    yield _example(ops.Conv2d(padding=((1, 1), (1, 1))), x, numbers(3, 4, 3, 3), None)
    yield _example(ops.Conv2d(groups=4), x, numbers(8, 1, 3, 3), numbers(8))
    transposed = ops.ConvTranspose2d((2, 3), ((1, 0), (2, 1)), (1, 2), (2, 1), groups=2)
    yield _example(transposed, numbers(2, 4, 2, 3), numbers(4, 1, 2, 3), numbers(2))
    yield _example(ops.ConvTranspose2d(), numbers(1, 2, 2, 3), numbers(2, 3, 2, 2), None)
    window = {"kernel": (3, 2), "stride": (2, 3), "ceil_mode": True}
    yield _example(ops.MaxPool2d(**window, padding=((1, 0), (0, 1)), dilation=(1, 2)), x)
    yield _example(ops.MaxPool2d((2, 3), (2, 3)), x)
    for count_include_pad in (False, True):
        yield _example(ops.AvgPool2d(**window, padding=((1, 0), (0, 1)), count_include_pad=count_include_pad), x)
    yield _example(ops.LPPool2d(2.5, **window), abs(x) + 0.5)
    yield _example(ops.AdaptiveAvgPool2d((2, 7)), x)


def _dense_and_activations() -> Iterator[Example]:
    yield _example(ops.Linear(), numbers(2, 3, 4), numbers(5, 4), numbers(5))
    yield _example(ops.Linear(), numbers(4), numbers(2, 4), None)
    x = 3 * numbers(3, 4, 2)
    for op in (
        ops.ReLU(),
        ops.LeakyReLU(0.3),
        ops.ReLU6(),
        ops.ELU(1.5),
        ops.Sigmoid(),
        ops.Tanh(),
        ops.SiLU(),
        ops.GELU(),
        ops.GELU("tanh"),
        ops.Hardswish(),
        ops.Hardsigmoid(),
        ops.Softmax(1),
        ops.LogSoftmax(2),
    ):
        yield _example(op, x)
    yield _example(ops.PReLU(), x, numbers(4))
    yield _example(ops.PReLU(), x, numbers(1))


def _norms() -> Iterator[Example]:
    x, weight, bias = numbers(3, 4, 2, 3), numbers(4), numbers(4, seed=1)
    affine = ("x", "weight", "bias")
    yield _example(ops.BatchNorm(1e-3, training=True), x, weight, bias, None, None)
    yield _example(ops.BatchNorm(1e-3), x, weight, bias, numbers(4, seed=2), abs(numbers(4, seed=3)), wrt=affine)
    yield _example(ops.BatchNorm(), x, None, None, numbers(4, seed=2), abs(numbers(4, seed=3)), wrt=("x",))
    yield Example(ops.RunningAverage(0.3, 1.5), {"running": weight, "batch": bias, "count": np.array(3)}, ())
    yield Example(ops.RunningAverage(None), {"running": weight, "batch": bias, "count": np.array(3)}, ())
    yield _example(ops.LayerNorm(2, 1e-3), x, numbers(2, 3), numbers(2, 3, seed=1))
    yield _example(ops.LayerNorm(1), x, None, None)
    yield _example(ops.GroupNorm(2, 1e-3), x, weight, bias)
    yield _example(ops.LocalResponseNorm(3, 0.5, 0.75, 2.0), x)
    key = np.array([1, 2], np.uint64)
    for per_channel in (False, True):
        op = ops.Dropout(0.4, 3, per_channel, training=True)
        yield Example(op, {"x": x, "key": key}, ("x",))
    yield Example(ops.Dropout(0.4), {"x": x, "key": None}, ("x",))


def _moves_and_sums() -> Iterator[Example]:
    x = numbers(2, 8, 4, 6)
    for mode in ("replicate", "reflect", "circular"):
        yield _example(ops.Pad(((0, 0), (0, 1), (2, 1), (1, 2)), mode), x)
    yield _example(ops.Pad(((0, 0), (0, 1), (2, 1), (1, 2)), value=-1.5), x)
    yield _example(ops.Reshape((0, -1)), x)
    yield _example(ops.Flatten(1, 2), x)
    yield _example(ops.Transpose((2, 0, 3, 1)), x)
    yield _example(ops.Slice(1, 2, 5), x)
    yield _example(ops.Concatenate(1), numbers(2, 3), numbers(2, 1), numbers(2, 2))
    yield _example(ops.PixelShuffle(2), x)
    yield _example(ops.PixelUnshuffle(2), x)
    yield _example(ops.ChannelShuffle(2), x)
    for shape in ((3,), (3, 2, 3, 3), (3, 2, 4, 2, 2)):
        yield _example(ops.Orientations(), numbers(*shape))
    yield _example(ops.Expand((2, 3, 4)), numbers(3, 1))
    yield _example(ops.Add(), numbers(2, 1, 3), numbers(4, 1))
    yield _example(ops.Multiply(), numbers(2, 1, 3), numbers(4, 1))
    yield _example(ops.Sum((0, 2)), x)
    yield _example(ops.Mean((1, 3), keepdims=True), x)
    yield _example(ops.Resize((7, 3)), x)
    yield _example(ops.Resize((7, 3), "bilinear"), x)
    yield _example(ops.Resize((3, 9), "bilinear", align_corners=True), x)


def _losses() -> Iterator[Example]:
    labels = np.array([[0, 3], [1, 2], [2, 0]])
    for reduction in ("mean", "sum", "none"):
        logits = {"logits": numbers(3, 4, 2), "labels": labels, "weight": abs(numbers(4))}
        yield Example(ops.CrossEntropy(0.2, reduction), logits, ("logits",))
        yield _example(ops.MSE(reduction), numbers(3, 4), numbers(3, 4, seed=1))
        chances = {"x": 1 / (1 + np.exp(-numbers(3, 4))), "target": 1 / (1 + np.exp(-numbers(3, 4, seed=1)))}
        yield Example(ops.BinaryCrossEntropy(reduction), chances, ("x",))
        logits = {"x": numbers(3, 4), "target": chances["target"]}
        yield Example(ops.BinaryCrossEntropyWithLogits(reduction), logits, ("x",))


def _backward(forward: Example) -> Iterator[Example]:
    """One example for each group of gradients that an op computes together."""
    op = forward.op
    if type(op).reference_backward is ops.Op.reference_backward:
        return
    results = dict(zip(op.results, op.reference(*forward.inputs.values()), strict=True))
    values = forward.inputs | results
    for group in op.gradient_groups():
        wrt = tuple(name for name in group if name in forward.wrt)
        if wrt:
            dy = np.asarray(np.cos(results[op.results[0]]))
            saved = {name: values[name] for name in op.saved(wrt)}
            yield Example(ops.Backward(op, wrt, forward.types), {"dy": dy, **saved}, ())


FORWARD = [*_sliding(), *_dense_and_activations(), *_norms(), *_moves_and_sums(), *_losses()]
EXAMPLES = FORWARD + [backward for forward in FORWARD for backward in _backward(forward)]
