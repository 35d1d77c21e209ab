import json

import numpy as np
import pytest
import scipy.ndimage
from PIL import Image

from pellucid import nn
from pellucid.errors import DataError, ParameterError, ShapeError
from pellucid.explain.attribution import score as scores
from pellucid.explain.attribution.attribute import METHODS, attribute
from pellucid.explain.attribution.record import where
from pellucid.explain.attribution.settings import baseline_of
from pellucid.types import Array
from tests.explain.attribution.torch_twins import small


@pytest.fixture(scope="module")
def given() -> tuple[nn.Module, Array]:
    net, _, image = small()
    net.metadata["classes"] = ["ant", "bee", "cat", "dog", "eel"]
    return net, image


@pytest.mark.parametrize("method", METHODS)
def test_every_method_repeats_itself_and_leaves_the_network_alone(given, method: str) -> None:
    net, image = given
    before, net.training = net.state_dict(), True
    one, other = (attribute(net, image, method=method) for _ in range(2))

    np.testing.assert_array_equal(one.map, other.map)
    assert one.summary.shape == (20, 20)
    assert one.title
    assert one.map.dtype == one.summary.dtype == np.float32
    assert net.training
    assert all(np.array_equal(before[name], array) for name, array in net.state_dict().items())
    record = json.loads(json.dumps(one.as_dict(), allow_nan=False))
    assert record["sum"] == pytest.approx(float(one.map.sum()), abs=1e-5)
    net.eval()


@pytest.mark.parametrize(
    ("method", "settings", "count"),
    [
        ("smooth-grad", {"samples": 7}, 7),
        ("integrated-gradients", {"steps": 7, "tolerance": 1.0}, 7),
        ("occlusion", {"window": 6, "stride": 5}, 16),
        ("score-cam", {}, 12),
    ],
)
def test_small_batches_give_the_same(
    given, method: str, settings: dict, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    net, image = given
    at_once, seen = attribute(net, image, method=method, **settings), []
    monkeypatch.setattr(scores, "_LARGEST_BATCH", 3)
    found = attribute(net, image, method=method, progress=lambda *done: seen.append(done), **settings)

    np.testing.assert_allclose(found.map, at_once.map, rtol=1e-4, atol=1e-6)
    assert [done for done, total in seen if total == count] == [*range(0, count, 3), count]


@pytest.mark.parametrize("method", ["smooth-grad", "integrated-gradients", "occlusion", "score-cam"])
def test_images_do_not_mix_in_a_batch_that_is_normalised_by_its_own_statistics(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = nn.Sequential(
        {
            "conv": nn.Conv2d(1, 4, 3, padding=1),
            "norm": nn.BatchNorm2d(4, track_running_stats=False),
            "relu": nn.ReLU(),
            "flatten": nn.Flatten(),
            "fc": nn.Linear(256, 2),
        }
    )
    image = np.random.default_rng(0).random((1, 8, 8), dtype=np.float32)
    settings = {"integrated-gradients": {"tolerance": 1e9}}.get(method, {})
    found = attribute(net, image, 1, method, **settings)
    monkeypatch.setattr(scores, "_LARGEST_BATCH", 1)

    np.testing.assert_array_equal(found.map, attribute(net, image, 1, method, **settings).map)


def test_a_large_network_goes_through_in_small_batches(monkeypatch: pytest.MonkeyPatch, given) -> None:
    monkeypatch.setattr(scores, "_MEMORY", 200_000)
    score = scores.Score(*given)
    held = sum(value.type.nbytes for node in score.graph.nodes for value in node.outputs)
    assert score.batch == 200_000 // (2 * held) == 2


def kinked(offset: float) -> nn.Module:
    """The score max(x₀ + 2 x₁ − offset, 0) of class 0, and 0."""
    net = nn.Sequential({"flatten": nn.Flatten(), "sum": nn.Linear(2, 1), "relu": nn.ReLU(), "fc": nn.Linear(1, 2)})
    net.load_state_dict({"sum.weight": [[1, 2]], "sum.bias": [-offset], "fc.weight": [[1], [0]], "fc.bias": [0, 0]})
    return net


def test_integrated_gradients_take_more_steps_where_they_need_them() -> None:
    ones = np.ones((1, 1, 2), np.float32)
    rough = attribute(kinked(1.2), ones, 0, steps=1, tolerance=1e9)  # the slope in the middle: open
    fine = attribute(kinked(1.2), ones, 0, steps=1)  # open on the last 60 % of the way from black

    np.testing.assert_allclose(rough.map, [[[1, 2]]], rtol=1e-6)
    assert (rough.steps, rough.error) == (1, pytest.approx(1.2 / 1.8))
    np.testing.assert_allclose(fine.map, [[[0.6, 1.2]]], rtol=0.01)
    assert 1 < fine.steps < 1600
    assert fine.error == pytest.approx(abs(fine.map.sum() - 1.8) / 1.8, abs=1e-6)
    assert rough.words[-1] == (
        "The map adds up to 3; the score rises from 0 to 1.8, by 1.8: 66.7 % apart after 1 step."
    )


def test_integrated_gradients_stop_where_only_rounding_is_left() -> None:
    """Two images of the same score: what is left of the sum is no share of their difference, which is 0."""
    random = np.random.default_rng(0)
    weights, image = random.standard_normal((2, 784)), random.standard_normal((1, 28, 28))
    image -= (weights[0] @ image.ravel() / (weights[0] @ weights[0])) * weights[0].reshape(image.shape)
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 2, bias=False))
    net.load_state_dict({"1.weight": weights})
    found = attribute(net, image.astype(np.float32), 0)

    assert (found.steps, found.error) == (50, 0)
    assert found.words[-1].endswith("apart by no more than rounding after 50 steps.")


