import pytest

import pellucid as pel
import pellucid.nn as nn
from pellucid.views.anatomy import Stage, funnel, stages
from tests.views.drawings import NAMES, check_legible, graph, texts


def test_stages_are_where_size_or_channels_change() -> None:
    assert stages(graph("lenet5-rgb")) == (
        Stage("image", 3, (32, 32)),
        Stage("conv1", 6, (28, 28), 456, 352_800),
        Stage("pool1", 6, (14, 14)),
        Stage("conv2", 16, (10, 10), 2_416, 240_000),
        Stage("pool2", 16, (5, 5)),
        Stage("fc1", 120, None, 48_120, 48_000),
        Stage("fc2", 84, None, 10_164, 10_080),
        Stage("fc3", 10, None, 850, 840),
    )


@pytest.mark.parametrize("name", ["googlenet", "resnet18", "squeezenet1-0", "mobilenet-v3-small", "convnext-tiny"])
def test_no_parameter_and_no_operation_is_lost_on_a_side_path(name: str) -> None:
    found, account = stages(graph(name)), pel.summary(pel.zoo.build(name), pel.zoo.usual_input(name))

    assert sum(stage.parameters for stage in found) == account.parameters
    assert sum(stage.macs for stage in found) == account.macs
    assert len(found) <= 16


def test_only_what_all_paths_share_is_followed() -> None:
    planes = [(stage.channels, stage.plane) for stage in stages(graph("resnet18"))]

    assert planes == [
        (3, (224, 224)),
        *((64, (112, 112)), (64, (56, 56)), (128, (28, 28)), (256, (14, 14)), (512, (7, 7)), (512, (1, 1))),
        (1000, None),
    ]


def test_maps_whose_channels_stand_last() -> None:
    assert [stage.plane for stage in stages(graph("convnext-tiny"))][1:5] == [(56, 56), (28, 28), (14, 14), (7, 7)]


def test_sequences() -> None:
    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patches, self.mix = nn.Conv2d(3, 16, 4, stride=4), nn.Linear(16, 8)

        def forward(self, x):
            return self.mix(self.patches(x).flatten(2).transpose(1, 2))

    tokens = Tokens().graph((1, 3, 20, 20))
    assert stages(tokens)[-1] == Stage("mix", 8, (25, 1), 136, 3200)
    assert "25 places" in texts(funnel(tokens))


@pytest.mark.parametrize("name", [*NAMES, "squeezenet1-0", "vgg19-bn", "efficientnet-b0"])
def test_funnels_are_legible(name: str) -> None:
    check_legible(funnel(graph(name), name))


def test_the_numbers_are_written_below() -> None:
    written = texts(funnel(graph("vgg16"), "vgg16"))

    assert written[0] == "vgg16: 138,357,544 parameters, 15.47 G multiply-adds"
    assert {"64", "224×224", "512", "7×7", "4,096", "numbers"} <= set(written)
    assert "86 %" in written  # 119.5 of 138.4 M parameters are in the two layers of 4,096


def test_solids_grow_with_the_roots_of_side_and_channels() -> None:
    net = nn.Sequential(nn.Conv2d(4, 16, 2, stride=2), nn.Conv2d(16, 64, 2, stride=2))
    fronts = [
        patch.get_xy() for patch in funnel(net.graph((1, 4, 64, 64))).axes[0].patches[2:9:3]
    ]  # sides, roof, front
    sizes = [
        (corners[:, 0].max() - corners[:, 0].min(), corners[:, 1].max() - corners[:, 1].min()) for corners in fronts
    ]

    (w0, h0), (w1, h1), (w2, h2) = sizes
    assert (w1 / w0, w2 / w1) == pytest.approx((2, 2))
    assert (h0 / h1, h1 / h2) == pytest.approx((2**0.5, 2**0.5))


def test_a_network_without_weights() -> None:
    check_legible(funnel(nn.Sequential(nn.MaxPool2d(2), nn.ReLU()).graph((1, 3, 8, 6))))
