"""The networks are those that were published: parameters, work and, where torchvision has them, state dicts.

`torchvision.json` tells, of each network's first trained weights in torchvision 0.28: the number of parameters, the
multiply-adds in thousands of millions and the smallest image, as documented; how many arrays the state dict holds, and
the first 16 digits of the SHA-256 of its sorted lines "key shape", such as "conv1.weight 64x3x7x7".
"""

import hashlib
import json
from pathlib import Path

import pytest

from pellucid import summary, zoo
from pellucid.errors import ShapeError
from pellucid.nn.random import skip_init

TORCHVISION = json.loads(Path(__file__).with_name("torchvision.json").read_text(encoding="utf-8"))

SMALLEST = {"googlenet": 31, "squeezenet1-1": 25}
"""Instead of 15 and 17: PyTorch lets a window with ``ceil_mode`` be larger than its map, here it must fit."""

PAPERS = {
    "lenet5": (61_706, 28**2 * 25 * 6 + 10**2 * 150 * 16 + 400 * 120 + 120 * 84 + 84 * 10),
    "nin": (
        966_986,
        32**2 * (75 * 192 + 192 * 160 + 160 * 96)
        + 16**2 * (25 * 96 * 192 + 2 * 192 * 192)
        + 8**2 * (9 * 192 * 192 + 192 * 192 + 192 * 10),
    ),
    "resnet20": (  # He et al. 2015, table 6: 0.27 million parameters
        269_722,
        32**2 * (27 * 16 + 6 * 144 * 16) + 16**2 * (144 + 5 * 288) * 32 + 8**2 * (288 + 5 * 576) * 64 + 640,
    ),
    "squeezenet1-0": (1_248_424, 818_924_576),  # torchvision 0.28: 1,248,424 and 0.82 thousand million
    "mobilenet-v1": (4_231_976, 568_740_352),  # Howard et al. 2017, table 4: 4.2 million and 569 million
}


@pytest.mark.parametrize("name", zoo.names())
def test_every_network_knows_its_count(name):
    published = zoo.published_parameters(name)
    assert published == summary(undrawn(name), zoo.usual_input(name)).parameters or name == "funnel"
    assert zoo.paper(name) or name in (
        "funnel",
        "lenet5-rgb",
        "pooled28",
        "pooled28-blur",
        "pooled28-double",
        "pooled28-gap",
        "pooled28-p4",
        "pooled28-strided",
        "tiny",
    )


def undrawn(name, **settings):
    with skip_init():
        return zoo.build(name, **settings)


@pytest.mark.parametrize("name", TORCHVISION)
def test_parameters_and_work_are_those_published(name):
    published = TORCHVISION[name]
    found = summary(undrawn(name), zoo.usual_input(name))
    assert (found.parameters, round(found.macs / 1e9, 3)) == (published["parameters"], published["gmacs"])


@pytest.mark.parametrize("name", PAPERS)
def test_parameters_and_work_are_those_of_the_papers(name):
    found = summary(undrawn(name), zoo.usual_input(name))
    assert (found.parameters, found.macs) == PAPERS[name]


@pytest.mark.parametrize("name", TORCHVISION)
def test_weights_of_torchvision_load_by_name(name):
    arrays = undrawn(name).arrays()
    lines = sorted(f"{path} {'x'.join(map(str, array.shape))}" for path, array in arrays.items())
    assert len(lines) == TORCHVISION[name]["arrays"]
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16] == TORCHVISION[name]["sha256"]


def test_a_listing_notices_another_shape():
    net = undrawn("resnet18", classes=999)
    assert net.arrays()["fc.weight"].shape == (999, 512)
    with pytest.raises(ShapeError):
        net.load_state_dict(undrawn("resnet18").arrays())


@pytest.mark.parametrize("name", TORCHVISION)
def test_the_smallest_image_is_that_published(name):
    size = SMALLEST.get(name, TORCHVISION[name]["smallest"])
    assert undrawn(name, input=(1, size, size)).metadata["input"] == [1, size, size]
    if size > 1:
        with pytest.raises(ShapeError, match=rf"'{name}' needs a larger image than {size - 1} × {size}; its layer "):
            undrawn(name, input=(1, size - 1, size))


@pytest.mark.parametrize("name", [*TORCHVISION, *PAPERS])
def test_any_image_and_number_of_classes_will_do(name):
    channels, height, width = zoo.usual_input(name)
    shape = (channels + 1, height + 5, width + 30)
    net = undrawn(name, input=shape, classes=7)
    assert net.metadata == {"name": name, "input": list(shape)}
    assert net.eval().graph((3, *shape)).outputs["output"].shape == (3, 7)
