import copy
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import pellucid.nn as nn
from pellucid.errors import ParameterError, ShapeError
from tests.nn.pair import images


def small():
    return nn.Sequential({"conv": nn.Conv2d(3, 4, 3), "bn": nn.BatchNorm2d(4), "fc": nn.Linear(6, 2)})


class TestPlans:
    """A plan made once is used again, but never after something it rests on has changed."""

    def test_other_shapes(self):
        net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
        for shape in ((1, 3, 5, 5), (2, 3, 7, 4), (1, 3, 5, 5), (0, 3, 5, 5)):
            x = images(*shape)
            expected = np.maximum(nn.functional.conv2d(x, net[0].weight, net[0].bias), 0)
            np.testing.assert_array_equal(net(x), expected)

    def test_weights_changed_in_place_and_replaced(self):
        net = nn.Linear(3, 2, bias=False)
        x = images(4, 3)
        net(x)
        net.weight.data *= 2
        np.testing.assert_array_equal(net(x), nn.functional.linear(x, net.weight.data))
        net.weight.data = np.ones((2, 3), "float32")
        np.testing.assert_allclose(net(x), np.repeat(x.sum(1, keepdims=True), 2, 1), rtol=1e-5)
        net.weight = nn.Parameter(np.zeros((2, 3), "float32"))
        assert (net(x) == 0).all()

    def test_weights_of_another_shape_or_dtype(self):
        net = nn.Linear(3, 2, bias=False)
        x = images(4, 3)
        net(x)
        net.weight.data = np.ones((5, 3), "float32")
        assert net(x).shape == (4, 5)
        net.weight.data = np.ones((5, 3), "float64")
        assert net(x.astype("float64")).dtype == "float64"

    def test_layers_replaced_added_and_removed(self):
        net = nn.Sequential(nn.Identity(), nn.ReLU())
        x = images()
        net(x)
        net[1] = nn.Tanh()
        np.testing.assert_allclose(net(x), np.tanh(x), rtol=1e-6)
        net.append(nn.ReLU())
        np.testing.assert_allclose(net(x), np.maximum(np.tanh(x), 0), rtol=1e-6)
        delattr(net, "1")
        np.testing.assert_array_equal(net(x), np.maximum(x, 0))

    def test_settings_changed(self):
        net = nn.Sequential(nn.Dropout(0.5))
        x = np.ones((1, 10_000), "float32")
        assert 0.4 < (net(x) == 0).mean() < 0.6
        net[0].p = 0.9
        assert (net(x) == 0).mean() > 0.85

    def test_modes_changed_for_one_layer_only(self):
        net = nn.Sequential(nn.Dropout(0.5), nn.Dropout(0.5))
        x = np.ones((1, 10_000), "float32")
        net(x)
        net[0].eval()
        assert 0.4 < (net(x) == 0).mean() < 0.6
        net.eval()
        assert (net(x) == 1).all()
        net.train()
        assert 0.65 < (net(x) == 0).mean() < 0.85

    def test_the_same_plan_is_used_while_nothing_changes(self):
        made = []

        class Watched(nn.Module):
            def forward(self, x):
                made.append(x.shape)
                return x * 2

        net = nn.Sequential(Watched())
        for _ in range(3):
            net(images(2, 3))
            net.eval()(images(2, 3))
            net.train()
        assert len(made) == 2

    def test_a_forward_that_keeps_something_is_still_right(self):
        class Keeps(nn.Module):
            def forward(self, x):
                self.seen = x
                return x + 1

        net = Keeps()
        for n in range(3):
            assert (net(np.full((1, 2), n, "float32")) == n + 1).all()


def test_threads_may_share_a_network():
    net = small().eval()
    batches = [images(seed=seed) for seed in range(8)]
    expected = [net(x) for x in batches]
    net.conv = net.conv  # forgets the plan, so that the threads make it
    with ThreadPoolExecutor(8) as pool:
        for found, alone in zip(pool.map(net, batches), expected, strict=True):
            np.testing.assert_array_equal(found, alone)


class TestState:
    def test_it_is_a_copy(self):
        net = small()
        state = net.state_dict()
        state["conv.weight"][...] = 0
        assert (net.conv.weight.data != 0).all()
        net.load_state_dict(state)
        state["conv.weight"][...] = 1
        assert (net.conv.weight.data == 0).all()

    def test_arrays_are_the_network_s_own(self):
        net = small()
        net.arrays()["conv.bias"][...] = 7
        assert (net.conv.bias.data == 7).all()

    def test_loading_converts_the_dtype(self):
        net = small()
        net.load_state_dict({name: array.astype("float64") for name, array in net.state_dict().items()})
        assert net.conv.weight.data.dtype == "float32"
        assert net.bn.num_batches_tracked.data.dtype == "int64"

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda s: s.pop("fc.bias"), r"does not fit Sequential: it lacks fc\.bias\.$"),
            (lambda s: s.update(extra=np.zeros(1)), "it has extra, which the network does not"),
            (lambda s: s.update({"fc.bias": np.zeros(3)}), r"'fc\.bias' is float64\(3,\); .* float32\(2,\)"),
            (lambda s: s.update({"fc.bias": np.zeros((2, 1))}), r"'fc\.bias' is float64\(2, 1\)"),
            (lambda s: s.update({"fc.bias": np.array(["a", "b"])}), r"'fc\.bias' is str"),
            (lambda s: s.update({"fc.bias": np.array([None, 1])}), r"'fc\.bias' is object"),
            (lambda s: s.update({"fc.bias": np.zeros(2, complex)}), r"'fc\.bias' is complex128"),
            (lambda s: s.update({"fc.bias": "text"}), r"'fc\.bias' is str"),
        ],
    )
    def test_what_does_not_fit_is_refused_and_nothing_changed(self, change, message):
        net, other = small(), small()
        before, state = net.state_dict(), other.state_dict()
        change(state)
        with pytest.raises(ShapeError, match=message):
            net.load_state_dict(state)
        for name, array in net.state_dict().items():
            np.testing.assert_array_equal(array, before[name])

    def test_a_copied_network_is_independent(self):
        net = small().eval()
        x = images()
        expected = net(x)
        other = copy.deepcopy(net)
        other.conv.weight.data[...] = 0
        np.testing.assert_array_equal(net(x), expected)
        assert not (other(x) == expected).all()

    def test_freezing(self):
        net = small().requires_grad_(False)
        assert not any(parameter.requires_grad for parameter in net.parameters())
        assert all(parameter.requires_grad for parameter in net.requires_grad_().parameters())
        assert not any(buffer.requires_grad for _, buffer in net.named_buffers())

    def test_evaluating_returns_every_module_to_its_own_mode(self):
        net = small()
        net.bn.eval()
        with net.evaluating():
            assert not any(module.training for module in net.modules())
        assert [module.training for module in net.modules()] == [True, True, False, True]


