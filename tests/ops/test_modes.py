"""Which kernels compute in each mode; nothing that was made for the other is ever used again."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import pellucid as pel
from pellucid import nn, ops
from pellucid.errors import ParameterError
from pellucid.graph import Graph, Plan
from pellucid.ops import modes
from pellucid.types import TensorType
from tests.comparison import assert_matches
from tests.ops.running import run

OP = ops.Conv2d(padding=((1, 1), (1, 1)))
WINOGRAD = {
    "op": "conv2d_k3s1_winograd4",
    "d.op.x": "conv2d_backward_data_k3s1_winograd4",
    "d.op.weight.bias": "conv2d_backward_weight_k3s1_winograd4",
}
SUMS = {"op": "conv2d_gather", "d.op.x": "conv2d_backward_data_gather", "d.op.weight.bias": "conv2d_backward_weight"}


@pytest.fixture(autouse=True)
def _fast(monkeypatch):
    monkeypatch.delenv(modes.PRECISION.variable, raising=False)
    before = pel.precision()
    pel.set_precision("fast")
    yield
    pel.set_precision(before)


@pytest.fixture
def unknown(monkeypatch):
    """Forget what was chosen, as in a new process."""
    monkeypatch.setattr(modes.PRECISION, "chosen", None)


@pytest.fixture
def plans(monkeypatch):
    """Collect the plans that run."""
    found, usual = [], Plan.run

    def watched(self, *arguments):
        found.append(self)
        return usual(self, *arguments)

    monkeypatch.setattr(Plan, "run", watched)
    return found


def whole(*shape, largest=8):
    return np.random.default_rng(shape).integers(-largest, largest, shape, endpoint=True).astype(np.float32)


def uses_winograd(plan):
    return [step.choice.name for step in plan.steps if "winograd" in step.choice.name] != []


@pytest.mark.parametrize(("mode", "kernels"), [("fast", WINOGRAD), ("strict", SUMS)])
def test_kernels_of_each_mode(mode, kernels):
    pel.set_precision(mode)
    inputs = {"x": whole(2, 16, 9, 14), "weight": whole(16, 16, 3, 3), "bias": whole(16)}
    found = run(OP, inputs, whole(2, 16, 9, 14), ("x", "weight", "bias"), executor="fast")

    assert {name: kernel for name, kernel in found.kernels.items() if name in kernels} == kernels


def test_every_winograd_rejects_itself_and_says_why():
    pel.set_precision("strict")
    types = TensorType((1, 16, 5, 5)), TensorType((16, 16, 3, 3)), None
    slope = TensorType((1, 16, 5, 5))
    x, weight = ops.Backward(OP, ("x",), types), ops.Backward(OP, ("weight",), types)
    for op, given in ((OP, types), (x, (slope, types[1])), (weight, (slope, types[0]))):
        choice = ops.choose(op, given)
        (name, reason), *_ = choice.rejected
        assert "winograd" in name
        assert reason.startswith("precision 'strict': ")
        assert "winograd" not in choice.name


@pytest.mark.parametrize("channels", [16, 40])
def test_strict_is_exact_on_whole_numbers(channels):
    """Their sums stay below 2²⁴; Winograd's algorithm, which multiplies by fractions, gives others in between."""
    inputs = {"x": whole(2, channels, 9, 7), "weight": whole(24, channels, 3, 3), "bias": whole(24)}
    dy, wrt = whole(2, 24, 9, 7), ("x", "weight", "bias")
    pel.set_precision("strict")
    found = run(OP, inputs, dy, wrt, executor="fast").all()
    expected = run(OP, {name: array.astype(np.float64) for name, array in inputs.items()}, dy.astype(np.float64), wrt)

    assert set(found) == {"y", "dx", "dweight", "dbias"}
    for name, array in expected.all().items():
        assert_matches(found[name].astype(np.float64), array, kernel=f"{name}, strict")


def network():
    return nn.Sequential(nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU(), nn.Flatten())


def a_module(net, x):
    return lambda: net(x)


def a_training_step(net, x):
    compute = pel.value_and_grad(net, pel.losses.mse_loss)
    return lambda: compute(x, np.zeros_like(net(x)))


def a_trace(net, x):
    return lambda: [layer.output for layer in pel.trace(net, x[0])]


def a_function(net, x):
    return lambda: pel.conv2d(x, net[0].weight, padding=1)


