"""Graphs in a line for the tests of fusion, and what their plans run."""

from unittest import mock

from pellucid import ops
from pellucid.graph import Graph, Plan
from pellucid.graph import plan as plans
from pellucid.types import TensorType
from tests.comparison import assert_matches
from tests.graph.networks import feeds

PADDED = ((1, 1), (1, 1))
BOUND = 1e-4
"""Sums of a few hundred products of numbers about 1, in float32, by other roundings."""


class Builder:
    """Builds graphs in a line: layers take what the last one made unless told otherwise."""

    def __init__(self, channels=16, size=(6, 7), dtype="float32"):
        self.graph, self.dtype = Graph(), dtype
        self.x = self.graph.input("x", TensorType((2, channels, *size), dtype))
        self.last = self.x

    def array(self, name, *shape):
        return self.graph.parameter(name, TensorType(shape, self.dtype))

    def add(self, op, *others, name=None, of=None):
        self.last = self.graph.add(op, self.last if of is None else of, *others, name=name)
        return self.last

    def conv(self, name="conv", filters=16, of=None, bias=True, kernel=3, **settings):
        x = self.last if of is None else of
        groups = settings.get("groups", 1)
        weight = self.array(f"{name}.weight", filters, x.shape[1] // groups, kernel, kernel)
        settings.setdefault("padding", PADDED if kernel == 3 else ((0, 0), (0, 0)))
        return self.add(
            ops.Conv2d(**settings), weight, self.array(f"{name}.bias", filters) if bias else None, name=name, of=x
        )

    def linear(self, name="fc", outputs=16):
        weight = self.array(f"{name}.weight", outputs, self.last.shape[-1])
        return self.add(ops.Linear(), weight, self.array(f"{name}.bias", outputs), name=name)

    def norm(self, name="norm", affine=True, training=False):
        channels = (self.last.shape[1],)
        scale = [self.array(f"{name}.{part}", *channels) if affine else None for part in ("weight", "bias")]
        kept = [self.graph.buffer(f"{name}.{part}", TensorType(channels, self.dtype)) for part in ("mean", "variance")]
        return self.add(ops.BatchNorm(1e-3, training=training), *scale, *([None] * 2 if training else kept), name=name)

    def relu(self, of=None, name=None):
        return self.add(ops.ReLU(), name=name, of=of)

    def done(self):
        self.graph.outputs = {"y": self.last}
        return self.graph


def numbers(graph):
    """Numbers for a graph; variances are positive."""
    arrays = feeds(graph)
    return {name: abs(array) + 0.5 if name.endswith("variance") else array for name, array in arrays.items()}


def ran(graph, keep=()):
    """Kinds of the ops that a plan runs, gradients by what they are of."""
    names = []
    for step in Plan(graph, keep=keep).steps:
        op = step.node.op
        names.append(f"Backward({op.of.kind})" if isinstance(op, ops.Backward) else type(op).__name__)
    return names


def the(graph, kind):
    """The only op of a kind that a plan runs."""
    (op,) = (step.node.op for step in Plan(graph).steps if isinstance(step.node.op, kind))
    return op


def unfused(graph):
    """Make a plan without fusion."""
    with mock.patch.object(plans, "fuse", lambda nodes, wanted: nodes):
        return Plan(graph)


def assert_same(graph):
    """Assert that a fused plan computes what the unfused one does, and the reference."""
    arrays = numbers(graph)
    found = Plan(graph).run(arrays)
    for other in (unfused(graph), Plan(graph, "reference")):
        for name, expected in other.run(arrays).items():
            size = max(1.0, abs(expected).max(initial=0))
            assert_matches(found[name], expected, BOUND * size, kernel=f"{name} of {ran(graph)}")
