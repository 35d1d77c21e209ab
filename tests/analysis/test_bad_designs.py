"""Networks that cannot be are refused naming the first layer that does not fit, and why, with the numbers."""

from collections.abc import Callable

import pytest

import pellucid as pel
import pellucid.nn as nn

IMAGE = (1, 28, 28)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            [nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(16, 8, 3)],
            "Conv2d '2' needs 16 channels on axis 1, got shape (1, 8, 26, 26).",
        ),
        ([nn.Conv2d(3, 8, 3)], "Conv2d '0' needs 3 channels on axis 1, got shape (1, 1, 28, 28)."),
        (
            [nn.Conv2d(1, 6, 3), nn.Conv2d(8, 8, 3, groups=8)],
            "Conv2d '1' needs 8 channels on axis 1, got shape (1, 6, 26, 26).",
        ),
        (
            [nn.Conv2d(1, 6, 3), nn.ConvTranspose2d(4, 2, 2, stride=2)],
            "ConvTranspose2d '1' needs 4 channels on axis 1, got shape (1, 6, 26, 26).",
        ),
        (
            [nn.Conv2d(1, 8, 3), nn.BatchNorm2d(16)],
            "BatchNorm '1' normalises 16 channels, got 8 in shape (1, 8, 26, 26).",
        ),
        (
            [nn.Conv2d(1, 8, 3), nn.Flatten(), nn.Linear(100, 10)],
            "Linear '2' needs 100 features on the last axis, got shape (1, 5408).",
        ),
        (
            [nn.Conv2d(1, 8, 3), nn.Linear(100, 10)],
            "Linear '1' needs 100 features on the last axis, got shape (1, 8, 26, 26). Flatten the maps first?",
        ),
        (
            [nn.Flatten(), nn.Conv2d(1, 8, 3)],
            "Conv2d '1' needs an input of 4 axes (N, C, H, W), got shape (1, 784).",
        ),
        (
            [nn.Sequential(nn.Conv2d(1, 8, 3)), nn.Sequential(nn.ReLU(), nn.Conv2d(4, 8, 3))],
            "Conv2d '1.1' needs 4 channels on axis 1, got shape (1, 8, 26, 26).",
        ),
        (
            [nn.Conv2d(1, 8, 3), nn.InstanceNorm2d(4)],
            "InstanceNorm2d '1' needs an input (N, 4, H, W), got shape (1, 8, 26, 26).",
        ),
        (
            [nn.Flatten(), nn.Sequential(nn.BatchNorm2d(4))],
            "BatchNorm2d '1.0' needs an input of 4 axes, got shape (1, 784).",
        ),
        (
            [nn.Sequential({"stem": nn.Conv2d(3, 8, 3)})],
            "Conv2d '0.stem' needs 3 channels on axis 1, got shape (1, 1, 28, 28).",
        ),
    ],
)
def test_channels_that_do_not_match(layers: list[nn.Module], message: str) -> None:
    with pytest.raises(pel.ShapeError) as caught:
        pel.summary(nn.Sequential(*layers), IMAGE)

    assert str(caught.value) == message


def test_channels_last_are_recognised() -> None:
    with pytest.raises(pel.ShapeError, match=r"'0' needs 3 channels .* \(1, 28, 28, 3\); channels last\?"):
        pel.summary(nn.Sequential(nn.Conv2d(3, 8, 3)), (28, 28, 3))


REMEDY = ": it does not fit; use a smaller kernel or dilation, more padding, or a larger input."


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (  # 28 → 26 → 13 → 11 → 5 → 3 → 1
            [layer for _ in range(4) for layer in (nn.Conv2d(1, 1, 3), nn.MaxPool2d(2))],
            f"Conv2d '6' has a window of 3 on an input of 1 padded to 1{REMEDY}",
        ),
        (  # 28 → 14 → 7 → 3 → 1
            [nn.MaxPool2d(2) for _ in range(6)],
            f"MaxPool2d '4' has a window of 2 on an input of 1 padded to 1{REMEDY}",
        ),
        (
            [nn.AvgPool2d(8), nn.AvgPool2d(8)],
            f"AvgPool2d '1' has a window of 8 on an input of 3 padded to 3{REMEDY}",
        ),
        (
            [nn.Conv2d(1, 1, 3, dilation=8), nn.Conv2d(1, 1, 3, dilation=8, padding=2)],
            f"Conv2d '1' has a window of 17 on an input of 12 padded to 16{REMEDY}",
        ),
        (
            [nn.MaxPool2d(14), nn.Conv2d(1, 1, 5, padding=2, padding_mode="reflect")],
            "Conv2d '1' pads 2 cells in mode 'reflect', but an input of 2 allows at most 1; "
            "use less padding or mode 'replicate'.",
        ),
        (
            [nn.MaxPool2d(7), nn.ConvTranspose2d(1, 1, 2, padding=4)],
            "ConvTranspose2d '1' cuts 4 + 4 cells of padding off an output of 5: nothing is left; use less padding.",
        ),
    ],
)
def test_maps_that_shrink_to_nothing(layers: list[nn.Module], message: str) -> None:
    with pytest.raises(pel.ShapeError) as caught:
        pel.summary(nn.Sequential(*layers), IMAGE)

    assert str(caught.value) == message


def test_the_larger_side_may_be_left_when_the_smaller_is_gone() -> None:
    net = nn.Sequential(nn.MaxPool2d(4), nn.Conv2d(1, 1, 3))

    with pytest.raises(pel.ShapeError, match="'1' has a window of 3 on an input of 2 padded to 2"):
        pel.summary(net, (1, 8, 400))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: nn.Conv2d(6, 8, 3, groups=4),
            "The 'groups' parameter of Conv2d must divide in_channels 6; got 4.",
        ),
        (
            lambda: nn.Conv2d(8, 6, 3, groups=4),
            "The 'groups' parameter of Conv2d must divide out_channels 6; got 4.",
        ),
        (
            lambda: nn.GroupNorm(4, 6),
            "The 'num_groups' parameter of GroupNorm must divide num_channels 6; got 4.",
        ),
    ],
)
def test_groups_that_do_not_divide_their_own_layer_are_refused_where_it_is_made(
    make: Callable[[], nn.Module], message: str
) -> None:
    with pytest.raises(pel.ParameterError) as caught:
        nn.Sequential(nn.Conv2d(1, 6, 3), make())

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (nn.GroupNorm(4, 8), "GroupNorm '1' needs channels on axis 1 that 4 groups divide, got shape (1, 6, 26, 26)."),
        (
            nn.ChannelShuffle(4),
            "ChannelShuffle '1' needs channels on axis 1 that 4 groups divide, got shape (1, 6, 26, 26).",
        ),
        (nn.PixelShuffle(2), "PixelShuffle '1' needs channels that factor² = 4 divides, got shape (1, 6, 26, 26)."),
    ],
)
def test_groups_that_do_not_divide_what_comes_in(layer: nn.Module, message: str) -> None:
    with pytest.raises(pel.ShapeError) as caught:
        pel.summary(nn.Sequential(nn.Conv2d(1, 6, 3), layer), IMAGE)

    assert str(caught.value) == message
