import base64
import re
from xml.etree import ElementTree

import pytest

from pellucid.views.figures import Curve, curves, learning_curves
from tests.views.outcomes import history


def svg(address: str) -> str:
    head, _, data = address.partition(",")
    assert head == "data:image/svg+xml;base64"
    return base64.b64decode(data).decode()


def texts(drawing: str) -> list[str]:
    return [
        "".join(node.itertext()) for node in ElementTree.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text")
    ]


def test_curves_are_drawn_where_the_numbers_are() -> None:
    drawing = svg(curves([1, 2, 3], [Curve("training", [3.0, 1.0, 2.0])]))
    path = re.search(r'<g id="line2d_\d+">\s*<path d="([^"]+)"[^>]*stroke: var\(--first\)', drawing)
    assert path
    points = [tuple(map(float, pair)) for pair in re.findall(r"[ML] ([\d.]+) ([\d.]+)", path[1])]

    assert len(points) == 3
    (x1, y1), (x2, y2), (x3, y3) = points
    assert x2 - x1 == pytest.approx(x3 - x2, abs=1e-3)
    assert (y2 - y1) / (y3 - y1) == pytest.approx(2.0, rel=1e-3)  # downwards is less, twice as far


def test_lines_are_named_and_axes_labelled() -> None:
    drawn = learning_curves(history(5))

    assert {"training", "validation", "epoch", "1", "5"} <= set(texts(svg(drawn["loss"])))
    assert any(text.endswith(" %") for text in texts(svg(drawn["accuracy"])))


def test_names_stay_apart_where_lines_end_together() -> None:
    drawing = svg(curves([1, 2], [Curve("a", [1.0, 2.0]), Curve("b", [3.0, 2.0])]))
    places = [float(y) for y in re.findall(r'<text [^>]*y="([\d.]+)"[^>]*>[ab]</text>', drawing)]

    assert len(places) == 2
    assert abs(places[0] - places[1]) > 10


def test_without_validation_there_is_one_line() -> None:
    assert "validation" not in texts(svg(learning_curves(history(3, validation=False))["loss"]))


@pytest.mark.parametrize("epochs", [1, 2, 40])
def test_any_number_of_epochs(epochs: int) -> None:
    labels = [text for text in texts(svg(learning_curves(history(epochs))["loss"])) if text.isdecimal()]

    assert labels
    assert all(float(label) <= epochs + 1 for label in labels)


def test_colours_are_the_pages_and_both_themes_are_there() -> None:
    drawing = svg(learning_curves(history(3))["loss"])

    assert "prefers-color-scheme: dark" in drawing
    assert not re.search(r"#0[0-9a-f]0[0-9a-f]0[0-9a-f]\b", drawing)  # no placeholder is left
    assert "system-ui" in drawing


def test_same_history_gives_same_bytes() -> None:
    assert learning_curves(history(3)) == learning_curves(history(3))
