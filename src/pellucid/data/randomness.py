"""Random numbers that depend on nothing but a seed and a place: what a resumed run needs.

A generator is made afresh for each (seed, purpose, epoch, batch, …), so no state has to be saved or restored.
"""

import numpy as np

from pellucid.errors import ParameterError
from pellucid.types import Array

# One number per purpose keeps the streams of one seed apart.
ORDER, AUGMENT, SPLIT = range(3)


def generator(seed: int, *place: int) -> np.random.Generator:
    """Return the generator that belongs to a seed and a place.

    >>> generator(0, ORDER, 3).integers(100) == generator(0, ORDER, 3).integers(100)
    np.True_
    """
    return np.random.Generator(_bits(seed, *place))


def permutation(n: int, seed: int, *place: int) -> Array:
    """Return a permutation of 0 … n−1, int64 (n,).

    Sorts raw 64-bit words instead of calling ``Generator.permutation``: NumPy promises never to change the
    words of a bit generator, and makes no such promise for the methods built on them.

    >>> sorted(permutation(5, 0, SPLIT).tolist())
    [0, 1, 2, 3, 4]
    """
    words = _bits(seed, *place).random_raw(n)
    return np.argsort(words, kind="stable").astype(np.int64, copy=False)


def _bits(seed: int, *place: int) -> np.random.PCG64:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ParameterError(f"The 'seed' parameter must be a whole number of at least 0; got {seed!r}.")
    return np.random.PCG64(np.random.SeedSequence(int(seed), spawn_key=place))
