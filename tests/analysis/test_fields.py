"""Fields of layers: those of the lessons, of published networks, and of graphs whose paths part."""

import pytest

import pellucid as pel
from pellucid import nn, zoo
from pellucid.analysis.fields import WHOLE, Reach, fields
from pellucid.analysis.receptive_field import input_box
from pellucid.geometry import Axis, TransposedAxis
from pellucid.nn.random import skip_init


def sizes(net, shape):
    return [layer.field.size for layer in pel.summary(net, shape).layers]


def stack(layers):
    return nn.Sequential(*(nn.Conv2d(1, 1, kernel, stride) for kernel, stride in layers))


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([(3, 1)], [3]),
        ([(3, 1), (3, 1)], [3, 5]),
        ([(3, 1)] * 5, [3, 5, 7, 9, 11]),
        ([(3, 1), (3, 2), (3, 1)], [3, 5, 9]),
    ],
)
def test_fields_of_the_lessons(layers, expected):
    assert sizes(stack(layers), (1, 40, 40)) == [(size, size) for size in expected]


def test_112_layers_of_3_by_3_see_224_pixels():
    graph = stack([(3, 1)] * 112).graph((1, 1, 300, 300))
    found = [field.size[0] for field in fields(graph).values()]
    assert found.index(next(size for size in found if size >= 224)) == 112


@pytest.mark.parametrize(
    ("name", "layer", "size"),
    [
        ("alexnet", "features.12", 195),
        ("vgg16", "features.30", 212),
        ("mobilenet-v1", "features.13.1.2", 315),
        ("resnet50", "layer4.2.relu3", 427),
        ("resnet50-slim", "layer4.2.relu3", 483),
        ("resnet18", "layer4.1.relu2", 435),
    ],
)
def test_fields_of_published_networks(name, layer, size):
    """Araujo et al., Computing receptive fields of convolutional neural networks, 2019."""
    with skip_init():
        net = zoo.build(name)
    (found,) = (entry for entry in pel.summary(net, zoo.usual_input(name)).layers if entry.name == layer)
    assert found.field.size == (size, size)
    assert found.field.jump == (32, 32)


def test_paths_that_part_have_the_hull():
    class Branches(nn.Module):
        def __init__(self):
            super().__init__()
            self.near = nn.Conv2d(2, 2, 1, stride=2)
            self.far = nn.Conv2d(2, 2, (3, 7), stride=2, padding=(1, 3), dilation=1)

        def forward(self, x):
            return nn.functional.cat([self.near(x), self.far(x)], 1)

    graph = Branches().graph((1, 2, 20, 20))
    field = fields(graph)[graph.nodes[-1].name]
    assert (field.size, field.jump, field.centre) == ((3, 7), (2, 2), (0, 0))


def test_what_mixes_all_places_sees_the_whole_image():
    for last in (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.GroupNorm(1, 2)):
        graph = nn.Sequential(nn.Conv2d(1, 2, 3), last).graph((1, 1, 9, 9))
        assert fields(graph)[graph.nodes[-1].name] == WHOLE
    record = pel.summary(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten()), (1, 9, 7)).as_dict()["layers"][-1]
    assert (record["receptive_field"], record["jump"], record["sees_whole_image"]) == ([9, 7], None, True)


def test_channels_last_and_back_keep_the_field():
    with skip_init():
        net = zoo.build("convnext-tiny")
    fields_ = [layer.field.size for layer in pel.summary(net, (3, 224, 224)).layers if layer.field.size]
    jump, expected = 4, 4  # a stem of 4×4 pixels, then a 7×7 kernel in every block and halving 2×2 windows between
    for stage, blocks in enumerate((3, 3, 9, 3)):
        if stage:
            expected, jump = expected + jump, 2 * jump
        expected += 6 * jump * blocks
    assert fields_[-1] == (expected, expected)


def test_windows_of_every_kind():
    assert Reach(3, 2, 1).through(Axis(3, 2, 1, 0, 2)) == Reach(11, 4, 3)
    assert Reach().through(TransposedAxis(2, 2)) == Reach(1, pytest.approx(0.5), -0.25)
    assert Reach(5, 4, 0).resized(7, 14, 2) == Reach(9, 2, -1)


def test_shuffled_pixels():
    graph = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4, 4, 3), nn.PixelShuffle(2)).graph((1, 1, 12, 12))
    apart, conv, together = (graph.nodes[i].outputs[0] for i in range(3))
    assert [fields(graph)[value.name].size for value in (apart, conv, together)] == [(2, 2), (6, 6), (6, 6)]
    assert [fields(graph)[value.name].jump for value in (apart, conv, together)] == [(2, 2), (2, 2), (1, 1)]
    assert input_box(graph, apart, 1, 2) == (2, 4, 4, 6)
    assert input_box(graph, together, 3, 0) == (2, 0, 8, 6)


def test_a_norm_by_the_pictures_own_statistics_sees_the_whole_picture() -> None:
    own = nn.Sequential(nn.Conv2d(1, 1, 3), nn.BatchNorm2d(1, track_running_stats=False)).eval()
    usual = nn.Sequential(nn.Conv2d(1, 1, 3), nn.BatchNorm2d(1)).eval()

    assert [field.size for field in fields(own.graph((1, 1, 8, 8))).values()][:3] == [(1, 1), (3, 3), None]
    assert [field.size for field in fields(usual.graph((1, 1, 8, 8))).values()] == [(1, 1), (3, 3), (3, 3)]
