import numpy as np
import pytest

from pellucid import reference as ref

KEY = np.array([42, 7], np.uint64)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cells_are_kept_and_scaled_or_zero(dtype):
    x = np.random.default_rng(0).standard_normal((50, 40)).astype(dtype)
    y, mask = ref.dropout(x, KEY, p=0.25, salt=3)
    assert y.dtype == dtype
    assert mask.dtype == bool
    assert mask.shape == x.shape
    np.testing.assert_array_equal(y[mask], x[mask] / np.array(0.75, dtype))
    np.testing.assert_array_equal(y[~mask], 0)
    # 2,000 draws with probability 0.75: a standard deviation is 0.0097
    assert abs(mask.mean() - 0.75) < 0.05
    dy = np.ones_like(x)
    np.testing.assert_array_equal(ref.dropout_backward(dy, mask, p=0.25), mask / np.array(0.75, dtype))


def test_the_mask_is_philoxs():
    _, mask = ref.dropout(np.ones((3, 4)), KEY, p=0.5, salt=9)
    philox = np.random.Generator(np.random.Philox(key=KEY, counter=[0, 0, 0, 9]))
    np.testing.assert_array_equal(mask, philox.random((3, 4)) >= 0.5)


def test_the_mask_follows_from_seed_step_and_salt_alone():
    x = np.ones((8, 8))

    def mask(seed=1, step=2, salt=3):
        return ref.dropout(x, np.array([seed, step], np.uint64), p=0.5, salt=salt)[1].tolist()

    assert mask() == mask()
    assert mask() not in (mask(seed=5), mask(step=5), mask(salt=5))


def test_per_channel_switches_whole_channels():
    x = np.ones((5, 6, 3, 2))
    y, mask = ref.dropout(x, KEY, p=0.5, salt=0, per_channel=True)
    assert mask.shape == (5, 6, 1, 1)
    np.testing.assert_array_equal(y, np.broadcast_to(2.0 * mask, x.shape))


def test_the_extreme_probabilities():
    x = np.ones((4, 4))
    np.testing.assert_array_equal(ref.dropout(x, KEY, p=0.0, salt=0)[0], x)
    y, mask = ref.dropout(x, KEY, p=1.0, salt=0)
    np.testing.assert_array_equal(y, 0)
    np.testing.assert_array_equal(ref.dropout_backward(x, mask, p=1.0), 0)
