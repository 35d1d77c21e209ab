"""Results do not depend, to the bit, on how many threads compute, nor on who else does."""

import threading
from dataclasses import dataclass

import numpy as np
import pytest

import pellucid as pel
from pellucid import nn, ops
from pellucid.graph import Plan
from pellucid.kernels import threads
from pellucid.kernels.program import Call
from tests.ops.convolutions import LEAST, WRT, W, direct, linear, padding, winograd
from tests.ops.examples import EXAMPLES, numbers
from tests.ops.running import build, run

CALLERS = 8
CALLS = 1000


@pytest.fixture(autouse=True)
def _usual_number(monkeypatch):
    for name in ("size", "reason", "pool"):
        monkeypatch.setattr(threads._Team, name, getattr(threads._Team, name))


def single(array):
    return array.astype(np.float32) if array is not None and array.dtype.kind == "f" else array


def assert_equal_bits(found, expected):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        assert found[name].tobytes() == array.tobytes(), name


def by_threads(compute):
    """Compute with 1, 2 and 3 threads, and with 2 once more; all must agree. Returns what came out."""
    results = []
    for count in (1, 2, 2, 3):
        pel.set_threads(count)
        results.append(compute())
    for result in results[1:]:
        assert_equal_bits(result, results[0])
    return results[0]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_every_operation(example):
    op, inputs = example.op, {name: single(array) for name, array in example.inputs.items()}
    if isinstance(op, ops.Backward):
        forward = tuple(t and type(t)(t.shape, t.dtype.replace("float64", "float32")) for t in op.types)
        op = ops.Backward(op.of, op.wrt, forward)
    by_threads(lambda: run(op, inputs, executor="fast").results)


@dataclass(frozen=True)
class Large:
    """An op on inputs of these shapes, and what it is differentiated by."""

    op: ops.Op
    shapes: tuple
    wrt: tuple[str, ...] = ("x",)

    def __str__(self):
        return f"{self.op} on {self.shapes[0]}"

    def inputs(self):
        arrays = (None if shape is None else numbers(*shape, seed=1) for shape in self.shapes)
        return {name: single(array) for name, array in zip(self.op.arguments, arrays, strict=True)}


def large(problem):
    return Large(problem.op, (problem.x, problem.weight, problem.weight[:1]), WRT)


IMAGES = (4, 2 * W + 3, 30, 31)
AFFINE = ((IMAGES[1],), (IMAGES[1],))
LARGE = [
    large(winograd(4, 2 * LEAST, 2 * LEAST + 1, 27, 30)),
    large(winograd(1, 8 * LEAST, 8 * LEAST, 7, 7)),
    large(direct(6, 3, LEAST, (33, 34), (7, 7), (2, 2), padding(3))),
    large(direct(6, 2 * W + 1, W + 3, (21, 20), (3, 3), (2, 2), padding(1))),
    large(direct(2, 4 * W, 4 * W, (14, 15), (1, 1))),
    large(linear(64, 500, 300)),
    large(linear(1, 3000, 700)),
    Large(ops.MaxPool2d((2, 2), (2, 2)), (IMAGES,)),
    Large(ops.MaxPool2d((3, 3), (2, 2), padding(1)), (IMAGES,)),
    Large(ops.AvgPool2d((3, 3), (2, 2)), (IMAGES,)),
    Large(ops.AdaptiveAvgPool2d((1, 1)), ((16, 4 * W, 16, 16),)),
    Large(ops.BatchNorm(training=True), (IMAGES, *AFFINE, None, None), WRT),
    Large(ops.BatchNorm(1e6), (IMAGES, *AFFINE, *AFFINE), WRT),  # a large eps, since the variance drawn may be below 0
    Large(ops.ReLU(), ((8, W, 64, 64),)),
    Large(ops.GELU(), ((8, W, 64, 64),)),
    Large(ops.Softmax(1), ((16, 10, 40, 40),)),
    Large(ops.Resize((60, 62), "bilinear"), (IMAGES,)),
]


@pytest.mark.parametrize("case", LARGE, ids=str)
def test_large_arrays_in_many_parts(case):
    inputs = case.inputs()
    (y,) = case.op.reference(*inputs.values())[:1]
    dy = single(np.cos(np.arange(y.size, dtype=float)).reshape(y.shape))
    graph, _ = build(case.op, inputs, dy, case.wrt)
    plan = Plan(graph)
    given = {name: array for name, array in inputs.items() if array is not None}
    calls = [call for call in plan._compiled(given).main.calls if isinstance(call, Call)]
    forward = [step.choice.name for step in plan.steps if step.node.name == "op"]
    assert "reference" not in forward
    assert sum(call.parts > 1 for call in calls) >= 2, "both the op and its gradient have several parts"
    by_threads(lambda: plan.run(given))


def test_what_plans_put_in():
    """A pointwise and a depthwise convolution in one kernel, in several bands, and one that bends."""
    net = nn.Sequential(
        nn.Conv2d(3, 4 * W, 1), nn.SiLU(), nn.Conv2d(4 * W, 4 * W, 3, padding=1, groups=4 * W), nn.ReLU6(),
        nn.Conv2d(4 * W, LEAST, 3, padding=1), nn.Hardswish(),
    )  # fmt: skip
    net.eval()
    x = single(numbers(2, 3, 61, 40))
    by_threads(lambda: {"y": net(x)})


def test_training_a_network():
    net = pel.zoo.build("tiny")
    x, y = single(numbers(19, 1, 28, 28)), np.arange(19) % 10
    compute = pel.value_and_grad(net, pel.losses.cross_entropy)

    def bits():
        loss, gradients = compute(x, y)
        return {name: np.asarray(array) for name, array in gradients.items()} | {"loss": np.asarray(loss)}

    by_threads(bits)


def _modules():
    """Modules of every family, each with an input."""
    image = single(numbers(1, LEAST, 6, 7))
    small = single(numbers(2, 3, 9, 8))
    norm = nn.BatchNorm2d(LEAST)
    norm.eval()
    return [
        (nn.Conv2d(LEAST, LEAST, 3, padding=1), image),
        (nn.Conv2d(3, 5, 5, stride=2), small),
        (nn.Conv2d(LEAST, 3, 1), image),
        (nn.Sequential(nn.Conv2d(LEAST, 9, 1), nn.SiLU(), nn.Conv2d(9, 9, 3, padding=1, groups=9)), image),
        (nn.Sequential(nn.Conv2d(3, LEAST, 3), nn.ReLU(), nn.Flatten(), nn.Linear(LEAST * 42, 10)), small),
        (nn.Linear(40, 30), single(numbers(5, 40))),
        (nn.MaxPool2d(2), image),
        (nn.AvgPool2d(3, 2), small),
        (nn.AdaptiveAvgPool2d(1), image),
        (nn.GELU(), small),
        (nn.Softmax(1), image),
        (norm, image),
    ]


def test_eight_callers_of_the_same_modules():
    """Each of eight threads makes a thousand calls, in an order of its own."""
    pel.set_threads(2)
    modules = _modules()
    expected = [module(x).tobytes() for module, x in modules]
    wrong, done = [], []

    def call(number):
        order = np.random.default_rng(number).integers(len(modules), size=CALLS)
        for which in order:
            module, x = modules[which]
            if module(x).tobytes() != expected[which]:
                wrong.append((number, int(which)))
        done.append(number)

    callers = [threading.Thread(target=call, args=(number,)) for number in range(CALLERS)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert wrong == []
    assert sorted(done) == list(range(CALLERS))
