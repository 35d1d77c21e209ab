"""Rooms as widgets: what they are told to show, what they answer, and the picture where no widget can run."""

import io
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest
from PIL import Image

import pellucid as pel
import pellucid.studio
from pellucid.errors import ParameterError, ShapeError

pytest.importorskip("anywidget")
if not (Path(pellucid.studio.__file__).parent / "page" / "widget" / "widget.js").is_file():
    pytest.skip("the page is not built here (make page)", allow_module_level=True)

from pellucid.studio.widgets import Architect, Inspect, Playground, Stepper, Widget

BAR = [[0, 9, 0]] * 3


def said(widget: Widget, asked: dict[str, Any], *buffers: bytes) -> dict[str, Any]:
    """What a widget tells its page when asked."""
    told: list[dict[str, Any]] = []
    widget.send = told.append
    widget._handle_custom_msg(asked, list(buffers))
    return told[-1]


@pytest.mark.parametrize(
    "widget", [lambda: Playground(), lambda: Stepper(BAR, [[1, -1]]), lambda: Architect("tiny"), lambda: Inspect()]
)
def test_each_has_a_picture_where_no_widget_can_run(widget: Any) -> None:
    shown = widget()._repr_mimebundle_()[0]

    picture = np.asarray(Image.open(io.BytesIO(shown["image/png"])).convert("L"))

    assert picture.std() > 10  # not empty
    assert "application/vnd.jupyter.widget-view+json" in shown


def test_what_is_set_stands_in_the_place() -> None:
    stepper = Stepper(BAR, [[1, -0.5]], stride=2, padding="full", flip=True)
    drawing = np.zeros((8, 8))
    drawing[2, 1:4] = 1, 1, 0.5

    assert parse_qs(stepper.place) == {
        "image": ["0,9,0;0,9,0;0,9,0"],
        "kernel": ["1,-0.5"],
        "stride": ["2"],
        "padding": ["full"],
        "flip": ["1"],
    }
    assert parse_qs(Playground(drawing, ["sobel-x", [[1], [2]]]).place) == {
        "drawing": ["8.EQACMgEZLAA"],  # 17 × 0, 2 × 50, 1 × 25, 44 × 0
        "kernels": ["sobel-x|1;2"],
    }


def test_questions_are_answered_and_refused_in_a_sentence() -> None:
    widget = Stepper()
    setting = {"image": BAR, "kernel": [[1, -1]]}

    right = said(widget, {"id": 3, "ask": "stepper.scene", "with": {"setting": setting, "near": 0}})
    wrong = said(widget, {"id": 4, "ask": "stepper.scene", "with": {"setting": {**setting, "stride": 0}, "near": 0}})

    conv = next(grid for grid in right["tells"]["grids"] if grid["name"] == "conv")
    assert right["id"] == 3
    assert [list(row) for row in conv["values"]] == [[-9, 9]] * 3
    assert wrong["id"] == 4
    assert "stride" in wrong["error"]


@pytest.mark.parametrize(
    "asked", [{"id": 5}, {"id": 5, "ask": "nope", "with": 1}, {"id": 5, "upload": "a.png"}, "text"]
)
def test_what_is_no_question_is_answered_with_an_error(asked: Any) -> None:
    told = said(Stepper(), asked)

    assert told["id"] == (5 if isinstance(asked, dict) else None)
    assert told["error"]


def test_a_network_of_ones_own_is_inspected_with_its_weights() -> None:
    net = pel.pretrained("digits")
    widget = Inspect(net)
    (target,) = parse_qs(widget.place)["net"]

    told = said(widget, {"id": 1, "ask": "inspect.network", "with": {"target": target}})["tells"]

    assert target.startswith("upload:")
    assert told["classes"] == [str(digit) for digit in range(10)]


def test_pictures_are_kept_for_the_page() -> None:
    file = io.BytesIO()
    Image.new("L", (5, 4), 200).save(file, "png")

    told = said(Playground(), {"id": 9, "upload": "grey.png"}, file.getvalue())["tells"]

    assert (told["kind"], told["width"], told["height"]) == ("image", 5, 4)


def test_what_cannot_be_is_refused_at_once() -> None:
    with pytest.raises(ParameterError, match="'drawing' parameter of Playground must be a square"):
        Playground(np.zeros((8, 9)))
    with pytest.raises(ParameterError, match="got 8×8 from 0 to 2"):
        Playground(np.full((8, 8), 2.0) * np.eye(8))
    with pytest.raises(ShapeError):
        Stepper(np.zeros((99, 99)))
    with pytest.raises(ParameterError, match="nearest"):
        Playground(kernels=["sobel-z"])