def test_integrated_gradients_that_cannot_be_complete_say_so(given) -> None:
    net, image = given
    found = attribute(net, image, 3, steps=1, tolerance=0)
    assert found.steps == 1024
    assert found.words[-1].endswith("apart after 1024 steps, more than 0 %.")


def test_baselines(given) -> None:
    net, image = given
    net.metadata["preprocessing"] = {"size": [20, 20], "channels": 1, "mean": [0.5], "std": [0.25]}
    maps = {name: attribute(net, image, 1, baseline=name) for name in ("black", "mean", "blurred")}
    number = attribute(net, image, 1, baseline=-2.0)
    del net.metadata["preprocessing"]

    np.testing.assert_allclose(maps["black"].map, number.map, atol=1e-6)
    mean = attribute(net, image, 1, baseline=np.full_like(image, image.mean()))
    np.testing.assert_allclose(maps["mean"].map, mean.map, atol=1e-6)
    np.testing.assert_allclose(
        attribute(net, image, 1).map, attribute(net, image, 1, baseline=np.zeros_like(image)).map, atol=1e-6
    )
    flat = np.full_like(image, 0.7)
    assert attribute(net, flat, 1, baseline="blurred").baseline == pytest.approx(attribute(net, flat, 1).score, 1e-4)


def test_the_blurred_baseline_is_a_gaussians_of_a_tenth_of_the_longer_side() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(7200, 2))
    dot = np.zeros((1, 90, 80), np.float32)
    dot[0, 45, 40] = 1
    blurred = baseline_of(scores.Score(net, dot), "blurred")
    expected = scipy.ndimage.gaussian_filter(dot[0], 9, mode="constant", truncate=10)

    assert blurred.shape == dot.shape
    np.testing.assert_allclose(blurred[0, 30:60, 30:50], expected[30:60, 30:50], rtol=2e-3)


def test_a_picture_is_prepared_as_the_network_says(given) -> None:
    net, _ = given
    pixels = np.random.default_rng(0).integers(0, 256, (20, 20), np.uint8)
    with pytest.raises(ParameterError, match="does not say how a picture becomes its input"):
        attribute(net, Image.fromarray(pixels))
    net.metadata["preprocessing"] = {"size": [20, 20], "channels": 1, "mean": [0.5], "std": [0.25]}
    found = attribute(net, Image.fromarray(pixels), 1, "gradient")
    del net.metadata["preprocessing"]
    expected = attribute(net, (np.float32(pixels) / 255 - 0.5)[None] / 0.25, 1, "gradient")
    np.testing.assert_allclose(found.map, expected.map, rtol=1e-4, atol=1e-6)


def test_double_precision(given) -> None:
    _, image = given
    net = small()[0].double()
    found = attribute(net, image.astype(np.float64), 1)
    assert found.map.dtype == np.float64
    np.testing.assert_allclose(found.map, attribute(given[0], image, 1, steps=found.steps).map, rtol=1e-3, atol=1e-5)


