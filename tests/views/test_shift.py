import dataclasses

import numpy as np
import pytest

from pellucid.explain.shifts.conditions import CONDITIONS
from pellucid.explain.shifts.equivariance import LayerError, Pooling
from pellucid.explain.shifts.remedies import REMEDIES, Comparison, Tried
from pellucid.explain.shifts.shift import Curve, ShiftRecord
from pellucid.views.shift import remedies_figure, shift_figure
from pellucid.views.shift_text import remedies_text, shift_text, spark
from tests.views.drawings import check_legible, texts

NONE = (None,) * 8


def record(
    layers: int = 3, conditions: int = len(CONDITIONS), sharpness: float = 1.0, **changes: object
) -> ShiftRecord:
    """A network that knows unchanged pictures, and the less the more they are changed."""
    curves = []
    for condition in CONDITIONS[:conditions]:
        values = np.array(condition.values)
        far = abs(values - condition.unchanged) / abs(values - condition.unchanged).max()
        shares = 0.9 * np.exp(-sharpness * 3 * far)
        about = condition.about, condition.unit, condition.unchanged, condition.values
        curves.append(Curve(condition.name, *about, tuple(shares.tolist()), tuple((0.8 * shares).tolist())))
    kinds = ("Conv2d", "ReLU", "MaxPool2d")
    errors = tuple(
        LayerError(f"stage{index}", kinds[index % 3], 2 ** (index // 3), (0.25, 0.0) * 4 if index % 3 else (0.0,) * 8)
        for index in range(layers)
    )
    poolings = (
        Pooling("stage2", 2, 2, 1, (0.5, 0.4), (0.3, 0.05), (0.06, 0.04), (0.01, 0.0)),
        Pooling("stage5", 3, 2, 2, (0.5,) * 3, (None, 0.02, 0.0), (0.01,) * 3, (0.0,) * 3),
    )
    built = ShiftRecord("pooled28", "clothes", 1000, 64, 0, 0.9, 0.72, tuple(curves), errors, poolings)
    return dataclasses.replace(built, **changes)


def comparison(epochs: int = 8, tried: int = 4) -> Comparison:
    return Comparison(
        "clothes", epochs, 0,
        tuple(
            Tried(remedy, 430_890, 61.0, record(sharpness=0.5 + index))
            for index, remedy in enumerate(REMEDIES[:tried])
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    "drawn",
    [
        record(),
        record(layers=60),
        record(layers=0, poolings=()),
        record(conditions=1),
        record(conditions=5),
        record(layers=0, poolings=record().poolings * 6),
    ],
)
def test_a_network_is_drawn_legibly(drawn: ShiftRecord) -> None:
    figure = shift_figure(drawn)
    written = texts(figure)

    check_legible(figure)
    assert written[0] == "pooled28 on changed pictures of clothes"
    for curve in drawn.curves:
        assert f"{curve.condition}, {curve.unit}" in written
    assert "accuracy" in written
    assert "unchanged 90.0 %" in figure.get_label().replace("\xa0", " ")


def test_lines_run_through_the_shares() -> None:
    drawn = record()
    lines = {len(line.get_xdata()): line for line in shift_figure(drawn).axes[0].lines}
    curve = drawn.curve("rotation")
    rotation = lines[len(curve.values)]
    y = np.array(rotation.get_ydata())
    shares = np.array(curve.confidence)  # drawn last

    assert np.ptp(y / 118 + shares) < 1e-9
    assert np.ptp(np.diff(rotation.get_xdata())) < 1e-9


def test_errors_are_printed_in_percent_and_layers_without_windows_left_out() -> None:
    figure = shift_figure(record())
    (picture, legend) = figure.axes[0].images
    written = texts(figure)

    np.testing.assert_array_equal(picture.get_array(), [[0.0] * 8, [25.0, 0.0] * 4])
    assert legend.get_array().shape[0] == 1
    assert written.count("25") == 5  # and the legend's end
    assert "stage1" not in written
    assert [word for word in written if word.startswith("× ")] == ["× 1", "× 1"]


def test_what_cannot_be_compared_is_a_dash() -> None:
    blind = record(layers=0, poolings=(), curves=record().curves)
    blind = dataclasses.replace(blind, layers=(LayerError("deep", "Conv2d", 32, NONE),))
    assert texts(shift_figure(blind)).count("–") == 8
    assert "deep" not in shift_text(blind)


@pytest.mark.parametrize("tried", [1, 2, 4])
def test_remedies_are_drawn_legibly(tried: int) -> None:
    figure = remedies_figure(comparison(tried=tried))
    written = texts(figure)

    check_legible(figure)
    assert written[0] == "Remedies, trained alike on clothes for 8 epochs"
    for remedy in REMEDIES[:tried]:
        assert written.count(remedy.name) == 3  # in the table, the key and above its layers
    strokes = [(line.get_color(), line.get_marker()) for line in figure.axes[0].lines if line.get_marker() != "None"]
    assert len(set(strokes)) == tried  # told apart without colours


def test_text_has_every_change_and_fits_a_terminal() -> None:
    said = shift_text(record())

    assert max(map(len, said.splitlines())) <= 80
    assert said.startswith("pooled28 on clothes: of 1,000 pictures as they are, 90.0")
    for condition in CONDITIONS:
        assert f"\n{condition.name} " in said
    assert "stage2" in said
    assert "30.0 %" in said.replace("\xa0", " ")


def test_remedies_stand_side_by_side() -> None:
    said = remedies_text(comparison(epochs=1)).replace("\xa0", " ")

    assert max(map(len, said.splitlines())) <= 80
    assert said.startswith("clothes, 1 epoch each, seed 0")
    assert said.count("90.0 %") == 4
    assert "turned by 90°" in said
    assert "p4: pooled28-p4, kernels in four orientations." in said


def test_sparks_reach_from_nothing_to_everything() -> None:
    assert spark([0, 0.124, 0.126, 0.99, 1]) == "▁▁▂██"
