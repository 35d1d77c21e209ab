"""Modules: layers and networks of layers, as in PyTorch.

A module's ``forward`` is written once and runs on symbols: called with arrays, a module first builds the graph of
its operations for these shapes, plans it, keeps the plan, and runs it.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from pellucid.errors import ParameterError, ShapeError
from pellucid.graph import Graph, Plan, Value
from pellucid.nn import random, tracing
from pellucid.nn.parameter import Buffer, Parameter
from pellucid.nn.plans import PlanCache
from pellucid.types import Array, Shape, TensorType


def _is_symbolic(value: Any) -> bool:
    """Tell whether something, or a part of it, stands for an array that does not exist yet."""
    if isinstance(value, Mapping):
        return any(map(_is_symbolic, value.values()))
    if isinstance(value, tuple | list):
        return any(map(_is_symbolic, value))
    return isinstance(value, Value) or (isinstance(value, Parameter) and tracing.active() is not None)


_NOT_STRUCTURE = frozenset({"training", "metadata", "last_shapes", "_plans"})


@dataclass(frozen=True, slots=True)
class _Ready:
    """A plan, and the parameters and buffers that it is run on."""

    plan: Plan
    parameters: dict[str, Parameter]


class Module:
    """Base of layers and networks.

    Subclass it, create layers in ``__init__`` and connect them in ``forward``; layers, parameters and buffers are
    found among the attributes.

    >>> import numpy as np
    >>> import pellucid.nn as nn
    >>> class Residual(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.conv = nn.Conv2d(3, 3, 3, padding=1)
    ...     def forward(self, x):
    ...         return x + self.conv(x)
    >>> Residual()(np.zeros((2, 3, 8, 8), np.float32)).shape
    (2, 3, 8, 8)
    """

    training: bool
    metadata: dict[str, Any]
    """What is known of the network and kept in its file: "name", "classes", "preprocessing", "input"."""
    last_shapes: tuple[Shape, ...] | None
    """Shapes of the last inputs, without the batch."""
    one_op = False
    """True for layers that are one operation: the graph's node then has the layer's own name."""

    def __init__(self) -> None:
        self.training = True
        self.metadata: dict[str, Any] = {}
        self.last_shapes: tuple[Shape, ...] | None = None
        self._plans = PlanCache()

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "training":
            PlanCache.modes += 1
        if name not in _NOT_STRUCTURE:
            PlanCache.revision += 1
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        PlanCache.revision += 1
        super().__delattr__(name)

    def forward(self, *inputs: Any) -> Any:
        """Connect the layers: symbols in, symbols out."""
        raise NotImplementedError(f"{type(self).__name__} must define forward(self, x).")

    def input_names(self, count: int) -> list[str]:
        """Names for the graph's inputs: those of ``forward``'s arguments."""
        arguments = inspect.signature(self.forward).parameters.values()
        names = [argument.name for argument in arguments if argument.kind is not argument.VAR_POSITIONAL]
        names = [f"input_{name}" if isinstance(vars(self).get(name), Parameter) else name for name in names]
        return [*names, *(f"input{index}" for index in range(len(names), count))][:count]

    def __call__(self, *inputs: Any) -> Any:
        """Compute the module on arrays (N, C, H, W), or, inside another module's forward, add it to the graph."""
        if any(_is_symbolic(value) for value in inputs):
            with tracing.enter(self):
                return self.forward(*(tracing.lift(v) if isinstance(v, Parameter) else v for v in inputs))
        return self._run(inputs)

    def _run(self, inputs: tuple[Any, ...], executor: str = "fast") -> Any:
        arrays = [np.asarray(value) for value in inputs]
        ready = self._ready(tuple(TensorType.of(array) for array in arrays), executor)
        plan, feeds = ready.plan, dict(zip(ready.plan.graph.inputs, arrays, strict=False))
        if tracing.KEY in plan.graph.inputs:
            feeds |= tracing.dropout_feed(plan.graph, random.next_key)
        versions = tuple([parameter.version for parameter in ready.parameters.values()])
        for name, parameter in ready.parameters.items():
            feeds[name] = parameter.reading
        results = plan.run(feeds, None if None in versions else versions)
        if plan.graph.updates:
            self.update_buffers({name: results[value.name] for name, value in plan.graph.updates.items()})
        outputs = {name: results[value.name] for name, value in plan.graph.outputs.items()}
        contiguous = {name: np.asarray(array, order="C") for name, array in outputs.items()}
        return tracing.unpack(plan.graph.returns, contiguous)

    def _ready(self, types: tuple[TensorType, ...], executor: str) -> _Ready:
        """Make the plan for these input types, or find it if it was made before."""

        def build() -> _Ready:
            self._check_types(types)
            return self._build(types, executor)

        found: _Ready = self._plans.get(self, (types, executor), build)
        return found

    def _check_types(self, types: tuple[TensorType, ...]) -> None:
        dtype = next((parameter.type.dtype for parameter in self.parameters()), None)
        for type_ in types:
            if np.dtype(type_.dtype).kind == "f" and dtype is not None and type_.dtype != dtype:
                raise ShapeError(
                    f"{type(self).__name__} computes in {dtype}, got an array of {type_.dtype}; "
                    f"convert it with .astype('{dtype}')."
                )

    def _build(self, types: tuple[TensorType, ...], executor: str) -> _Ready:
        graph = tracing.trace(self, types)
        self.last_shapes = tuple(type_.shape[1:] for type_ in types)
        named = dict([*self.named_parameters(), *self.named_buffers()])
        used = (*graph.parameters, *graph.buffers)
        return _Ready(Plan(graph, executor), {name: named[name] for name in used})

    def graph(self, *shapes: Shape) -> Graph:
        """Return the graph of the module's operations for inputs of the given shapes, batch included.

        Raises ShapeError naming the first layer that does not fit.

        >>> import pellucid.nn as nn
        >>> print(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)).graph((1, 1, 2, 2)))
        graph(x: float32(1, 1, 2, 2))
          0 = Flatten(x) → float32(1, 4)
          1 = Linear(0, 1.weight, 1.bias) → float32(1, 2)
          return 1
        """
        dtype = next((parameter.type.dtype for parameter in self.parameters()), "float32")
        return tracing.trace(self, tuple(TensorType(tuple(shape), dtype) for shape in shapes))

    # Finding parts.

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield (name, module) for the modules directly inside."""
        return ((name, value) for name, value in vars(self).items() if isinstance(value, Module))

    def children(self) -> Iterator[Module]:
        """Yield the modules directly inside."""
        return (module for _, module in self.named_children())

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Yield (path, module) for this module, whose path is "", and all inside, each once."""
        seen: set[int] = set()
        for path, module in self._walk(prefix):
            if id(module) not in seen:
                seen.add(id(module))
                yield path, module

    def _walk(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Yield (path, module); a shared module comes under each of its paths."""
        yield prefix, self
        for name, child in self.named_children():
            yield from child._walk(f"{prefix}.{name}" if prefix else name)

    def modules(self) -> Iterator[Module]:
        """Yield this module and all inside."""
        return (module for _, module in self.named_modules())

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Yield (path, parameter), each parameter once."""
        return self._named(lambda value: isinstance(value, Parameter) and not isinstance(value, Buffer))

    def parameters(self) -> Iterator[Parameter]:
        """Yield the parameters."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Buffer]]:
        """Yield (path, buffer)."""
        return self._named(lambda value: isinstance(value, Buffer))

    def _named(self, wanted: Any) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        for path, module in self.named_modules():
            for name, value in vars(module).items():
                if wanted(value) and id(value) not in seen:
                    seen.add(id(value))
                    yield (f"{path}.{name}" if path else name), value

    def get_submodule(self, path: str) -> Module:
        """Find a module by its path, such as "layer1.0.conv1"."""
        modules = dict(self.named_modules())
        if path not in modules:
            listed = ", ".join(name for name in modules if name)
            raise ParameterError(f"{type(self).__name__} has no module {path!r}; it has {listed}.")
        return modules[path]

    def register_parameter(self, name: str, parameter: Parameter | None) -> None:
        """Set a parameter under a name."""
        setattr(self, name, parameter)

    def register_buffer(self, name: str, array: Array | None) -> None:
        """Set an array that is saved but not trained."""
        setattr(self, name, None if array is None else Buffer(array))

    # State.

    def arrays(self) -> dict[str, Array]:
        """Parameters and buffers by path: the arrays themselves, not copies."""
        pairs = [*self.named_parameters(), *self.named_buffers()]
        return {name: parameter.data for name, parameter in pairs}

    def state_dict(self) -> dict[str, Array]:
        """Return copies of all parameters and buffers, with PyTorch's keys, order and layouts."""
        state: dict[str, Array] = {}
        for path, module in self._walk():
            own = [(name, value) for name, value in vars(module).items() if isinstance(value, Parameter)]
            own.sort(key=lambda pair: isinstance(pair[1], Buffer))  # parameters come before buffers
            state |= {(f"{path}.{name}" if path else name): value.data.copy() for name, value in own}
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Set all parameters and buffers from arrays. Raises ShapeError, changing nothing, where one does not fit."""
        mine = dict([*self.named_parameters(), *self.named_buffers()])
        aliases = set(self.state_dict()) - set(mine)  # a shared parameter is saved under each of its names
        missing, extra = sorted(set(mine) - set(state)), sorted(set(state) - set(mine) - aliases)
        if missing or extra:
            said = [f"it lacks {', '.join(missing)}"] if missing else []
            said += [f"it has {', '.join(extra)}, which the network does not"] if extra else []
            raise ShapeError(f"The state does not fit {type(self).__name__}: {'; '.join(said)}.")
        new = {name: np.array(state[name]) for name in mine}
        for name, array in new.items():
            if array.shape != mine[name].shape or array.dtype.kind not in "fiub":
                raise ShapeError(f"The state's '{name}' is {TensorType.of(array)}; the network's is {mine[name].type}.")
        for name, parameter in mine.items():
            parameter.data = new[name].astype(parameter.data.dtype, copy=False)

    def update_buffers(self, arrays: Mapping[str, Array]) -> None:
        """Take new arrays for some buffers, by path: the running statistics that a run in training mode gave."""
        buffers = dict(self.named_buffers()) if arrays else {}
        for name, array in arrays.items():
            buffers[name].data = array

    def train(self, mode: bool = True) -> Self:
        """Switch dropout and batch statistics on (True) or off."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Switch dropout off and use running statistics: how a finished network is used."""
        return self.train(False)

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Evaluate inside, and return every module to its own mode afterwards."""
        modes = [(module, module.training) for module in self.modules()]
        self.eval()
        try:
            yield
        finally:
            for module, training in modes:
                module.training = training

    def double(self) -> Self:
        """Compute in float64 from now on."""
        return self._astype(np.float64)

    def float(self) -> Self:
        """Compute in float32 from now on."""
        return self._astype(np.float32)

    def _astype(self, dtype: Any) -> Self:
        for parameter in [*self.parameters(), *(buffer for _, buffer in self.named_buffers())]:
            if parameter.data.dtype.kind == "f":
                parameter.data = parameter.data.astype(dtype)
        return self

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Let training change the parameters, or freeze them."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def extra_repr(self) -> str:
        """Return the settings shown between the brackets when the module is printed."""
        return ""

    def __repr__(self) -> str:
        lines = [f"({name}): " + repr(child).replace("\n", "\n  ") for name, child in self.named_children()]
        if not lines:
            return f"{type(self).__name__}({self.extra_repr()})"
        return f"{type(self).__name__}(\n  " + "\n  ".join(lines) + "\n)"
