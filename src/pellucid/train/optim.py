"""Optimisers: how gradients change weights. Formulas and defaults are PyTorch's."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from pellucid.errors import ParameterError, TrainingError
from pellucid.kernels import optimisers
from pellucid.kernels.compiler import Kernel
from pellucid.kernels.pointwise import parts
from pellucid.kernels.program import Buffer, Call, Program
from pellucid.nn import Parameter
from pellucid.types import Array


class Optimizer:
    """Base of the optimisers: a learning rate, a weight decay, and slots of state for each parameter."""

    slots: tuple[str, ...] = ()

    def __init__(self, lr: float, weight_decay: float = 0.0) -> None:
        self.lr = _number("lr", lr)
        self.weight_decay = _number("weight_decay", weight_decay)
        self.steps = 0
        self.state: dict[str, dict[str, Array]] = {slot: {} for slot in self.slots}

    def update(self, parameters: dict[str, Parameter], gradients: dict[str, Array], lr: float | None = None) -> None:
        """Change the parameters that have a gradient, in place; ``lr`` stands in for the optimiser's own."""
        self.steps += 1
        rate = self.lr if lr is None else lr
        compiled = []
        for name, gradient in gradients.items():
            weight = parameters[name].data
            state = [self.state[slot].setdefault(name, np.zeros_like(weight, order="C")) for slot in self.slots]
            gradient = np.asarray(gradient, weight.dtype)
            if all(map(_is_plain, (weight, *state))):
                compiled.append((weight, np.ascontiguousarray(gradient), *state))
            else:
                self.step(weight, gradient, rate, *state)
        if compiled:
            kernel, rates = self.kernel(rate)
            _run(kernel, np.array(rates, np.float32), compiled)

    def step(self, weight: Array, gradient: Array, lr: float, *state: Array) -> None:
        """Change one weight and its slots in place: what the kernel does, in NumPy, for any dtype and layout."""
        raise NotImplementedError

    def kernel(self, lr: float) -> tuple[Kernel, tuple[float, ...]]:
        """Return the compiled update, and the rates that it reads at this step."""
        raise NotImplementedError

    def state_arrays(self) -> dict[str, Array]:
        """State by "slot.parameter", for a checkpoint; ``steps`` is kept beside it."""
        return {f"{slot}.{name}": array for slot in self.slots for name, array in self.state[slot].items()}

    def load_state_arrays(self, arrays: dict[str, Array], steps: int) -> None:
        """Take the state back. Raises TrainingError where it is another optimiser's."""
        self.steps = steps
        self.state = {slot: {} for slot in self.slots}
        for key, array in arrays.items():
            slot, _, name = key.partition(".")
            if slot not in self.state:
                raise TrainingError(
                    f"The state '{key}' is not one of {type(self).__name__}; resume with its optimiser."
                )
            self.state[slot][name] = np.array(array)


class SGD(Optimizer):
    """Stochastic gradient descent: v ← momentum·v + g, w ← w − lr·v (Nesterov: w ← w − lr·(g + momentum·v)).

    >>> SGD(0.05, momentum=0.9).lr
    0.05
    """

    slots = ("velocity",)

    def __init__(
        self, lr: float = 1e-3, momentum: float = 0.0, weight_decay: float = 0.0, nesterov: bool = False
    ) -> None:
        super().__init__(lr, weight_decay)
        self.momentum, self.nesterov = _number("momentum", momentum, below=1), bool(nesterov)
        if nesterov and not momentum:
            raise ParameterError("The 'nesterov' parameter of SGD needs a momentum above 0; got momentum=0.")

    def step(self, weight: Array, gradient: Array, lr: float, *state: Array) -> None:
        """Change one weight and its velocity in place."""
        (velocity,) = state
        if self.weight_decay:
            gradient = gradient + self.weight_decay * weight
        velocity *= self.momentum
        velocity += gradient
        weight -= lr * (gradient + self.momentum * velocity if self.nesterov else velocity)

    def kernel(self, lr: float) -> tuple[Kernel, tuple[float, ...]]:
        """Return the compiled update and its rates."""
        return optimisers.sgd(self.nesterov), (lr, self.momentum, self.weight_decay)