@pytest.mark.parametrize("make", [a_module, a_training_step, a_trace, a_function])
def test_what_was_called_before_follows(plans, make):
    call = make(network(), whole(2, 16, 8, 8))
    for mode in ("fast", "strict", "fast", "strict"):
        pel.set_precision(mode)
        plans.clear()
        call()
        assert plans
        assert {uses_winograd(plan) for plan in plans} == {mode == "fast"}


def test_the_same_mode_again_changes_nothing(plans):
    net, x = network(), whole(2, 16, 8, 8)
    for _ in range(2):
        net(x)
        pel.conv2d(x, net[0].weight)
        pel.set_precision("fast")

    assert plans[0] is plans[2]
    assert plans[1] is plans[3]


def test_a_plan_keeps_its_kernels():
    graph = Graph()
    x, weight = graph.input("x", TensorType((1, 16, 6, 6))), graph.input("weight", TensorType((16, 16, 3, 3)))
    graph.outputs = {"y": graph.add(OP, x, weight, None)}
    feeds = {"x": whole(1, 16, 6, 6) / 7, "weight": whole(16, 16, 3, 3) / 7}
    plan = Plan(graph)
    expected = plan.run(feeds)
    pel.set_precision("strict")

    assert uses_winograd(plan)
    assert {name: array.tobytes() for name, array in plan.run(feeds).items()} == {
        name: array.tobytes() for name, array in expected.items()
    }
    assert not uses_winograd(Plan(graph))


@pytest.mark.parametrize("mode", ["exact", "", "STRICT", None, True, ["fast"], np.array(["fast", "strict"])])
def test_bad_modes_are_refused(mode):
    with pytest.raises(ParameterError, match="The 'mode' parameter of set_precision must be 'fast' or 'strict'; got "):
        pel.set_precision(mode)
    assert pel.precision() == "fast"


@pytest.mark.parametrize(("text", "mode"), [("strict", "strict"), ("fast", "fast"), ("", "fast"), (None, "fast")])
def test_the_environment_may_say_which(monkeypatch, unknown, text, mode):
    if text is not None:
        monkeypatch.setenv(modes.PRECISION.variable, text)

    assert pel.precision() == mode
    pel.set_precision("strict")
    assert pel.precision() == "strict"


def test_nonsense_in_the_environment_is_refused(monkeypatch, unknown):
    monkeypatch.setenv(modes.PRECISION.variable, "Fast")
    with pytest.raises(ParameterError, match="The variable PELLUCID_PRECISION must be fast or strict; got 'Fast'"):
        pel.conv2d(np.ones((1, 16, 6, 6), np.float32), np.ones((16, 16, 3, 3), np.float32))


@pytest.mark.parametrize(
    ("images", "size", "kernel"),
    [(1, 14, "winograd4"), (8, 7, "winograd4"), (1, 7, "winograd2"), (1, 4, "winograd2"), (64, 2, "winograd2")],
)
def test_few_tiles_are_small_ones(images, size, kernel):
    """Multiplications at each weight's points, and 8 for reading it: 36 · (4 + 8) against 16 · (16 + 8) at 7×7."""
    types = TensorType((images, 32, size, size)), TensorType((48, 32, 3, 3)), None
    slope = TensorType((images, 48, size, size))
    assert ops.choose(OP, types).name == f"conv2d_k3s1_{kernel}"
    data = ops.choose(ops.Backward(OP, ("x",), types), (slope, types[1]))
    assert data.name == f"conv2d_backward_data_k3s1_{kernel}"


def test_one_cell_needs_no_transform_and_costs_are_told():
    choice = ops.choose(OP, (TensorType((1, 32, 1, 1)), TensorType((48, 32, 3, 3)), None))
    assert choice.name == "conv2d_gather"
    reasons = dict(choice.rejected)
    assert reasons["conv2d_k3s1_winograd4"] == "4.00 times the work"
    assert reasons["conv2d_k3s1_winograd2"] == "1.78 times the work"


def test_bad_selections_are_refused():
    with pytest.raises(
        ParameterError, match="The 'mode' parameter of set_selection must be 'rule' or 'measured'; got "
    ):
        pel.set_selection("quickest")
    assert pel.selection() == "rule"


def test_a_mode_for_a_moment_is_nobody_elses():
    graph = network().graph((1, 16, 8, 8))
    changes = modes.changes()
    with modes.PRECISION.during("strict"):
        assert not uses_winograd(Plan(graph))
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(pel.precision).result() == "fast"
    assert pel.precision() == "fast"
    assert uses_winograd(Plan(graph))
    assert modes.changes() == changes
