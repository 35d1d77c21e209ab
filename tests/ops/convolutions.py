"""Convolutions and dense layers with numbers for them, and the kernels that they are expected to take."""

from contextlib import contextmanager
from dataclasses import dataclass
from unittest import mock

import numpy as np

from pellucid import ops
from pellucid.kernels.host import host
from pellucid.ops import convolve
from pellucid.types import TensorType
from tests.comparison import assert_matches
from tests.ops.running import run

W = host().width
ROWS, VECTORS = host().tile
LEAST = 16
"""Channels and filters from which on Winograd's algorithm serves."""
WRT = ("x", "weight", "bias")
NODES = {"y": "op", "dx": "d.op.x", "dweight": "d.op.weight.bias", "dbias": "d.op.weight.bias"}
"""The node that computes each array of a run by all of ``WRT``."""


def winograd_of(n, height, width):
    """The kernel for so many outputs of 3×3 kernels: that of the least work."""
    types = None, TensorType((1, 1, 3, 3))
    costs = {f"k3s1_winograd{m}": convolve._winograd_cost(m, (n, 1, height, width), types) for m in (4, 2)}
    costs["gather"] = 9 * (n * height * width + convolve._WEIGHT_TILES)
    return min(costs, key=costs.get)


@contextmanager
def tiles_of(m):
    """Let Winograd's algorithm work on tiles of m × m outputs, however many there are."""
    with mock.patch.object(convolve, "_winograd_cost", lambda size, images, types: 1.0 + (size != m)):
        yield


def padding(size):
    return ((size, size), (size, size))


NO_BORDER, BORDER = padding(0), padding(1)


def around(*multiples, least=1):
    """Numbers of channels: whole vectors, one more, one less; from ``least`` on."""
    found = {max(least, W * k + step) for k in multiples for step in (-1, 0, 1)}
    return sorted(found | {least, least + 1})


@dataclass(frozen=True)
class Problem:
    """An op and the shapes of its inputs."""

    op: ops.Op
    x: tuple[int, ...]
    weight: tuple[int, ...]
    bias: bool = True

    def __str__(self):
        return f"{self.op} on {self.x} by {self.weight}"

    @property
    def wrt(self):
        return WRT if self.bias else WRT[:2]

    def arrays(self, draw):
        """Make float32 inputs and the slope of the result by ``draw(generator, shape)``."""
        shapes = {"x": self.x, "weight": self.weight, "bias": self.weight[:1]}
        generator = np.random.default_rng([*self.x, *self.weight])
        inputs = {name: draw(generator, shape).astype(np.float32) for name, shape in shapes.items()}
        inputs["bias"] = inputs["bias"] if self.bias else None
        (y,) = self.op.reference(*inputs.values())
        return inputs, draw(generator, y.shape).astype(np.float32)

    def run(self, inputs, dy, executor="fast"):
        """Run forwards and backwards; asserts that the expected kernels ran."""
        found = run(self.op, inputs, dy, self.wrt, executor=executor)
        if executor == "fast":
            nodes = [name for name in found.kernels if name == "op" or name.startswith("d.op.")]
            assert tuple(found.kernels[name] for name in nodes) == self.kernels
        return found

    @property
    def kernels(self):
        """Those of the result, of the gradient of x, and of that of the parameters."""
        if isinstance(self.op, ops.Linear):
            return "linear", "linear_backward_data", "linear_backward_weight"
        op, (filters, channels, *kernel) = self.op, self.weight
        plain = "depthwise" if 1 < op.groups == filters == self.x[1] and kernel[1] <= 16 else "gather"
        winograd = kernel == [3, 3] and op.stride == op.dilation == (1, 1) and min(filters, channels) >= LEAST
        if winograd and op.groups == 1:
            (height, width), padded = self.x[2:], [sum(pair) for pair in op.padding]
            forward = winograd_of(self.x[0], height + padded[0] - 2, width + padded[1] - 2)
            data = winograd_of(self.x[0], height, width) if max(map(max, op.padding)) <= 2 else "gather"
            weight = "k3s1_winograd4"
        else:
            forward = "rows" if channels < W // 2 and op.dilation[1] == op.groups == 1 else plain
            data = weight = plain
        weight = "" if weight == "gather" else f"_{weight}"
        return f"conv2d_{forward}", f"conv2d_backward_data_{data}", f"conv2d_backward_weight{weight}"

    def kernel_of(self, name):
        """The kernel that computes an array of a run."""
        return dict(zip(("y", "dx", "dweight", "dbias"), (*self.kernels, self.kernels[-1]), strict=True))[name]


def winograd(n, channels, filters, height, width, pad=BORDER, bias=True, **settings):
    """Make a 3×3 convolution."""
    return Problem(ops.Conv2d(padding=pad, **settings), (n, channels, height, width), (filters, channels, 3, 3), bias)


def direct(n, channels, filters, size, kernel, stride=(1, 1), pad=NO_BORDER, dilation=(1, 1), bias=True, **settings):
    """Make a convolution of any other kind."""
    op = ops.Conv2d(stride, pad, dilation, **settings)
    return Problem(op, (n, channels, *size), (filters, channels // op.groups, *kernel), bias)


def linear(n, inputs, outputs, bias=True):
    """Make a dense layer."""
    return Problem(ops.Linear(), (n, inputs), (outputs, inputs), bias)


def whole(largest=3):
    """Draw small whole numbers: products and sums of them are exact."""
    return lambda generator, shape: generator.integers(-largest, largest, shape, endpoint=True)


WHOLE_BOUND = 0.25
"""How far Winograd's algorithm, which multiplies by sixths, may be from a whole number: rounding finds it."""


def assert_whole(problem, found, expected):
    """Compare arrays of whole numbers: exactly, or where Winograd's algorithm made them to the nearest."""
    for name, array in expected.items():
        kernel = problem.kernel_of(name)
        is_exact = "winograd" not in kernel or name == "dbias"
        where = f"{name} of {problem} by {kernel}"
        assert_matches(found[name], array, 0.0 if is_exact else WHOLE_BOUND, kernel=where)
        assert_matches(np.rint(found[name]), array, kernel=where)


def check_whole(problem, largest=3):
    """Compare a run with the reference on small whole numbers."""
    inputs, dy = problem.arrays(whole(largest))
    found, expected = (problem.run(inputs, dy, executor) for executor in ("fast", "reference"))
    assert_whole(problem, found.all(), expected.all())
