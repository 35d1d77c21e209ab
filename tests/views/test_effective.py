import numpy as np
import pytest

from pellucid.analysis.effective import EffectiveField
from pellucid.views.effective import effective
from tests.views.drawings import check_legible, texts


def field(rows: int, columns: int, layer: str = "conv", **changes: object) -> EffectiveField:
    bump = np.exp(-((np.indices((rows, columns)) - 8) ** 2).sum(axis=0) / 8)
    settings = {"size": (11.0, 9.0), "box": (3, 4, 14, 13), "centre": (8.0, 8.0), "side": 7, "cell": (8, 8)}
    return EffectiveField(layer=layer, map=bump, **{**settings, **changes})


@pytest.mark.parametrize(("rows", "columns"), [(16, 16), (16, 40), (224, 60)])
def test_numbers_are_written_and_legible(rows: int, columns: int) -> None:
    figure = effective(field(rows, columns))
    written = texts(figure)

    check_legible(figure)
    assert written[:2] == ["Effective receptive field", "of conv, the cell in row 8, column 8"]
    assert "theoretical: 11×9 pixels" in written
    assert "95 % of the gradient: 7×7 pixels" in written
    assert written[-2:] == ["0", "1"]


def test_boxes_lie_where_the_pixels_are() -> None:
    figure = effective(field(16, 16))
    picture = figure.axes[0].images[0]
    left, right, bottom, top = picture.get_extent()
    theoretical, inner = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 5]
    pixel = (right - left) / 16

    np.testing.assert_array_equal(picture.get_array(), field(16, 16).map)
    assert bottom - top == pytest.approx(right - left)
    assert sorted(set((theoretical.get_xdata() - left) / pixel)) == pytest.approx([4, 13])
    assert sorted(set((theoretical.get_ydata() - top) / pixel)) == pytest.approx([3, 14])
    assert sorted(set((inner.get_xdata() - left) / pixel)) == pytest.approx([5, 12])


def test_a_layer_that_sees_everything_or_nothing() -> None:
    whole = effective(field(16, 16, cell=None, size=None, box=(0, 0, 16, 16), centre=(7.5, 7.5)))
    dead = EffectiveField(
        "a.layer.of.a.name.that.is.far.too.long", (0, 0), np.zeros((4, 4)), (1, 1), (0, 0, 1, 1), (0, 0), 0
    )

    assert "theoretical: the whole image" in texts(whole)
    assert "of conv" in texts(whole)
    check_legible(effective(dead))
