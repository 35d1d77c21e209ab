"""Running one operation, with its gradients, through a graph, differentiation and a plan."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from hypothesis import settings
from numpy.typing import NDArray

from pellucid import ops
from pellucid.graph import EXECUTORS, Graph, Plan, Value, differentiate
from pellucid.types import TensorType
from tests.comparison import EPSILON, assert_matches

Array = NDArray[Any]
Inputs = Mapping[str, Array | None]

family = settings(max_examples=300, deadline=None)
"""As many drawn cases as every family of operations is owed."""


@dataclass(frozen=True)
class Run:
    """What came out: results by name, gradients by argument, the kernel of every node by the node's name."""

    results: dict[str, Array]
    gradients: dict[str, Array]
    kernels: dict[str, str]

    def all(self) -> dict[str, Array]:
        return self.results | {f"d{name}": gradient for name, gradient in self.gradients.items()}


def build(op: ops.Op, inputs: Inputs, dy: Array | None = None, wrt: Sequence[str] = ()) -> tuple[Graph, Value]:
    """Return a graph of one op, and of the gradients of Σ dy · y by ``wrt``; and the op's first result."""
    graph = Graph()
    values = {
        name: None if array is None else graph.input(name, TensorType.of(array)) for name, array in inputs.items()
    }
    y = graph.add(op, *values.values(), name="op")
    graph.outputs = dict(zip(op.results, y.node.outputs, strict=True))
    if dy is not None:
        loss = graph.add(ops.Multiply(), y, graph.constant(dy))
        if y.ndim:
            loss = graph.add(ops.Sum(tuple(range(y.ndim))), loss)
        gradients = differentiate(graph, loss, [values[name] for name in wrt])
        graph.outputs |= {f"d{name}": gradient for name, gradient in gradients.items()}
    return graph, y


def run(
    op: ops.Op, inputs: Inputs, dy: Array | None = None, wrt: Sequence[str] = (), *, executor: str = "reference"
) -> Run:
    """Compute an op, and its gradients by ``wrt`` for the gradient dy of its first result.

    Every array of the run, in-between ones too, must be of the type that was inferred for it.
    """
    graph, _ = build(op, inputs, dy, wrt)
    values = [value for node in graph.nodes for value in node.outputs]
    plan = Plan(graph, executor, keep=tuple(value.name for value in values))
    arrays = plan.run({name: array for name, array in inputs.items() if array is not None})
    for value in values:
        assert TensorType.of(arrays[value.name]) == value.type, f"{value} is {TensorType.of(arrays[value.name])}"
    named = {name: arrays[value.name] for name, value in graph.outputs.items()}
    gradients = {name: named.pop(f"d{name}") for name in wrt}
    return Run(named, gradients, {step.node.name: step.choice.name for step in plan.steps})


def by_torch(
    function: Callable[..., torch.Tensor], inputs: Inputs, dy: Callable[[Array], Array], wrt: Sequence[str]
) -> dict[str, Array]:
    """Return y and the gradients by ``wrt`` that PyTorch computes, in float64, from the same numbers."""
    tensors = {}
    for name, array in inputs.items():
        tensor = None if array is None else torch.from_numpy(np.array(array))
        if tensor is not None and tensor.is_floating_point():
            tensor = tensor.double().requires_grad_(name in wrt)
        tensors[name] = tensor
    y = function(*tensors.values())
    slope = torch.from_numpy(np.array(dy(y.detach().numpy())))
    gradients = torch.autograd.grad(y, [tensors[name] for name in wrt], slope) if wrt else []
    computed = {f"d{name}": gradient.numpy() for name, gradient in zip(wrt, gradients, strict=True)}
    return {"y": y.detach().numpy()} | computed


Bounds = Callable[[ops.Op, Inputs, Array, dict[str, Array]], Mapping[str, float | Array]]
"""(op, inputs, dy, expected arrays) → for y and each gradient, the error allowed, in units of epsilon."""


def sums_of_products(op: ops.Op, inputs: Inputs, dy: Array, expected: dict[str, Array]) -> dict[str, Array]:
    """Bound the error of sums of n products: two orders of summation differ by at most n · epsilon · Σ |products|.

    Σ |products| is what the op itself gives for the absolute values of its inputs; n is at most the size of the
    largest array. Two roundings more for a bias, a mean's division and the like, and two for good measure.
    """
    positive = {name: None if array is None else abs(array.astype("float64")) for name, array in inputs.items()}
    wrt = [name.removeprefix("d") for name in expected if name != "y"]
    magnitudes = run(op, positive, abs(dy.astype("float64")), wrt)
    terms = max(array.size for array in (*positive.values(), dy) if array is not None)
    (first,) = list(magnitudes.results)[:1]
    named = {"y": magnitudes.results[first]} | {f"d{name}": m for name, m in magnitudes.gradients.items()}
    return {name: (terms + 4) * magnitude for name, magnitude in named.items()}


def exact(op: ops.Op, inputs: Inputs, dy: Array, expected: dict[str, Array]) -> dict[str, float]:
    """Allow no error at all: the op only moves numbers."""
    return dict.fromkeys(expected, 0.0)


def relative(units: float, scale: float = 1.0) -> Bounds:
    """Allow an error of so many epsilons of the largest magnitude expected, or of ``scale`` if that is larger."""

    def bounds(op: ops.Op, inputs: Inputs, dy: Array, expected: dict[str, Array]) -> dict[str, float]:
        sizes = {name: abs(array[np.isfinite(array)]).max(initial=scale) for name, array in expected.items()}
        return {name: units * float(size) for name, size in sizes.items()}

    return bounds


def check(
    op: ops.Op,
    inputs: Inputs,
    torch_function: Callable[..., torch.Tensor],
    dy: Callable[[Array], Array],
    *,
    wrt: Sequence[str] = ("x",),
    bounds: Bounds = sums_of_products,
) -> None:
    """Compare an op's first result and gradients with PyTorch's: both executors, float64 and float32."""
    for dtype in ("float64", "float32"):
        cast = {name: _cast(array, dtype) for name, array in inputs.items()}
        expected = by_torch(torch_function, cast, lambda y, dtype=dtype: dy(y).astype(dtype).astype("float64"), wrt)
        slope = np.asarray(dy(expected["y"])).astype(dtype)
        allowed = bounds(op, cast, slope, expected)
        for executor in EXECUTORS:
            found = run(op, cast, slope, wrt, executor=executor).all()
            found["y"] = found.pop(op.results[0])
            for name, array in expected.items():
                bound = np.asarray(allowed[name]) * EPSILON[dtype]
                rounding = EPSILON["float32"] * abs(array) if dtype == "float32" else 0  # of what is expected
                where = f"{op} {name} by {executor} in {dtype}"
                assert_matches(found[name], array.astype(dtype), bound + rounding * (bound > 0), kernel=where)


def _cast(array: Array | None, dtype: str) -> Array | None:
    return array.astype(dtype) if array is not None and array.dtype.kind == "f" else array
