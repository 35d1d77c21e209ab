"""From modules to a graph: ``forward`` runs once on symbols, and every operation it uses becomes a node."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.errors import ShapeError
from pellucid.graph import Graph, Value
from pellucid.types import Array, TensorType

if TYPE_CHECKING:
    from pellucid.nn.module import Module
    from pellucid.nn.parameter import Parameter

KEY = "dropout_key"
"""Name of the graph input that carries dropout's (seed, step)."""


def pack(result: Any) -> tuple[str, dict[str, Value]]:
    """Split a forward's result into what a graph keeps of it: how it ``returns``, and named values.

    Raises ShapeError where the result is not one value or a tuple, list or dict of them.
    """
    if isinstance(result, dict):
        returns, named = "dict", {str(name): value for name, value in result.items()}
    elif isinstance(result, tuple | list):
        returns = "list" if isinstance(result, list) else "tuple"
        named = {str(index): value for index, value in enumerate(result)}
    else:
        returns, named = "value", {"output": result}
    for name, value in named.items():
        if not isinstance(value, Value):
            raise ShapeError(
                f"forward must return what its layers computed, one value or a tuple, list or dict of them; "
                f"its result '{name}' is {type(value).__name__}."
            )
    return returns, named


def unpack(returns: str, named: dict[str, Any]) -> Any:
    """Rebuild a forward's result, in symbols or arrays, from what :func:`pack` made of it."""
    if returns == "value":
        return named["output"]
    if returns == "dict":
        return named
    return list(named.values()) if returns == "list" else tuple(named.values())


class _Tracer:
    def __init__(self, module: Module, graph: Graph) -> None:
        self.graph = graph
        self.paths = {id(part): path for path, part in module.named_modules()}
        self.parameters = {id(value): name for name, value in module.named_parameters()}
        self.buffers = {id(value): name for name, value in module.named_buffers()}
        graph.reserve((*self.parameters.values(), *self.buffers.values()))


_current: ContextVar[_Tracer | None] = ContextVar("pellucid_tracer", default=None)


def trace(module: Module, types: tuple[TensorType, ...]) -> Graph:
    """Build the graph of a module for inputs of the given types."""
    graph = Graph()
    with tracing(module, graph):
        inputs = [graph.input(name, type_) for name, type_ in zip(module.input_names(len(types)), types, strict=True)]
        graph.returns, graph.outputs = pack(module(*inputs))
    return graph


@contextmanager
def tracing(module: Module, graph: Graph) -> Iterator[None]:
    """Let the module and its parts add their operations to ``graph`` inside."""
    token = _current.set(_Tracer(module, graph))
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def enter(module: Module) -> Iterator[None]:
    """Name what ``module`` adds to the graph after its place in the network."""
    tracer = _active()
    path = tracer.paths.get(id(module), "")
    before = len(tracer.graph.nodes)
    with tracer.graph.scope(path, module.one_op):
        yield
    if path and len(tracer.graph.nodes) > before:
        tracer.graph.layers[path] = tracer.graph.nodes[-1].outputs[0]


def lift(parameter: Parameter) -> Value:
    """Return the symbol for a parameter or buffer of the network being traced, as last updated in this run."""
    tracer = _active()
    type_ = parameter.type
    if id(parameter) in tracer.parameters:
        return tracer.graph.parameter(tracer.parameters[id(parameter)], type_)
    if id(parameter) in tracer.buffers:
        name = tracer.buffers[id(parameter)]
        return tracer.graph.updates.get(name) or tracer.graph.buffer(name, type_)
    return tracer.graph.constant(parameter.data)


def update(buffer: Parameter, value: Value) -> None:
    """Let ``value`` replace the buffer's array after every run."""
    tracer = _active()
    tracer.graph.updates[tracer.buffers[id(buffer)]] = value


def dropout_key() -> Value:
    """Return the graph's input for dropout's key, declaring it when first asked for."""
    graph = _active().graph
    return graph.inputs.get(KEY) or graph.input(KEY, TensorType((2,), "uint64"))


def dropout_feed(graph: Graph, key: Callable[[], Array]) -> dict[str, Array]:
    """Feed a key to a graph that asks for one."""
    return {KEY: np.asarray(key(), np.uint64)} if KEY in graph.inputs else {}


def active() -> Graph | None:
    """Return the graph being traced, or None outside of any forward."""
    tracer = _current.get()
    return None if tracer is None else tracer.graph


def here(owner: str) -> str:
    """Name who complains, with the path of the layer being called: "LayerNorm 'blocks.3.norm'"."""
    graph = active()
    return f"{owner} '{graph.prefix}'" if graph is not None and graph.prefix else owner


def _active() -> _Tracer:
    tracer = _current.get()
    if tracer is None:
        raise ShapeError("A layer was called on symbols outside of a network's forward; call it on arrays instead.")
    return tracer
