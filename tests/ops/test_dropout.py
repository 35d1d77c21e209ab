import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid import ops
from pellucid.graph import EXECUTORS
from tests.ops.running import family, run
from tests.strategies import elementwise_cases, shapes


def keys(seed, step):
    return np.array([seed, step], np.uint64)


@family
@given(
    elementwise_cases(), st.sampled_from((0.0, 0.3, 0.5, 1.0)), st.integers(0, 2**64 - 1), st.sampled_from(EXECUTORS)
)
def test_dropout_drops_what_its_mask_says_and_scales_the_rest(case, p, seed, executor):
    op = ops.Dropout(p, salt=3, training=True)
    x = case.array("x", "float32")
    dy = case.gradient(x)
    found = run(op, {"x": x, "key": keys(seed, 1)}, dy, ("x",), executor=executor)
    mask = found.results["mask"]
    scale = np.float32(1 / (1 - p)) if p < 1 else np.float32(0)
    np.testing.assert_allclose(found.results["y"], x * mask * scale, rtol=1e-6)
    np.testing.assert_allclose(found.gradients["x"], dy * mask * scale, rtol=1e-6)
    again = run(op, {"x": x, "key": keys(seed, 1)}, executor="reference").results["mask"]
    np.testing.assert_array_equal(mask, again)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_key_step_and_salt_each_change_what_is_dropped(executor):
    x = np.ones(1000)
    masks = [
        run(ops.Dropout(0.5, salt, training=True), {"x": x, "key": key}, executor=executor).results["mask"]
        for key, salt in ((keys(0, 0), 0), (keys(1, 0), 0), (keys(0, 1), 0), (keys(0, 0), 1))
    ]
    for i in range(len(masks)):
        for other in masks[:i]:
            assert 400 < (masks[i] == other).sum() < 600  # 6 standard deviations of 1000 coin tosses are 95


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_share_dropped_is_p(p):
    mask = run(ops.Dropout(p, training=True), {"x": np.ones(100_000), "key": keys(5, 5)}).results["mask"]
    deviation = np.sqrt(p * (1 - p) / mask.size)
    assert abs((~mask).mean() - p) < 5 * deviation


@given(shapes(3, 4))
def test_whole_channels_are_dropped(shape):
    op = ops.Dropout(0.5, per_channel=True, training=True)
    found = run(op, {"x": np.ones(shape), "key": keys(1, 2)}, np.ones(shape), ("x",))
    assert found.results["mask"].shape == (*shape[:2], *(1 for _ in shape[2:]))
    np.testing.assert_array_equal(found.results["y"], np.broadcast_to(2.0 * found.results["mask"], shape))
    np.testing.assert_array_equal(found.gradients["x"], found.results["y"])


@pytest.mark.parametrize("executor", EXECUTORS)
def test_outside_of_training_dropout_passes_everything_on(executor):
    x = np.arange(6.0)
    found = run(ops.Dropout(0.9), {"x": x, "key": None}, np.cos(x), ("x",), executor=executor)
    np.testing.assert_array_equal(found.results["y"], x)
    np.testing.assert_array_equal(found.gradients["x"], np.cos(x))