class Adam(Optimizer):
    """Steps scaled by running means of the gradient and its square (Kingma & Ba 2015)."""

    slots = ("mean", "square")

    def __init__(
        self, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0.0
    ) -> None:
        super().__init__(lr, weight_decay)
        self.betas = _number("betas", betas[0], below=1), _number("betas", betas[1], below=1)
        self.eps = _number("eps", eps)

    def step(self, weight: Array, gradient: Array, lr: float, *state: Array) -> None:
        """Change one weight and its two means in place."""
        if self.weight_decay:
            gradient = gradient + self.weight_decay * weight
        self._move(weight, gradient, lr, *state)

    def _move(self, weight: Array, gradient: Array, lr: float, mean: Array, square: Array) -> None:
        first, second = self.betas
        mean += (1 - first) * (gradient - mean)
        square *= second
        square += (1 - second) * gradient * gradient
        correction = math.sqrt(1 - second**self.steps)
        weight -= lr / (1 - first**self.steps) * mean / (np.sqrt(square) / correction + self.eps)

    def kernel(self, lr: float) -> tuple[Kernel, tuple[float, ...]]:
        """Return the compiled update and its rates."""
        return optimisers.adam, (*self._rates(lr), self.weight_decay, 1.0)

    def _rates(self, lr: float) -> tuple[float, ...]:
        first, second = self.betas
        step, correction = lr / (1 - first**self.steps), 1 / math.sqrt(1 - second**self.steps)
        return 1 - first, second, 1 - second, step, correction, self.eps


class AdamW(Adam):
    """Adam with the weight decay taken off the weights, not put into the gradient (Loshchilov & Hutter 2019)."""

    def __init__(
        self, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 1e-2
    ) -> None:
        super().__init__(lr, betas, eps, weight_decay)

    def step(self, weight: Array, gradient: Array, lr: float, *state: Array) -> None:
        """Change one weight and its two means in place."""
        weight *= 1 - lr * self.weight_decay
        self._move(weight, gradient, lr, *state)

    def kernel(self, lr: float) -> tuple[Kernel, tuple[float, ...]]:
        """Return the compiled update and its rates."""
        return optimisers.adam, (*self._rates(lr), 0.0, 1 - lr * self.weight_decay)


def clip_gradients(gradients: dict[str, Array], norm: float) -> dict[str, Array]:
    """Scale all gradients alike so that their common Euclidean norm is at most ``norm`` (as PyTorch does).

    >>> clip_gradients({"w": np.array([3.0, 4.0])}, 10.0)["w"].tolist()
    [3.0, 4.0]
    """
    total = math.sqrt(sum(float(np.vdot(g, g)) for g in gradients.values()))
    scale = min(1.0, norm / (total + 1e-6))
    return gradients if scale == 1.0 else {name: g * np.asarray(scale, g.dtype) for name, g in gradients.items()}


def _is_plain(array: Array) -> bool:
    """Whether a kernel may change an array in place."""
    return array.dtype == np.float32 and array.flags.c_contiguous and array.flags.writeable


def _run(kernel: Kernel, rates: Array, weights: Sequence[tuple[Array, ...]]) -> None:
    """Update all weights, each given with its gradient and state, in one run of a program."""
    program = _program(kernel, tuple(weight.size for weight, *_ in weights), len(weights[0]))
    named = {_name(number, place): array for number, arrays in enumerate(weights) for place, array in enumerate(arrays)}
    program.run(named | {"rates": rates})


@lru_cache(maxsize=16)
def _program(kernel: Kernel, sizes: tuple[int, ...], arrays: int) -> Program:
    """Write the program that updates weights of so many numbers, each with its gradient and state."""
    rates = Buffer((1,), external="rates")
    calls = []
    for number, size in enumerate(sizes):
        buffers = [Buffer((size,), external=_name(number, place)) for place in range(arrays)]
        count, floats = parts(buffers[0])
        calls.append(Call(kernel, count, (floats, rates, *buffers)))
    return Program(calls)


def _name(number: int, place: int) -> str:
    return f"{number}.{place}"


def _number(name: str, value: Any, below: float = math.inf) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < below:
        upper = f" and below {below:g}" if below < math.inf else " and finite"
        raise ParameterError(f"The '{name}' parameter of an optimiser must be at least 0{upper}; got {value!r}.")
    return float(value)
