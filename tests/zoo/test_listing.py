import json
from pathlib import Path

import numpy as np
import pytest

from pellucid import zoo
from pellucid.analysis.summary import summary
from pellucid.errors import ParameterError, ShapeError
from pellucid.nn.random import skip_init
from pellucid.zoo.kinds import KINDS
from pellucid.zoo.listing import MOST_BLOCKS, Block, Listing, parse
from pellucid.zoo.reading import read

POOLED28 = "1x28x28to10-conv32.p1-relu-conv32.p1-relu-pool-conv64.p1-relu-pool-flatten-linear128-relu-linear"
EVERYTHING = (
    "3x33x31to7-conv8.k5.s2.p2.d1.g1.b0-norm-relu6-depthwise.p1-leaky-separable12.s2-residual12-residual16.s2-gelu-"
    "bottleneck24-inverted24-inverted12.s2.e3-silu-avgpool2.s1.p1.c1-conv.k1.g1-tanh-adaptive3-dropout25-sigmoid-"
    "conv20.k2-pool2.s1-flatten-norm-linear9.b0-relu-linear"
)
ROWS = json.loads((Path(__file__).parents[1] / "golden" / "worked_examples.json").read_text("utf-8"))["networks"]


def counts(net, shape):
    return [(layer.op, layer.output, layer.parameters, layer.macs) for layer in summary(net, shape).layers]


def test_a_listing_is_the_zoos_network_layer_by_layer():
    assert parse(POOLED28).names() == [layer.name for layer in summary(zoo.build("pooled28"), (1, 28, 28)).layers]
    assert counts(zoo.build(POOLED28), (1, 28, 28)) == counts(zoo.build("pooled28"), (1, 28, 28))


@pytest.mark.parametrize("name", zoo.names())
def test_what_is_read_off_a_network_has_all_its_numbers(name):
    shape, classes = zoo.usual_input(name), zoo.usual_classes(name)
    with skip_init():
        net = zoo.build(name)
        listing = read(net, shape, classes)
        if listing is None:
            assert name not in ("tiny", "pooled28", "lenet5", "lenet5-rgb", "funnel", "alexnet", "vgg16-bn", "resnet18")
            return
        assert parse(str(listing)) == listing
        assert counts(listing.network(), shape) == counts(net, shape)


def test_all_kinds_are_read_back_and_fit_other_images():
    listing = parse(EVERYTHING)
    assert {block.word for block in listing.blocks} | {"gap"} == set(KINDS)
    assert parse(str(listing)) == listing
    assert [place.error for place in listing.placed() if place.error] == []
    assert zoo.build(EVERYTHING).eval()(np.zeros((2, 3, 33, 31), np.float32)).shape == (2, 7)
    assert zoo.build(EVERYTHING, input=(5, 64, 80), classes=3).eval()(np.zeros((1, 5, 64, 80), np.float32)).shape == (
        1,
        3,
    )


@pytest.mark.parametrize("text", [POOLED28, EVERYTHING, "1x8x8to1-depthwise-gap-flatten-linear"])
def test_its_code_gives_the_same_network_here_and_in_pytorch(text):
    torch = pytest.importorskip("torch")
    listing = parse(text)
    ours, theirs = {}, {}
    exec(listing.code(), ours)
    exec(listing.code("torch"), theirs)
    state = {name: tuple(value.shape) for name, value in theirs["net"].state_dict().items()}
    assert {name: value.shape for name, value in ours["net"].state_dict().items()} == state
    assert (
        sum(value.numel() for value in theirs["net"].parameters())
        == summary(listing.network(), listing.input).parameters
    )
    image = np.random.default_rng(0).standard_normal((1, *listing.input), np.float32)
    ours["net"].load_state_dict({name: value.numpy() for name, value in theirs["net"].state_dict().items()})
    with torch.no_grad():
        expected = theirs["net"].eval()(torch.from_numpy(image)).numpy()
    assert np.allclose(ours["net"].eval()(image), expected, atol=1e-4)


