"""Room Inspect: what it tells is what a trace says, to the last number."""

import base64
import json

import numpy as np
import pytest
from scipy import signal

import pellucid as pel
from pellucid.data.handwriting import as_mnist
from pellucid.errors import ParameterError, ShapeError
from pellucid.studio.answers import answer
from pellucid.studio.studio import Studio
from pellucid.studio.tensors import to_tensor
from tests.studio.told import array, finished

SAMPLE = {"kind": "sample", "data": "fashion-mnist-mini", "index": 3}


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    return Studio(tmp_path_factory.mktemp("studio"))


@pytest.fixture(scope="module")
def trace():
    net = pel.pretrained("fashion")
    _, test = pel.datasets.load("fashion-mnist-mini")
    preprocessing = pel.data.Preprocessing.from_dict(net.metadata["preprocessing"])
    return pel.trace(net, preprocessing.normalise(test.images[3]))


def subject(**settings):
    return {"target": "fashion", "picture": SAMPLE} | settings


def drawing(values):
    return {"kind": "drawing", "values": json.loads(to_tensor(np.asarray(values, np.float32)).model_dump_json())}


def test_choices(studio):
    told = answer("inspect.choices", {}, studio)
    assert told.shipped == ["digits", "fashion"]
    assert told.runs == []
    assert {"name": "resnet18", "shape": [3, 224, 224]} in [one.model_dump() for one in told.zoo]
    assert "fashion-mnist-mini" in told.data


def test_a_network_before_anything_is_computed(studio):
    told = answer("inspect.network", {"target": "digits"}, studio)
    assert (told.kind, told.data, told.shape, told.parameters) == ("shipped", "mnist", [1, 28, 28], 430_890)
    conv2 = next(layer for layer in told.layers if layer.name == "conv2")
    assert (conv2.reads, conv2.shape, conv2.kernel, conv2.field, conv2.parameters) == (
        ["relu1"], [32, 28, 28], [3, 3], [5.0, 5.0], 32 * 32 * 9 + 32,
    )  # fmt: skip
    assert next(layer for layer in told.layers if layer.name == "conv1").reads == [told.image]
    assert next(layer for layer in told.layers if layer.name == "fc1").field is None


def test_channels_come_first_wherever_the_network_has_them(studio):
    told = answer("inspect.network", {"target": "convnext-tiny"}, studio)
    norm = next(layer for layer in told.layers if layer.op == "LayerNorm")
    assert norm.shape == [96, 56, 56]
    joined = next(
        layer for layer in answer("inspect.network", {"target": "resnet18"}, studio).layers if layer.op == "Add"
    )
    assert len(joined.reads) == 2


def test_the_answer_is_that_of_the_network(studio, trace):
    told = answer("inspect.look", {"subject": subject()}, studio)
    scores = trace["fc2"].output.astype(np.float64)
    wanted = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
    assert [score.index for score in told.scores] == np.argsort(-scores).tolist()
    assert np.allclose([score.probability for score in told.scores], np.sort(wanted)[::-1], atol=1e-6)
    assert told.scores[0].name == pel.pretrained("fashion").metadata["classes"][int(scores.argmax())]
    _, test = pel.datasets.load("fashion-mnist-mini")
    assert np.allclose(255 * array(told.seen), test.images[3], atol=1e-4)


def test_maps_of_the_overview_are_the_traces_in_255_steps(studio, trace):
    (conv, pool) = answer("inspect.look", {"subject": subject(), "layers": ["conv1", "pool2"]}, studio).maps
    steps = np.frombuffer(base64.b64decode(conv.data), np.int8).reshape(32, 28, 28)
    wanted = trace["conv1"].output
    assert np.abs(steps * conv.limit / 127 - wanted).max() <= conv.limit / 254 + 1e-6
    assert (conv.low, conv.high) == (pytest.approx(wanted.min()), pytest.approx(wanted.max()))
    assert (pool.count, pool.of, pool.height, pool.width) == (64, 64, 7, 7)
    assert pool.dead == (~trace["pool2"].output.any(axis=(1, 2))).sum()


def test_large_maps_are_reduced_by_means(studio):
    asked = {"subject": subject(target="resnet18"), "layers": ["conv1"], "side": 28}
    (conv,) = answer("inspect.look", asked, studio).maps
    assert (conv.count, conv.height, conv.width) == (64, 28, 28)
    net = studio.networks.open("resnet18")
    _, test = pel.datasets.load("fashion-mnist-mini")
    seen = net.preprocessing.normalise(net.preprocessing.to_array(test.images[3]))
    blocks = pel.trace(net.net, seen)["conv1"].output.reshape(64, 28, 4, 28, 4).mean(axis=(2, 4))
    steps = np.frombuffer(base64.b64decode(conv.data), np.int8).reshape(64, 28, 28)
    assert np.abs(steps * conv.limit / 127 - blocks).max() <= conv.limit / 254 + 1e-6


