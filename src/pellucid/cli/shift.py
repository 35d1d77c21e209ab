"""``pellucid shift``: how a trained network takes changed pictures, and what helps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.cli.options import Json, print_json
from pellucid.errors import DataError, ParameterError
from pellucid.interop.target import is_design, load_model, load_test_set

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pellucid.explain.shifts.remedies import Comparison, Remedy
    from pellucid.explain.shifts.shift import ShiftRecord
    from pellucid.train.callbacks import Callback

EXAMPLE = "Example: pellucid shift fashion --out shift.png"

_DATA, _EPOCHS = "fashion-mnist-mini", 8


def shift(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN|MODEL|NET",
            help="A run's folder, a model file or a trained network's name.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|PATH",
            help="Data set.",
            show_default=f"the one it was trained on; with --remedies {_DATA}",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Picture to write, .svg or .png.", show_default=False)
    ] = None,
    remedies: Annotated[
        bool,
        typer.Option(
            "--remedies",
            help="Train pooled28 as it is, with augmentation, with BlurPool and on the group p4; compare.",
        ),
    ] = False,
    epochs: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Epochs of each remedy.", show_default=str(_EPOCHS))
    ] = None,
    images: Annotated[int, typer.Option(metavar="N", min=1, help="Test pictures that are changed.")] = 1000,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Decides pictures, noise and training.")] = 0,
    json: Json = False,
) -> None:
    """Measure a network on changed pictures, and its layers on shifted ones.

    Pictures are turned, moved, scaled, made brighter, noisier, inverted and blurred. --remedies trains four networks
    alike and shows their curves side by side.
    """
    from pellucid.views.sheet import check_picture, save

    if remedies == (model is not None):
        raise typer.BadParameter("Give either a run or model file, or --remedies.")
    if epochs is not None and not remedies:
        raise typer.BadParameter("--epochs goes with --remedies only; leave it out.")
    if out is not None:
        check_picture(out)
    record: ShiftRecord | Comparison
    if model is not None:
        record = _measure(model, data, images, seed)
    else:
        record = _compare(data or _DATA, epochs or _EPOCHS, images, seed)
    if out is not None:
        save(_drawn(record), out)
    if json:
        print_json(({"file": str(out)} if out is not None else {}) | record.as_dict())
        return
    typer.echo(_told(record))
    if out is not None:
        typer.echo(f"\nDrawn: {out}")


def _measure(model: str, data: str | None, images: int, seed: int) -> ShiftRecord:
    from pellucid.explain.shifts.shift import shift as measure
    from pellucid.views import text
    from pellucid.views.progress import counting

    if is_design(model):
        raise ParameterError(f"The network must be trained; '{model}' of the zoo is not; name a run, or fashion.")
    net = load_model(model)
    source = data or net.metadata.get("data")
    if source is None:
        raise DataError(f"The model '{model}' does not say what it was trained on; choose a data set with --data.")
    test = load_test_set(net, source)
    with counting(text.console(error=True), "changed pictures") as progress:
        return measure(net, test, images=images, seed=seed, progress=progress)


def _compare(data: str, epochs: int, images: int, seed: int) -> Comparison:
    from pellucid.data import registry
    from pellucid.explain.shifts.remedies import compare_remedies
    from pellucid.views import text
    from pellucid.views.progress import TrainingDisplay, counting

    console = text.console(error=True)

    def watch(remedy: Remedy) -> Sequence[Callback]:
        if console.is_terminal:
            console.print(f"[bold]{remedy.name}[/bold]: {remedy.network}, {remedy.about}")
        return [TrainingDisplay(console)]

    train, test = registry.load(data)
    with counting(console, "changed pictures") as progress:
        return compare_remedies(train, test, epochs=epochs, images=images, seed=seed, watch=watch, progress=progress)


def _drawn(record: ShiftRecord | Comparison) -> Figure:
    from pellucid.explain.shifts.shift import ShiftRecord
    from pellucid.views.shift import remedies_figure, shift_figure

    return shift_figure(record) if isinstance(record, ShiftRecord) else remedies_figure(record)


def _told(record: ShiftRecord | Comparison) -> str:
    from pellucid.explain.shifts.shift import ShiftRecord
    from pellucid.views.shift_text import remedies_text, shift_text

    return shift_text(record) if isinstance(record, ShiftRecord) else remedies_text(record)
