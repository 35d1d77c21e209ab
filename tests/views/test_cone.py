import pytest

import pellucid.nn as nn
from pellucid.views.cone import cone, sights
from tests.views.drawings import NAMES, check_legible, graph, texts


def test_fields_of_vgg16() -> None:
    sizes = [sight.field.size and sight.field.size[0] for sight in sights(graph("vgg16"))]

    assert sizes == [3, 5, 6, 10, 14, 16, 24, 32, 40, 44, 60, 76, 92, 100, 132, 164, 196, 212, None]


def test_a_sight_as_json() -> None:
    first, *_, last = sights(graph("tiny"))

    assert first.as_dict() == {"name": "conv1", "what": "Conv2d 3×3", "field": [3.0, 3.0], "jump": [1.0, 1.0]}
    assert last.as_dict() == {"name": "fc", "what": "Linear", "field": None, "jump": None}


@pytest.mark.parametrize("name", [*NAMES, "efficientnet-b0", "vit-patches", "vgg19-bn", "convnext-tiny"])
def test_cones_are_legible(name: str) -> None:
    check_legible(cone(graph(name), name))


def bars(net: nn.Module, *shape: int) -> list[tuple[float, float]]:
    """(width, left) of the rectangles and the tips that are drawn for the fields, from top to bottom."""
    figure = cone(net.graph((1, *shape)))
    corners = [patch.get_xy() for patch in figure.axes[0].patches]
    return [(points[:, 0].max() - points[:, 0].min(), points[:, 0].min()) for points in corners]


def test_bars_are_as_wide_as_fields_beside_the_image() -> None:
    net = nn.Sequential(nn.Conv2d(1, 1, 5), nn.Conv2d(1, 1, 3, stride=2), nn.Conv2d(1, 1, 3))
    found = bars(net, 1, 40, 20)  # the cone and the bar, for fields of 5, 7 and 11 of 20 pixels across

    assert [width for width, _ in found[1::2]] == pytest.approx([300 * size / 20 for size in (5, 7, 11)])


def test_what_exceeds_the_image_is_drawn_beyond_its_border_and_said() -> None:
    net = nn.Sequential(nn.Conv2d(1, 1, 5, padding=2), nn.Conv2d(1, 1, 9, padding=4))
    _, _, _, beyond, inside = bars(net, 1, 10, 10)
    figure = cone(net.graph((1, 1, 10, 10)))
    bold = [text.get_text() for text in figure.axes[0].texts if text.get_fontweight() == "bold"]

    assert beyond[0] == pytest.approx(300)
    assert inside[0] == pytest.approx(300 * 10 / 13)
    assert bold == ["13"]


def test_rows_and_columns_that_differ_are_both_written() -> None:
    assert "3×5" in texts(cone(nn.Conv2d(1, 1, (3, 5)).graph((1, 1, 9, 9))))