def test_where_most_lies() -> None:
    values = np.zeros((10, 10))
    values[2:5, 6:8] = 1
    values[9, 9] = 0.1
    place = where(values)
    assert str(place) == "rows 2–4, columns 6–7"
    assert str(where(values[9:, 9:])) == "row 0, column 0"
    assert place.share == pytest.approx(6 / 6.1)
    assert where(-values) is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "gradcam"}, "There is no method 'gradcam'; the nearest are grad-cam"),
        ({"target": "beee"}, "There is no class 'beee'; the nearest are bee, eel."),
        ({"target": 5}, "The class must be 0 to 4; got 5."),
        ({"target": -1}, "There is no class -1; "),
        ({"target": True}, "There is no class True; "),
        ({"target": "٢"}, "There is no class '٢'; "),
        ({"method": ["gradient"]}, "There is no method ['gradient']; "),
        ({"steps": 0}, "The 'steps' parameter of attribute must be an integer from 1 to 1600; got 0."),
        ({"steps": 1601}, "The 'steps' parameter of attribute must be an integer from 1 to 1600; got 1601."),
        ({"tolerance": "x"}, "The 'tolerance' parameter of attribute must be a number of at least 0; got 'x'."),
        ({"seed": -1}, "The 'seed' parameter of attribute must be an integer of at least 0; got -1."),
        ({"seed": "a"}, "The 'seed' parameter of attribute must be an integer of at least 0; got 'a'."),
        ({"method": "smooth-grad", "samples": 1.5}, "The 'samples' parameter of attribute must be an integer"),
        (
            {"method": "smooth-grad", "noise": float("nan")},
            "The 'noise' parameter of attribute must be a finite number",
        ),
        (
            {"method": "smooth-grad", "noise": float("inf")},
            "The 'noise' parameter of attribute must be a finite number",
        ),
        ({"method": "grad-cam", "layer": 3}, "The 'layer' parameter of attribute must be a layer's name; got 3."),
        (
            {"layer": "nope", "method": "gradient"},
            "The 'layer' parameter of attribute goes with grad-cam, grad-cam++, ",
        ),
        (
            {"baseline": 0, "method": "gradient"},
            "The 'baseline' parameter of attribute goes with integrated-gradients, ",
        ),
        ({"samples": 5}, "The 'samples' parameter of attribute goes with smooth-grad only; got it for integrated-grad"),
        ({"baseline": object()}, "The 'baseline' parameter must be a name, a number or an array; got <object"),
        ({"baseline": "white"}, "The 'baseline' parameter must be one of 'black', 'mean', 'blurred', a number or"),
        ({"baseline": float("nan")}, "The 'baseline' parameter must be finite; got NaN or infinity."),
        ({"method": "occlusion", "window": 21}, "The 'window' parameter must lie in the 20 × 20 pixels; got 21."),
        (
            {"method": "occlusion", "window": 0},
            "The 'window' parameter must be one or two numbers of at least 1; got 0.",
        ),
        (
            {"method": "occlusion", "window": 2.5},
            "The 'window' parameter must be one or two numbers of at least 1; got",
        ),
        (
            {"method": "occlusion", "window": 3, "stride": 4},
            "The 'stride' parameter must be at most the window, (3, 3), or pixels are left",
        ),
    ],
)
def test_settings_that_cannot_be(given, settings: dict, message: str) -> None:
    net, image = given
    with pytest.raises(ParameterError) as caught:
        attribute(net, image, **settings)
    assert str(caught.value).startswith(message)