def test_a_channel_is_the_sum_of_its_partial_maps(studio, trace):
    asked = {"subject": subject(), "layer": "conv2", "channel": 5, "most": 32}
    told = answer("inspect.channel", asked, studio)
    assert np.array_equal(array(told.map), trace["conv2"].output[5])
    assert (told.source, told.inputs, told.rest, len(told.products)) == ("relu1", 32, None, 32)
    total = sum(array(product.partial) for product in told.products) + told.bias
    assert np.allclose(total, trace["conv2"].output[5], atol=1e-4)
    first = told.products[0]
    wanted = signal.correlate2d(trace["relu1"].output[first.channel], array(first.kernel), "same")
    assert np.allclose(array(first.partial), wanted, atol=1e-5)
    assert (told.activation.layer, told.activation.op) == ("relu2", "ReLU")
    assert np.array_equal(array(told.activation.map), trace["relu2"].output[5])


def test_what_is_not_shown_is_told_as_its_sum(studio):
    asked = {"subject": subject(), "layer": "conv2", "channel": 5}
    all_of_them = answer("inspect.channel", asked | {"most": 32}, studio)
    some = answer("inspect.channel", asked | {"first": 4, "most": 8}, studio)
    assert [one.channel for one in some.products] == [one.channel for one in all_of_them.products[4:12]]
    others = [array(one.partial) for at, one in enumerate(all_of_them.products) if not 4 <= at < 12]
    assert np.allclose(array(some.rest), sum(others), atol=1e-4)


def test_a_pooled_channel_comes_from_one_map(studio, trace):
    told = answer("inspect.channel", {"subject": subject(), "layer": "pool1", "channel": 7}, studio)
    (source,) = told.sources
    assert (source.layer, source.channel, told.products) == ("relu2", 7, [])
    assert np.array_equal(array(source.map), trace["relu2"].output[7])


def test_a_sum_of_branches_comes_from_both(studio):
    asked = {"subject": subject(target="resnet18"), "layer": "layer2.0.add", "channel": 3}
    told = answer("inspect.channel", asked, studio)
    assert {(source.layer, source.channel) for source in told.sources} == {
        ("layer2.0.bn2", 3), ("layer2.0.downsample.1", 3),
    }  # fmt: skip


def test_a_cells_arithmetic_is_that_of_the_trace(studio, trace):
    told = answer("inspect.cell", {"subject": subject(), "layer": "conv2", "channel": 5, "y": 0, "x": 9}, studio)
    cell = trace.cell("conv2", 5, 0, 9)
    assert (told.value, told.explained, told.bias, told.text) == (cell.value, cell.explained, cell.bias, cell.text())
    grids = [piece for piece in told.pieces if piece.kind == "grid"]
    (rest,) = [piece for piece in told.pieces if piece.kind == "line"]
    assert (len(grids), rest.others) == (3, 29)
    assert sum(grid.total for grid in grids) + rest.value + told.bias == pytest.approx(told.explained)
    assert grids[0].rows[0] == "border"
    assert (array(grids[0].values) * array(grids[0].weights)).sum() == pytest.approx(grids[0].total, abs=1e-5)
    boxes = {box.layer: box.box for box in told.boxes}
    assert boxes["relu1"] == (0, 8, 2, 11)
    assert boxes[next(iter(trace.graph.inputs))] == cell.box == (0, 7, 3, 12)


def test_all_channels_of_a_cell_may_be_written_out(studio):
    asked = {"subject": subject(), "layer": "conv2", "channel": 5, "y": 4, "x": 9, "most": 32}
    told = answer("inspect.cell", asked, studio)
    assert [piece.kind for piece in told.pieces] == ["grid"] * 32


def test_a_unit_of_a_vector(studio, trace):
    told = answer("inspect.cell", {"subject": subject(), "layer": "fc2", "channel": 9}, studio)
    assert told.value == trace["fc2"].output[9]
    (listing,) = told.pieces
    assert (listing.kind, listing.rest.others) == ("listing", 120)


def test_a_cell_of_channels_last_is_found_by_channel_row_and_column(studio):
    told = answer("inspect.network", {"target": "convnext-tiny"}, studio)
    norm = next(layer.name for layer in told.layers if layer.op == "LayerNorm")
    asked = {"subject": subject(target="convnext-tiny"), "layer": norm, "channel": 90, "y": 50, "x": 2}
    cell = answer("inspect.cell", asked, studio)
    channel = answer("inspect.channel", {key: asked[key] for key in ("subject", "layer", "channel")}, studio)
    assert cell.value == array(channel.map)[50, 2]


