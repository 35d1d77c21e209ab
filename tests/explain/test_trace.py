from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pellucid as pel
import pellucid.nn as nn
from pellucid.data import Preprocessing
from pellucid.explain.trace import trace


@pytest.fixture
def net() -> nn.Module:
    pel.manual_seed(0)
    return pel.zoo.build("tiny")


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((1, 28, 28)).astype(np.float32)


def test_every_layer_is_what_running_the_network_that_far_gives(net: nn.Module, image: np.ndarray) -> None:
    t = trace(net, image)

    assert [layer.name for layer in t] == [name for name, _ in net.named_children()]
    partial = image[None]
    net.eval()
    for name, layer in net.named_children():
        partial = layer(partial)
        np.testing.assert_array_equal(t[name].output, partial[0])
    assert t["conv2"].output.shape == (8, 14, 14)
    assert t["fc"].output.shape == (10,)
    assert t["conv2"].op == "Conv2d"
    assert t["conv2"].output.dtype == np.float32
    np.testing.assert_array_equal(t.image, image)


def test_a_layer_of_several_operations_is_found_by_its_path() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 3, padding=1)

        def forward(self, x):
            return x + self.conv(x)

    net = nn.Sequential({"block": Block(), "relu": nn.ReLU()}).eval()
    image = np.ones((1, 4, 4), np.float32)
    t = trace(net, image)

    assert "block" in t
    assert "block.conv" in t
    assert "nothing" not in t
    np.testing.assert_array_equal(t["block"].output, image + t["block.conv"].output)


def test_dropout_is_off_and_the_mode_comes_back() -> None:
    net = nn.Sequential({"conv": nn.Conv2d(1, 3, 3), "drop": nn.Dropout(0.9)})
    t = trace(net, np.ones((1, 5, 5), np.float32))

    np.testing.assert_array_equal(t["drop"].output, t["conv"].output)
    assert net.training
    assert net.get_submodule("drop").training


def test_a_trace_outlives_changes(net: nn.Module, image: np.ndarray) -> None:
    t = trace(net, image)
    before = t.cell("conv1", channel=0, y=3, x=3)
    image[...] = 7
    for parameter in net.parameters():
        parameter.data *= 2

    after = t.cell("conv1", channel=0, y=3, x=3)
    np.testing.assert_array_equal(after.products, before.products)
    with pytest.raises(ValueError, match="read-only"):
        t["conv1"].output[0] = 0


def test_a_picture_is_prepared_as_the_metadata_say(net: nn.Module) -> None:
    preprocessing = Preprocessing((28, 28), 1, (0.25,), (0.5,))
    net.metadata["preprocessing"] = preprocessing.as_dict()
    picture = Image.new("RGB", (56, 56), "white")

    np.testing.assert_array_equal(trace(net, picture).image, np.full((1, 28, 28), 1.5, np.float32))
    assert trace(net.double(), picture).image.dtype == np.float64


def test_float64_networks_are_traced_in_float64(net: nn.Module, image: np.ndarray) -> None:
    assert trace(net.double(), image.astype(np.float64))["conv2"].output.dtype == np.float64


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            lambda image: image.astype(np.float64),
            pel.ShapeError,
            r"must be float32, as .*; got float64; .*astype\('float32'\)",
        ),
        (
            lambda image: (image * 9).astype(np.uint8),
            pel.ShapeError,
            "must be float32, as the network's weights are; got uint8",
        ),
        (lambda image: image[None], pel.ShapeError, r"shape \(1, 1, 28, 28\); choose one: images\[0\]"),
        (lambda image: image[0], pel.ShapeError, r"shape \(28, 28\); add the channel: image\[None\]"),
        (
            lambda image: "foo.png",
            pel.ParameterError,
            r"an array of float32 \(C, H, W\), or a Pillow image; got 'foo.png'",
        ),
        (lambda image: [[1], [1, 2]], pel.ParameterError, r"or a Pillow image; got \[\[1\], \[1, 2\]\]; open a file"),
        (lambda image: image * np.nan, pel.DataError, "must be finite"),
        (lambda image: np.repeat(image, 3, 0), pel.ShapeError, "'conv1' needs 1 channels"),
        (lambda image: Image.new("L", (28, 28)), pel.ParameterError, "does not say how a picture"),
    ],
)
def test_unsuitable_images_are_refused(net: nn.Module, image: np.ndarray, change, error, message: str) -> None:
    net.metadata.pop("preprocessing", None)
    with pytest.raises(error, match=message):
        trace(net, change(image))


def test_unknown_layers_are_refused_with_the_nearest_names(net: nn.Module, image: np.ndarray) -> None:
    t = trace(net, image)

    with pytest.raises(pel.ParameterError, match=r"There is no layer 'conv3'; the nearest are conv[12], conv[12]"):
        t["conv3"]
    with pytest.raises(pel.ParameterError, match="There is no layer 'zzz'; there are conv1, relu1"):
        t.cell("zzz", channel=0, y=0, x=0)
    with pytest.raises(pel.ParameterError, match="There is no layer 5; there are conv1, relu1"):
        t[5]


def test_layers_tell_what_they_are_before_they_are_computed(net: nn.Module, image: np.ndarray) -> None:
    t = trace(net, image)

    assert [layer.shape for layer in t][-1] == (10,)
    assert t["conv2"].kernel.startswith("conv2d")
    assert repr(t["conv2"]) == "Layer conv2: Conv2d, float32(8, 14, 14)"
    assert t.nbytes == 0
    place = t["conv2"].largest
    assert t["conv2"].output[place] == t["conv2"].output.max()
    assert t.nbytes > 0


def test_the_last_layer_is_the_network_within_rounding(net: nn.Module, image: np.ndarray) -> None:
    """A trace computes layer by layer, a network may fuse them."""
    np.testing.assert_allclose(trace(net, image)["fc"].output, net.eval()(image[None])[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("memory", [-1, 0.5, True])
def test_memory_is_a_number_of_bytes(net: nn.Module, image: np.ndarray, memory: object) -> None:
    with pytest.raises(pel.ParameterError, match="'memory' parameter of trace must be a number of bytes from 0 up"):
        trace(net, image, memory=memory)  # type: ignore[arg-type]


class Both(nn.Module):
    def forward(self, left, right):
        return left + right


def test_a_network_of_two_inputs_is_refused(tmp_path: Path) -> None:
    image = np.zeros((1, 4, 4), np.float32)
    with pytest.raises(
        pel.ParameterError, match="must take one input, an image; got Both, which takes left, right; wrap"
    ):
        trace(Both(), image)

    both = Both()
    both(image[None], image[None])
    pel.save(both, tmp_path / "both.safetensors")
    with pytest.raises(pel.ParameterError, match="got GraphModule, which takes left, right"):
        trace(pel.load(tmp_path / "both.safetensors"), image)


def test_a_vector_is_traced_through_a_network_of_vectors() -> None:
    net = nn.Sequential({"fc": nn.Linear(3, 2)})
    assert trace(net, np.ones(3, np.float32))["fc"].shape == (2,)
