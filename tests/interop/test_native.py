"""Model files: what goes in comes out."""

import json

import numpy as np
import pytest
from safetensors import safe_open

import pellucid as pel
from pellucid import nn
from pellucid.errors import FileError, ParameterError


class TwoHeads(nn.Module):
    """Branches, a shared layer, a free parameter, a constant, batch norm, dropout, two outputs."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential({"conv": nn.Conv2d(2, 4, 3, padding=1), "norm": nn.BatchNorm2d(4), "act": nn.ReLU()})
        self.gain = nn.Parameter(np.full((4, 1, 1), 2, np.float32))
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(4, 3)

    def forward(self, image):
        x = self.body(image) * self.gain + 0.25
        pooled = self.drop(x).mean((2, 3))
        return {"scores": self.head(pooled), "maps": x.reshape(x.shape[0], -1)}


@pytest.fixture
def net():
    nn.manual_seed(0)
    return TwoHeads()


IMAGES = np.random.default_rng(0).standard_normal((5, 2, 6, 6)).astype(np.float32)


def test_outputs_are_equal_for_any_batch_size(net, tmp_path):
    net(IMAGES)  # moves the running statistics
    pel.save(net, tmp_path / "a.safetensors")
    loaded = pel.load(tmp_path / "a.safetensors")
    net.eval()
    for batch in (IMAGES, IMAGES[:1]):
        expected, found = net(batch), loaded(batch)
        assert list(found) == list(expected)
        for name in expected:
            assert (found[name] == expected[name]).all()


def test_layers_and_state_keep_their_names(net, tmp_path):
    net(IMAGES)
    pel.save(net, tmp_path / "a.safetensors")
    loaded = pel.load(tmp_path / "a.safetensors")
    assert set(loaded.state_dict()) == set(net.state_dict())
    net.eval()
    assert set(loaded.graph((1, 2, 6, 6)).layers) == set(net.graph((1, 2, 6, 6)).layers)
    net.load_state_dict(loaded.state_dict())


def test_a_loaded_network_trains_like_the_one_that_was_saved(net, tmp_path):
    net(IMAGES)
    pel.save(net, tmp_path / "a.safetensors")
    loaded = pel.load(tmp_path / "a.safetensors").train()

    def loss(output, target):
        return pel.losses.cross_entropy(output["scores"], target)

    results = []
    for trained in (net, loaded):
        nn.manual_seed(7)  # the same dropout
        results.append(pel.value_and_grad(trained, loss)(IMAGES, np.arange(5) % 3))
    assert results[0][0] == results[1][0]
    for name, gradient in results[0][1].items():
        assert (gradient == results[1][1][name]).all(), name
    for name, array in net.state_dict().items():
        assert (array == loaded.state_dict()[name]).all(), name


def test_saved_twice_the_bytes_are_the_same(net, tmp_path):
    net(IMAGES)
    net.metadata = {"name": "two", "classes": ["a", "b", "c"], "zeta": 1, "alpha": 2}
    for name in ("a", "b"):
        pel.save(net, tmp_path / name)
    pel.save(pel.load(tmp_path / "a"), tmp_path / "c")
    first = (tmp_path / "a").read_bytes()
    assert first == (tmp_path / "b").read_bytes()
    assert pel.load(tmp_path / "c").metadata == net.metadata


def test_other_programs_can_read_the_weights(net, tmp_path):
    net(IMAGES)
    pel.save(net, tmp_path / "a.safetensors", {"name": "two"})
    with safe_open(tmp_path / "a.safetensors", "numpy") as file:
        assert (file.get_tensor("body.conv.weight") == net.body.conv.weight.data).all()
        assert json.loads(file.metadata()["pellucid"])["metadata"]["name"] == "two"


def test_float64_networks_stay_so(net, tmp_path):
    net.double()(IMAGES.astype(np.float64))
    pel.save(net, tmp_path / "a")
    assert pel.load(tmp_path / "a")(IMAGES.astype(np.float64))["scores"].dtype == np.float64


class Returns(nn.Module):
    def __init__(self, arrange):
        super().__init__()
        self.arrange = arrange

    def forward(self, x):
        return self.arrange(x + 1.0, x * 2.0)


@pytest.mark.parametrize(
    "arrange",
    [
        lambda a, b: (a, b),
        lambda a, b: [a, b],
        lambda a, b: {"output": a},
        lambda a, b: {"1": b, "0": a},
        lambda a, b: a,
    ],
)
def test_results_keep_their_form(arrange, tmp_path):
    net = Returns(arrange)
    expected = net(IMAGES)
    pel.save(net, tmp_path / "a")
    found = pel.load(tmp_path / "a")(IMAGES)
    assert type(found) is type(expected)
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        found, expected = list(found.values()), list(expected.values())
    np.testing.assert_array_equal(found, expected)


def test_a_network_never_called_says_what_it_needs(net, tmp_path):
    with pytest.raises(ParameterError, match=r"call it once, or save it with metadata=\{'input': \(C, H, W\)\}"):
        pel.save(net, tmp_path / "a")
    pel.save(net, tmp_path / "a", {"input": (2, 6, 6)})
    assert pel.load(tmp_path / "a")(IMAGES)["scores"].shape == (5, 3)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [({"note": object()}, "must be JSON values; got others"), ({"input": 5}, r"'input' .* must be \(C, H, W\); got 5")],
)
def test_metadata_that_cannot_be_kept(net, tmp_path, metadata, message):
    with pytest.raises(ParameterError, match=message):
        pel.save(net, tmp_path / "net.safetensors", {"input": [2, 6, 6], **metadata})
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file(net, tmp_path, monkeypatch):
    net(IMAGES)
    target = tmp_path / "a"
    pel.save(net, target)
    before = target.read_bytes()
    net.gain.data *= 2

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(FileError, match="cannot be written: No space left on device; what was there before is untou"):
        pel.save(net, target)
    assert target.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_folder_that_does_not_exist(net, tmp_path):
    net(IMAGES)
    with pytest.raises(FileError, match="cannot be written: No such file or directory"):
        pel.save(net, tmp_path / "none" / "a")