def test_a_drawn_digit_is_laid_out_as_mnists_are(studio):
    values = np.zeros((112, 112), np.float32)
    values[20:90, 20:30] = 1
    asked = {"subject": {"target": "digits", "picture": drawing(values[None]), "centred": True}}
    told = answer("inspect.look", asked, studio)
    assert np.array_equal(np.rint(255 * array(told.seen)), as_mnist((255 * values).astype(np.uint8)))
    assert told.scores[0].name == "1"
    plain = answer("inspect.look", {"subject": asked["subject"] | {"centred": False}}, studio)
    assert not np.array_equal(array(plain.seen), array(told.seen))


def test_black_and_white_change_places(studio):
    values = np.random.default_rng(0).integers(0, 256, (1, 28, 28)) / 255
    plain = answer("inspect.look", {"subject": subject(picture=drawing(values))}, studio)
    inverted = answer("inspect.look", {"subject": subject(picture=drawing(values), inverted=True)}, studio)
    assert np.allclose(array(inverted.seen), 1 - array(plain.seen), atol=1e-6)


def test_the_picture_may_be_changed_first(studio):
    told = answer("inspect.look", {"subject": subject(change={"right": 3})}, studio)
    plain = answer("inspect.look", {"subject": subject()}, studio)
    assert np.array_equal(array(told.seen)[:, :, 3:], array(plain.seen)[:, :, :-3])


def test_attribution_and_its_check(studio, trace):
    asked = {"subject": subject(), "method": "gradient"}
    told = finished("inspect.attribution", asked, studio)
    wanted = pel.attribute(pel.pretrained("fashion"), trace.image, method="gradient")
    assert np.allclose(array(told.map), wanted.summary, atol=1e-6)
    assert (told.name, told.words, told.verdict) == (wanted.name, list(wanted.words), [])
    checked = finished("inspect.attribution", asked | {"sanity": True}, studio)
    assert "Gradient" in checked.verdict[0]


def test_a_dream_scores_above_where_it_began(studio):
    told = finished("inspect.dream", {"target": "tiny", "layer": "conv1", "channel": 1}, studio)
    assert told.score > told.start
    assert told.picture.shape == [1, 28, 28]
    assert told.best is None


def test_patches_are_the_largest_cells(studio):
    asked = {"target": "fashion", "layer": "conv1", "channel": 4, "data": "fashion-mnist-mini"}
    told = finished("inspect.patches", asked, studio)
    net = pel.pretrained("fashion")
    _, test = pel.datasets.load("fashion-mnist-mini")
    best = told.patches[0]
    preprocessing = pel.data.Preprocessing.from_dict(net.metadata["preprocessing"])
    map_ = pel.trace(net, preprocessing.normalise(test.images[best.index]))["conv1"].output[4]
    assert best.value == pytest.approx(map_.max(), abs=1e-5)
    assert [patch.value for patch in told.patches] == sorted((patch.value for patch in told.patches), reverse=True)
    assert (len(told.patches), told.pictures) == (9, 1000)


def test_filters_are_the_weights_and_small_ones_get_no_gabor_function(studio):
    told = finished("inspect.filters", {"target": "fashion"}, studio)
    assert np.array_equal(array(told.weights), pel.pretrained("fashion").state_dict()["conv1.weight"])
    assert (told.layer, told.gabors, told.median_r2) == ("conv1", [], None)
    fitted = finished("inspect.filters", {"target": "lenet5"}, studio)
    assert len(fitted.gabors) == fitted.of == 6
    assert 0 < fitted.median_r2 < 1


@pytest.mark.parametrize(
    ("name", "asked", "error", "says"),
    [
        ("inspect.look", {"subject": subject(target="nothing")}, ParameterError, "There is no network 'nothing'"),
        ("inspect.look", {"subject": subject(), "layers": ["conf1"]}, ParameterError, "There is no layer 'conf1'"),
        ("inspect.look", {"subject": subject(), "side": 1000}, ParameterError, "less than or equal to 64"),
        ("inspect.channel", {"subject": subject(), "layer": "conv1", "channel": 32}, ParameterError, "0 to 31; got 32"),
        ("inspect.cell", {"subject": subject(), "layer": "conv1", "channel": 1, "y": 28, "x": 0}, ParameterError,
         "must be 0 to 27"),
        ("inspect.attribution", {"subject": subject(), "method": "magic"}, ParameterError, "There is no method"),
        ("inspect.dream", {"target": "fashion", "layer": "conv1", "channel": 99}, ParameterError, "must be 0 to 31"),
        ("inspect.filters", {"target": "fashion", "layer": "relu1"}, ParameterError, "must be a convolution"),
        ("inspect.look", {"subject": subject(picture=drawing(np.zeros((2, 5, 5))))}, ShapeError, "1 or 3 planes"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_in_a_sentence(studio, name, asked, error, says):
    with pytest.raises(error, match=says):
        answer(name, asked, studio)