class TestDropout:
    X = np.ones((10, 1000), "float32")

    def test_every_call_drops_others(self):
        net = nn.Dropout(0.5)
        assert 0.4 < (net(self.X) == net(self.X)).mean() < 0.6

    def test_layers_of_one_network_drop_independently(self):
        net = nn.Sequential(nn.Dropout(0.5), nn.Dropout(0.5))
        assert 0.7 < (net(self.X) == 0).mean() < 0.8

    def test_a_seed_repeats_it(self):
        net = nn.Sequential(nn.Dropout(0.3), nn.Dropout(0.3))
        nn.manual_seed(4)
        first = [net(self.X) for _ in range(3)]
        nn.manual_seed(4)
        for expected in first:
            np.testing.assert_array_equal(net(self.X), expected)

    def test_the_mean_stays(self):
        kept = nn.Dropout(0.25)(self.X)
        assert set(np.unique(kept)) == {0, np.float32(4 / 3)}
        assert abs(kept.mean() - 1) < 5 * np.sqrt(0.25 / 0.75 / kept.size)


class TestArguments:
    @pytest.mark.parametrize("dtype", ["float64", "float16"])
    def test_another_dtype_is_refused(self, dtype):
        with pytest.raises(ShapeError, match=rf"Sequential computes in float32, got an array of {dtype}; .*astype"):
            small()(images().astype(dtype))

    def test_whole_numbers_are_refused_by_the_first_layer(self):
        with pytest.raises(ShapeError, match=r"^Conv2d 'conv' needs float32 or float64 values, got uint8; convert"):
            small()(images().astype("uint8"))

    def test_the_layer_that_does_not_fit_is_named(self):
        with pytest.raises(
            ShapeError, match=r"^Linear 'fc' needs 6 features on the last axis, got shape \(2, 4, 6, 7\)"
        ):
            small()(images(2, 3, 8, 9))
        with pytest.raises(ShapeError, match=r"channels last\? x\.transpose\(0, 3, 1, 2\)"):
            small()(images(2, 8, 8, 3))

    def test_a_layer_by_itself_names_itself(self):
        with pytest.raises(ShapeError, match=r"^Conv2d 'conv2d' needs 3 channels"):
            nn.Conv2d(3, 4, 3)(images(2, 4, 8, 8))

    def test_lists_of_numbers_are_arrays(self):
        np.testing.assert_array_equal(nn.ReLU()([[-1, 2.5]]), [[0, 2.5]])

    def test_an_unknown_path_lists_what_there_is(self):
        with pytest.raises(ParameterError, match=r"Sequential has no module 'head'; it has conv, bn, fc\."):
            small().get_submodule("head")

    @pytest.mark.parametrize("seed", [-1, 2**64, 1.5, "1", None, True])
    def test_bad_seeds(self, seed):
        with pytest.raises(ParameterError, match="'seed' parameter of manual_seed must be an integer from 0"):
            nn.manual_seed(seed)


def test_inputs_named_like_parameters_do_not_collide():
    class Scale(nn.Module):
        def __init__(self):
            super().__init__()
            self.x = nn.Parameter(np.full(2, 3.0, "float32"))

        def forward(self, x):
            return x * self.x

    assert (Scale()(np.ones((1, 2), "float32")) == 3).all()
    assert list(Scale().graph((1, 2)).inputs) == ["input_x"]


def test_results_do_not_share_memory_with_weights():
    class Bias(nn.Module):
        def __init__(self):
            super().__init__()
            self.bias = nn.Parameter(np.zeros(2, "float32"))

        def forward(self, x):
            return (x * 0).sum() + self.bias

    net = Bias()
    net(np.ones(2, "float32"))[...] = 5
    assert (net.bias.data == 0).all()


def test_registered_parts_and_none():
    net = nn.Module()
    net.register_parameter("weight", nn.Parameter(np.zeros(2)))
    net.register_buffer("mean", np.ones(2))
    net.register_buffer("nothing", None)
    assert list(net.state_dict()) == ["weight", "mean"]
    assert net.nothing is None
    assert isinstance(net.mean, nn.Buffer)


def test_a_stream_of_sizes_does_not_fill_the_memory():
    net = nn.Sequential(nn.ReLU())
    for size in range(1, 300):
        assert net(np.ones((1, size), "float32")).shape == (1, size)
    assert len(net._plans._kept) <= 64