def test_images_and_networks_that_do_not_fit(given) -> None:
    net, image = given
    hole = image.copy()
    hole[0, 3, 3] = np.nan
    with pytest.raises(DataError, match="pixels of the image must be finite"):
        attribute(net, hole)
    with pytest.raises(ShapeError, match=r"must be float32, as the network's weights are; got float64"):
        attribute(net, image.astype(np.float64))
    with pytest.raises(ShapeError, match=r"one image \(C, H, W\); got an array of shape \(1, 1, 20, 20\)"):
        attribute(net, image[None])
    with pytest.raises(ShapeError, match=r"baseline' parameter must be a number or of shape \(1, 20, 20\)"):
        attribute(net, image, baseline=np.zeros((20, 20)))
    with pytest.raises(ShapeError, match=r"must be one image \(C, H, W\); got an array of shape \(20, 20\)"):
        attribute(net, image[0])
    with pytest.raises(ShapeError, match=r"one score for each class; got shape \(2, 20, 20\)"):
        attribute(nn.Conv2d(1, 2, 1), image)
    with pytest.raises(ParameterError, match="Guided backprop needs a ReLU or ReLU6"):
        attribute(nn.Sequential(nn.Flatten(), nn.Linear(400, 2)), image, method="guided-backprop")
    wild = nn.Sequential(nn.Flatten(), nn.Linear(400, 2))
    wild.load_state_dict({"1.weight": np.full((2, 400), np.inf), "1.bias": [0, 0]})
    with pytest.raises(DataError, match="scores of the image must be finite"):
        attribute(wild, image)
    with pytest.raises(ParameterError, match="must take one input, an image"):
        attribute(Both(), image)


class Both(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(400, 2)

    def forward(self, left, right):
        return self.fc((left + right).flatten(1))


def test_numpys_integers_will_do(given) -> None:
    net, image = given
    few = {"window": np.int64(6), "stride": (np.int32(5), 5)}
    found = attribute(net, image, np.int64(1), "occlusion", seed=np.uint8(3), **few)
    np.testing.assert_array_equal(found.map, attribute(net, image, 1, "occlusion", window=6, stride=5).map)


@pytest.mark.parametrize("classes", [None, 5, "abcde", ["ant"]])
def test_classes_that_are_not_named_are_numbered(classes: object) -> None:
    net, _, image = small()
    net.metadata["classes"] = classes
    assert attribute(net, image, 3, "gradient").name == "3"


def ending(*layers: nn.Module, outputs: int = 2) -> nn.Module:
    """A network of one convolution as large as the image, and these layers."""
    net = nn.Sequential(nn.Conv2d(1, outputs, 2), *layers)
    net.load_state_dict({"0.weight": np.arange(4 * outputs).reshape(outputs, 1, 2, 2) / 8, "0.bias": [0] * outputs})
    return net


SQUARE = np.float32([[[1, -1], [2, 0]]])
"""Of :func:`ending`, scores 0.375 and 1.375."""


@pytest.mark.parametrize(
    "net",
    [
        ending(nn.Flatten()),
        ending(nn.Flatten(), nn.Softmax(1)),
        ending(nn.Softmax(1), nn.Flatten()),
        ending(nn.Softmax(1), nn.Flatten(), nn.Dropout()),
        ending(nn.Flatten(), nn.LogSoftmax(1), nn.Dropout()),
    ],
)
def test_the_score_is_the_number_before_a_softmax_wherever_that_is(net: nn.Module) -> None:
    found = attribute(net, SQUARE, 1, "gradient")
    np.testing.assert_allclose(found.map, [[[0.5, 0.625], [0.75, 0.875]]])
    assert found.score == 1.375
    assert found.probability == pytest.approx(1 / (1 + np.exp(-1)))
    assert "its probability by softmax is 73.1 %." in found.words[0]
    assert len(net) == 2 or found.words[1] == "The network ends in a softmax; the score is the number before it."


def test_the_score_is_the_number_before_a_sigmoid() -> None:
    found = attribute(ending(nn.Flatten(), nn.Sigmoid()), SQUARE, 0, "occlusion", window=1)
    assert found.score == 0.375
    assert found.probability == pytest.approx(1 / (1 + np.exp(-0.375)))
    np.testing.assert_allclose(found.map, [[0, -0.125], [0.5, 0]], atol=1e-7)
    assert found.words[0].endswith("; its probability by sigmoid is 59.3 %.")
    assert "The network ends in a sigmoid; the score is the number before it." in found.words


@pytest.mark.parametrize("layers", [[], [nn.Softmax(1)]])
def test_one_number_has_no_probability(layers: list[nn.Module]) -> None:
    found = attribute(ending(nn.Flatten(), *layers, outputs=1), SQUARE, method="gradient")
    assert found.probability is None
    assert found.words[0] == "The score of class 0 is 0.375."
    assert found.as_dict()["probability"] is None
    single = attribute(ending(nn.Flatten(), nn.Sigmoid(), outputs=1), SQUARE, method="gradient")
    assert single.probability == pytest.approx(1 / (1 + np.exp(-0.375)))
