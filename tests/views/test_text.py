import io
from pathlib import Path

import numpy as np
from rich.console import Console

from pellucid.train.evaluate import Evaluation
from pellucid.views import text
from tests.views.outcomes import outcome


def printed(renderable: object, width: int = 80) -> str:
    file = io.StringIO()
    Console(file=file, width=width, highlight=False).print(renderable)
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert max(map(len, lines)) <= width
    return "\n".join(lines)


def test_result_table_has_accuracy_and_time(tmp_path: Path) -> None:
    run = outcome(tmp_path)
    found = printed(text.result_table(run))

    assert f"{100 * run.evaluation.accuracy:.1f}" in found
    assert "1 min 15 s" in found
    assert "1,234" in found


def test_evaluation_table_draws_bars_and_leaves_markup_alone() -> None:
    evaluation = Evaluation(
        0.5,
        1.0,
        {"[bold]a": 1.0, "b": 0.25, "c": float("nan")},
        np.array([[4, 0, 0], [2, 1, 1], [0, 0, 0]]),
        np.zeros(0),
    )
    lines = printed(text.evaluation_table(evaluation)).splitlines()

    (a,) = [line for line in lines if line.startswith("[bold]a")]
    (b,) = [line for line in lines if line.startswith("b ")]
    (c,) = [line for line in lines if line.startswith("c ")]
    assert (a.count("█"), b.count("█"), c.count("█")) == (24, 6, 0)
    assert "–" in c


def test_prediction_has_file_classes_and_bars() -> None:
    top = [{"class": "Ankle [boot]", "probability": 0.75}, {"class": "Bag", "probability": 0.25}]
    lines = printed(text.prediction("a [red] file.png", top)).splitlines()

    assert lines[0] == "a [red] file.png"
    assert lines[1].split("█")[0].split() == ["75.0", "%"]
    assert lines[1].count("█") == 3 * lines[2].count("█") == 18
    assert lines[1].endswith("Ankle [boot]")


def test_data_list_says_what_is_here() -> None:
    row = {"name": "x", "train": 60000, "test": 10, "image": [1, 28, 28], "bytes": 11.6e6, "description": "Digits"}

    assert "60,000 +     10 of 1×28×28   to fetch: 12 MB\n    Digits" in text.data_list([row | {"path": None}])
    assert text.data_list([row | {"path": "/somewhere"}]).splitlines()[0].endswith("here")