def test_a_block_that_does_not_fit_says_why_and_spoils_no_other():
    placed = parse("1x8x8to2-conv4.k9-linear-conv4-flatten-conv8-linear").placed()
    assert [bool(place.error) for place in placed] == [True, True, False, False, True, False]
    assert placed[0].error.startswith("Conv2d 'conv1' has a window of 9 on an input of 8")
    assert "put a flattening before it" in placed[1].error
    assert [place.output for place in placed] == [(1, 8, 8), (1, 8, 8), (4, 6, 6), (144,), (144,), (2,)]
    with pytest.raises(ShapeError, match=r"Block 1, 'conv4\.k9', does not fit"):
        zoo.build("1x8x8to2-conv4.k9-linear")


def test_the_dense_head_is_replaced_by_global_average_pooling():
    listing = parse(POOLED28).averaged()
    assert str(listing).endswith("pool-gap-flatten-linear")
    assert summary(listing.network(), (1, 28, 28)).parameters == 320 + 9_248 + 18_496 + 650
    assert listing.averaged() == listing


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1x8x8to2-konv4", "There is no block 'konv4'; the nearest is conv"),
        ("1x8x8to2-conv4.k32", "'kernel_size' of a block 'conv' must be from 1 to 31; got 32"),
        ("1x8x8to2-conv4.k3.k5", "has the settings b, d, g, k, p, s, each once; got 'k5'"),
        ("1x8x8to2-relu.k3", "has the settings none, each once"),
        ("1x8x8to2-gap7", "has the settings none"),
        ("1x8x8to2-conv4.3", "must be a letter and a number"),
        ("1x8x8to2-", "There is no block ''"),
        ("0x8x8to2-relu", "each from 1 to 4,096"),
        ("1x8x8to0-relu", "from 1 to 65,536 classes"),
        ("1x8x8-relu", "must begin with images and classes"),
        ("1x8x8to2" + "-relu" * (MOST_BLOCKS + 1), "120 blocks at most; got 121"),
    ],
)
def test_what_is_no_listing_is_refused(text, message):
    with pytest.raises(ParameterError) as refused:
        parse(text)
    assert message in str(refused.value)


def test_blocks_are_made_from_named_settings():
    assert str(Block.of("conv", out_channels=8, kernel_size=3, stride=2, bias=0)) == "conv8.s2.b0"
    with pytest.raises(ParameterError, match="no setting 'kernel'; the nearest is kernel_size"):
        Block.of("conv", kernel=3)
    with pytest.raises(ParameterError, match="There is no block 'konv'"):
        Block.of("konv")


def test_layers_larger_than_memory_are_refused_before_they_are_made():
    placed = parse("4096x64x64to10-flatten-linear65536").placed()
    assert "268,435,456 weights at most; got 1,099,511,627,776" in placed[1].error
    assert parse("4096x64x64to10-conv4096.k31").placed()[0].error.startswith("A convolution may have")


def test_a_listing_is_summarised_as_the_worked_examples_say():
    texts = {
        "lenet5-rgb": "3x32x32to10-conv6.k5-relu-pool-conv16.k5-relu-pool-flatten-linear120-relu-linear84-relu-linear",
        "tiny": "1x28x28to10-conv4.p1-relu-pool-conv8.p1-relu-pool-flatten-linear",
        "pooled28": POOLED28,
    }
    for network in ROWS:
        if network["name"] in texts:
            found = summary(zoo.build(texts[network["name"]]), network["input"])
            layers = {layer.name: [layer.name, list(layer.output), layer.parameters] for layer in found.layers}
            assert [layers[row[0]] for row in network["rows"] if row[0] in layers] == [
                row for row in network["rows"] if row[0] in layers
            ]
            assert found.parameters == network["parameters"]


def test_networks_without_blocks_are_refused():
    with pytest.raises(ShapeError, match="at least one block"):
        zoo.build("1x8x8to2")
    assert Listing((1, 8, 8), 2, ()).placed() == []
