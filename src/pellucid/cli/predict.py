"""``pellucid predict``: what a trained network sees in images."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli.options import Json, print_json
from pellucid.errors import DataError, PellucidError
from pellucid.interop.target import load_model

if TYPE_CHECKING:
    from pellucid.data import Preprocessing
    from pellucid.nn import Module

EXAMPLE = "Example: pellucid predict runs/20260131-120000-pooled28 photo.jpg --top 3"


def predict(
    model: Annotated[str, typer.Argument(metavar="RUN|MODEL", help="Folder of a run, or a model file.")],
    images: Annotated[list[str], typer.Argument(metavar="IMAGE", help="Image files, of any size.")],
    top: Annotated[int, typer.Option(min=1, metavar="K", help="Classes to print, likeliest first.")] = 5,
    json: Json = False,
) -> None:
    """Classify images.

    One that cannot be read is named on stderr; the others are printed, and the status is 1.
    """
    from pellucid.views import text

    net = load_model(model)
    preprocessing, classes = _what_it_knows(net, model)
    results: list[dict[str, Any]] = []
    for image in images:
        try:
            results.append({"file": image, "top": _likeliest(net, preprocessing, classes, image)[:top]})
        except PellucidError as error:
            print(f"pellucid: {error}", file=sys.stderr)
    if json:
        print_json(results)
    else:
        for index, result in enumerate(results):
            if index:
                typer.echo()
            text.console().print(text.prediction(result["file"], result["top"]))
    if len(results) < len(images):
        raise typer.Exit(1)


def _what_it_knows(net: Module, model: str) -> tuple[Preprocessing, list[str]]:
    from pellucid.data import Preprocessing

    if "preprocessing" not in net.metadata or "classes" not in net.metadata:
        raise DataError(
            f"The model '{model}' must say how images are prepared and what its classes are; train it with pellucid."
        )
    return Preprocessing.from_dict(net.metadata["preprocessing"]), list(net.metadata["classes"])


def _likeliest(net: Module, preprocessing: Preprocessing, classes: list[str], image: str) -> list[dict[str, Any]]:
    from pellucid.nn.functional import softmax

    output = net(preprocessing.normalise(preprocessing.to_array(image))[None])  # (1, classes)
    if output.shape != (1, len(classes)):
        raise DataError(f"The network must give one number for each of its {len(classes)} classes; got {output.shape}.")
    if not abs(output).max() < float("inf"):  # NaN compares false
        raise DataError(f"What the network gives for '{image}' must be finite; got NaN or infinity; train it anew.")
    probabilities = softmax(output, 1)[0]
    order = (-probabilities).argsort(kind="stable")
    return [{"class": classes[index], "probability": float(probabilities[index])} for index in order]
