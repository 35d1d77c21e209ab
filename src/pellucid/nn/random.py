"""The random numbers of layers: first weights, and keys for dropout outside of :func:`pellucid.fit`."""

import numpy as np

from pellucid.types import Array, Shape


class _State:
    seed = 0
    step = 0
    generator = np.random.default_rng(0)


def manual_seed(seed: int) -> None:
    """Make the weights of layers created from now on, and their dropout, repeatable."""
    _State.seed, _State.step = seed, 0
    _State.generator = np.random.default_rng(seed)


def uniform(shape: Shape, bound: float) -> Array:
    """Float32 values drawn uniformly from [−bound, bound)."""
    return _State.generator.uniform(-bound, bound, shape).astype(np.float32)


def next_key() -> Array:
    """A dropout key, uint64 (seed, step), not given out before."""
    _State.step += 1
    return np.array([_State.seed, _State.step], np.uint64)
