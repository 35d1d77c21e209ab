"""The report of a training run: one page that needs nothing but itself."""

import base64
import hashlib
import json
import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid import __version__
from pellucid.analysis.summary import summary
from pellucid.explain.filters import first_convolution
from pellucid.explain.trace import trace
from pellucid.files import write_text
from pellucid.train.run import RUN, Outcome
from pellucid.views import figures, findings, inside, scales
from pellucid.views.pictures import photo

_PROBABLE = 3


def write_report(outcome: Outcome, path: str | os.PathLike[str]) -> None:
    """Write the report of a finished run as one HTML file, in one piece.

    The page loads nothing, runs no script and forbids both to itself. Raises FileError where it cannot be written;
    what was there before is then untouched.
    """
    write_text(path, render(outcome))


def render(outcome: Outcome) -> str:
    """Return the report of a finished run as HTML."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("pellucid.views"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = environment.get_template("report.css.j2").render(shades=_shades(), font=Markup(figures.FONT))
    return environment.get_template("report.html.j2").render(
        style=Markup(style),
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        version=__version__,
        **_results(outcome),
        **_inside(outcome),
        **_record(outcome),
    )


def _results(outcome: Outcome) -> dict[str, Any]:
    evaluation, test = outcome.evaluation, outcome.test
    wrong, worst = findings.mistakes(evaluation, test)
    classes = findings.class_results(evaluation)
    matrix = findings.confusion_rows(evaluation)
    return {
        "network": outcome.settings.called,
        "train": outcome.train,
        "test": test,
        "held_back": findings.percent(outcome.settings.validation, 0) if outcome.settings.validation else "",
        "accuracy": findings.percent(evaluation.accuracy),
        "loss": f"{evaluation.loss:.3f}",
        "uncertainty": f"{100 * findings.uncertainty(evaluation.accuracy, len(test)):.1f}",
        "seconds": findings.duration(outcome.seconds) if outcome.seconds else "",
        "history": outcome.history,
        "curves": figures.learning_curves(outcome.history),
        "course": findings.course(outcome.history),
        "classes": classes,
        "best_and_worst": findings.best_and_worst(classes),
        "confusion": matrix,
        "confusions": findings.confusions(evaluation),
        "commonest_confusion": findings.commonest_confusion(evaluation),
        "wrong": wrong,
        "mistakes": worst,
    }


@dataclass(frozen=True, slots=True)
class Example:
    """The test image that the report looks through the network with."""

    index: int
    picture: str
    truth: str
    probable: list[tuple[str, str]]
    height: int
    width: int


def _inside(outcome: Outcome) -> dict[str, Any]:
    net, test = outcome.net, outcome.test
    index = findings.image_to_show(outcome.evaluation, test)
    image = test.inputs(np.array([index]))[0]  # (C, H, W)
    seen = trace(net, image)
    convolution = first_convolution(seen.graph)
    account = summary(net, image.shape)
    return {
        "example": _example(outcome, index),
        "maps": inside.feature_maps(seen),
        "filters": convolution and inside.filters(convolution, outcome.initial, net.state_dict()),
        "written": convolution and inside.strongest_cell(seen, convolution),
        "summary": account,
        "largest_layer": findings.largest_layer(account),
    }


def _example(outcome: Outcome, index: int) -> Example:
    test, probabilities = outcome.test, outcome.evaluation.probabilities[index]
    order = (-probabilities).argsort(kind="stable")[:_PROBABLE]
    height, width = test.images.shape[2:]
    return Example(
        index=index,
        picture=photo(findings.picture_of(test, index), largest=256),
        truth=test.classes[test.labels[index]],
        probable=[(test.classes[i], findings.percent(float(probabilities[i]))) for i in order],
        height=height,
        width=width,
    )


def _record(outcome: Outcome) -> dict[str, Any]:
    settings = outcome.settings.as_dict()
    machine = json.loads((outcome.out / RUN).read_text(encoding="utf-8"))["machine"]
    return {
        "settings": {name.replace("_", " "): _written(value) for name, value in settings.items()},
        "versions": machine.pop("versions"),
        "machine": machine,
    }


def _written(value: Any) -> str:
    if value is None or value == "":
        return "none"
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _shades() -> list[tuple[str, str, bool]]:
    """Return (class, colour, whether its text must be light) for the numbers in grids."""
    shades = []
    for family, colours in (("a", scales.ACTIVATIONS), ("w", scales.WEIGHTS)):
        palette = scales.palette(colours)
        for step in range(-inside.SHADES, inside.SHADES + 1):
            red, green, blue = palette[round((scales.LEVELS - 1) * (step / inside.SHADES + 1) / 2)].tolist()
            dark = 0.299 * red + 0.587 * green + 0.114 * blue < 140
            shades.append((f"{family}{step}", f"#{red:02x}{green:02x}{blue:02x}", dark))
    return shades
