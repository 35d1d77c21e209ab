import numpy as np
import pytest

from pellucid.data import randomness
from pellucid.errors import ParameterError


def test_a_permutation_depends_on_seed_and_place_alone() -> None:
    first = randomness.permutation(1000, 3, 1, 2)
    assert sorted(first.tolist()) == list(range(1000))
    assert np.array_equal(first, randomness.permutation(1000, 3, 1, 2))
    for other in ((4, 1, 2), (3, 2, 1), (3, 1), (3, 1, 2, 0)):
        assert not np.array_equal(first, randomness.permutation(1000, *other))


def test_permutations_never_change_from_one_release_to_the_next() -> None:
    assert randomness.permutation(8, 0).tolist() == [3, 2, 1, 6, 0, 7, 4, 5]


def test_permutations_are_uniform() -> None:
    counts = np.zeros((5, 5))
    for seed in range(2000):
        counts[np.arange(5), randomness.permutation(5, seed)] += 1
    assert (abs(counts - 400) < 5 * np.sqrt(400 * 0.8)).all()


@pytest.mark.parametrize("seed", [-1, 1.5, True, "0"])
def test_other_seeds_are_refused(seed: int) -> None:
    with pytest.raises(ParameterError, match="'seed' parameter must be a whole number of at least 0; got"):
        randomness.generator(seed)
