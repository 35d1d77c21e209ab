"""The random numbers of layers: first weights, and keys for dropout outside of :func:`pellucid.fit`."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from pellucid.errors import ParameterError
from pellucid.types import Array, Shape


class _State:
    seed = 0
    step = 0
    generator = np.random.default_rng(0)


def manual_seed(seed: int) -> None:
    """Make the weights of layers created from now on, and their dropout, repeatable.

    Raises ParameterError where the seed is not an integer from 0 to 2⁶⁴ − 1.
    """
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or not 0 <= seed < 2**64:
        raise ParameterError(f"The 'seed' parameter of manual_seed must be an integer from 0 to 2⁶⁴ − 1; got {seed!r}.")
    _State.seed, _State.step = seed, 0
    _State.generator = np.random.default_rng(seed)


_skipping: ContextVar[bool] = ContextVar("pellucid_skip_init", default=False)


@contextmanager
def skip_init() -> Iterator[None]:
    """Leave the weights of layers created inside at zero, for counting a network or for loading its weights.

    Nothing is drawn and, until somebody writes to the weights, no memory is touched.

    >>> from pellucid.nn import Linear
    >>> with skip_init():
    ...     Linear(3, 2).weight.data.any()
    np.False_
    """
    token = _skipping.set(True)
    try:
        yield
    finally:
        _skipping.reset(token)


def uniform(shape: Shape, bound: float) -> Array:
    """Float32 values drawn uniformly from [−bound, bound)."""
    if _skipping.get():
        return np.zeros(shape, np.float32)
    return _State.generator.uniform(-bound, bound, shape).astype(np.float32)


def normal(shape: Shape, std: float) -> Array:
    """Float32 values drawn from a normal distribution of mean 0."""
    if _skipping.get():
        return np.zeros(shape, np.float32)
    drawn: Array = _State.generator.standard_normal(shape, dtype=np.float32)
    drawn *= np.float32(std)
    return drawn


def next_key() -> Array:
    """Return a dropout key, uint64 (seed, step), not given out before."""
    _State.step += 1
    return np.array([_State.seed, _State.step], np.uint64)
