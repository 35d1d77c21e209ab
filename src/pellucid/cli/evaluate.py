"""``pellucid evaluate``: how good a trained network is on a data set."""

from typing import Annotated

import typer

from pellucid.cli.options import Json, print_json
from pellucid.errors import DataError
from pellucid.interop.target import load_model, load_test_set

EXAMPLE = "Example: pellucid evaluate runs/20260131-120000-pooled28 --data fashion-mnist-mini --json"


def evaluate(
    model: Annotated[str, typer.Argument(metavar="RUN|MODEL", help="Folder of a run, or a model file.")],
    data: Annotated[
        str | None, typer.Option(help="Data set, by name or path.", show_default="the one it was trained on")
    ] = None,
    json: Json = False,
) -> None:
    """Evaluate a trained network on the test images of a data set."""
    from pellucid.train.evaluate import evaluate as measure
    from pellucid.views import text

    net = load_model(model)
    source = data or net.metadata.get("data")
    if source is None:
        raise DataError(f"The model '{model}' does not say what it was trained on; choose a data set with --data.")
    evaluation = measure(net, load_test_set(net, source))
    if json:
        print_json(evaluation.as_dict())
    else:
        text.console().print(text.evaluation_table(evaluation))
