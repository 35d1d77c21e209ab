import pytest

import pellucid as pel
import pellucid.nn as nn
from pellucid.ops import Orientations
from pellucid.views.anatomy import Stage, stages
from pellucid.views.diagram import diagram
from pellucid.views.outline import contents, describe, outline
from tests.views.drawings import check_legible, graph


@pytest.mark.parametrize("name", pel.zoo.names())
def test_blocks_are_few_and_hold_every_layer_once(name: str) -> None:
    found = outline(graph(name))
    nodes = [node for block in found for node in block.nodes]

    assert nodes == [node for node in graph(name).nodes if not isinstance(node.op, Orientations)]
    assert len(found) <= 60
    assert all(source < index for index, block in enumerate(found) for source in block.sources)
    assert found[-1].is_trunk


def test_normalisation_and_activation_belong_to_their_layer() -> None:
    found = outline(graph("resnet18"))
    names = [(block.name, [node.op.kind for node in block.nodes]) for block in found]

    assert names[0] == ("conv1", ["Conv2d", "BatchNorm", "ReLU"])
    assert names[4] == ("layer1.0.add", ["Add", "ReLU"])
    assert names[-1] == ("fc", ["Flatten", "Linear"])


def test_residual_paths_leave_the_trunk() -> None:
    found = outline(graph("resnet18"))
    add = next(index for index, block in enumerate(found) if block.name == "layer1.0.add")

    assert found[add].sources == (add - 3, add - 1)
    assert [block.is_trunk for block in found[add - 3 : add + 1]] == [True, False, False, True]


def test_what_is_read_twice_keeps_its_activation_apart() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 3, padding=1)
            self.relu = nn.ReLU()

        def forward(self, x):
            y = self.conv(x)
            return y + self.relu(y)

    assert [block.name for block in outline(Twice().graph((1, 1, 4, 4)))] == ["conv", "relu", "add"]


def test_large_networks_are_folded_by_name_and_equal_parts_counted() -> None:
    found = outline(graph("resnet101"))
    parts = [(block.name, block.times) for block in found if block.is_folded]

    assert parts == [
        *(("layer1.0", 1), ("layer1.1", 2), ("layer2.0", 1), ("layer2.1", 3)),
        *(("layer3.0", 1), ("layer3.1", 22), ("layer4.0", 1), ("layer4.1", 2)),
    ]
    assert contents(found[3]) == "3 Conv2d, Add"


def test_a_normalisation_that_begins_a_part_is_not_taken_from_it() -> None:
    names = [block.name for block in outline(graph("densenet121"))]

    assert names[2:5] == ["features.denseblock1", "features.transition1", "features.denseblock2"]


def test_running_statistics_are_no_blocks() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Conv2d(2, 1, 3)).train()

    assert [block.name for block in outline(net.graph((2, 1, 8, 8)))] == ["0", "3"]


def test_several_results() -> None:
    class Heads(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.one, self.other = nn.Conv2d(1, 2, 3), nn.Conv2d(2, 1, 1), nn.Conv2d(2, 3, 1)

        def forward(self, x):
            x = self.body(x)
            return {"one": self.one(x), "other": self.other(x)}

    found = outline(Heads().graph((1, 1, 8, 8)))

    assert [(block.name, block.is_trunk) for block in found] == [("body", True), ("one", False), ("other", False)]
    check_legible(diagram(Heads().graph((1, 1, 8, 8))))
    assert stages(Heads().graph((1, 1, 8, 8)))[-1] == Stage("body", 2, (6, 6), 32, 36 * 18 + 36 * 2 + 36 * 6)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (nn.Conv2d(4, 8, 3), "Conv2d 3×3"),
        (nn.Conv2d(4, 8, (1, 7), stride=(1, 2)), "Conv2d 1×7, stride 1×2"),
        (nn.Conv2d(4, 8, 3, dilation=2, groups=2), "Conv2d 3×3, dilation 2, 2 groups"),
        (nn.Conv2d(4, 4, 3, groups=4), "Conv2d 3×3, depthwise"),
        (nn.MaxPool2d(3, 2), "MaxPool2d 3×3, stride 2"),
        (nn.AdaptiveAvgPool2d(1), "AdaptiveAvgPool2d"),
        (nn.ConvTranspose2d(4, 2, 2, stride=2), "ConvTranspose2d 2×2, stride 2"),
        (nn.ReLU(), "ReLU"),
    ],
)
def test_descriptions(layer: nn.Module, words: str) -> None:
    assert describe(layer.graph((1, 4, 9, 9)).nodes[0]) == words
