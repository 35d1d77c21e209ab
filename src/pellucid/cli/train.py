"""``pellucid train``: train a network on a data set and write a run's folder."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli.options import print_json
from pellucid.errors import ParameterError

if TYPE_CHECKING:
    from pellucid.train.run import Outcome
    from pellucid.train.settings import RunSettings

EXAMPLE = "Example: pellucid train --net pooled28 --data fashion-mnist-mini --epochs 8 --seed 1"

REPORT = "report.html"


def _option(text: str, metavar: str, panel: str = "Recipe") -> Any:
    return typer.Option(help=text, metavar=metavar, rich_help_panel=panel, show_default=False)


_WHAT, _RUN = "What to train, and on what", "Run"


def train(
    net: Annotated[str | None, _option("Network, name or listing (default pooled28).", "NAME|LISTING", _WHAT)] = None,
    data: Annotated[
        str | None, _option("Data set, by name or path (default fashion-mnist-mini).", "NAME|PATH", _WHAT)
    ] = None,
    augment: Annotated[
        str | None, _option("Changes, such as flip,shift=2,rotate=10, or none (default flip).", "LIST", _WHAT)
    ] = None,
    validation: Annotated[
        float | None, _option("Share of the training images held back to watch (default 0.1).", "SHARE", _WHAT)
    ] = None,
    epochs: Annotated[int | None, _option("Passes over the images (default 8).", "N")] = None,
    batch_size: Annotated[int | None, _option("Images a step (default 64).", "N")] = None,
    optimizer: Annotated[str | None, _option("sgd, adam or adamw (default sgd).", "NAME")] = None,
    lr: Annotated[float | None, _option("Learning rate (default 0.05).", "RATE")] = None,
    momentum: Annotated[float | None, _option("Momentum of sgd (default 0.9).", "SHARE")] = None,
    plain_momentum: Annotated[
        bool, typer.Option("--no-nesterov", help="Plain momentum, not Nesterov's.", rich_help_panel="Recipe")
    ] = False,
    weight_decay: Annotated[float | None, _option("Weight decay (default 0.0005).", "RATE")] = None,
    schedule: Annotated[str | None, _option("constant, step, cosine or one-cycle (default one-cycle).", "NAME")] = None,
    warmup: Annotated[int | None, _option("Steps of warm-up (default 0).", "STEPS")] = None,
    label_smoothing: Annotated[float | None, _option("From 0 to 1 (default 0).", "SHARE")] = None,
    clip_norm: Annotated[float | None, _option("Largest norm of the gradient (default none).", "NORM")] = None,
    early_stopping: Annotated[
        int | None, _option("Stop after so many epochs without a better loss (default none).", "EPOCHS")
    ] = None,
    seed: Annotated[int | None, _option("Decides everything random (default 0).", "N")] = None,
    out: Annotated[Path | None, _option("Folder to write to (default runs/TIME-NET).", "DIR", _RUN)] = None,
    resume: Annotated[Path | None, _option("Go on with the run in this folder.", "DIR", _RUN)] = None,
    checkpoint_steps: Annotated[
        int | None, _option("Write a checkpoint every N steps (default none).", "N", _RUN)
    ] = None,
    checkpoint_seconds: Annotated[
        float | None, _option("Write a checkpoint every so many seconds (default 10).", "SECONDS", _RUN)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.", rich_help_panel=_RUN)] = False,
) -> None:
    """Train a network on a data set.

    Writes model.safetensors, run.json, history.jsonl and report.html to a folder.

    A run that was stopped or killed goes on with --resume.
    """
    given = {
        "network": net,
        "data": data,
        "augment": augment,
        "validation": validation,
        "epochs": epochs,
        "batch_size": batch_size,
        "optimizer": optimizer,
        "learning_rate": lr,
        "momentum": momentum,
        "nesterov": False if plain_momentum else None,
        "weight_decay": weight_decay,
        "schedule": schedule,
        "warmup": warmup,
        "label_smoothing": label_smoothing,
        "clip_norm": clip_norm,
        "early_stopping": early_stopping,
        "seed": seed,
        "checkpoint_steps": checkpoint_steps,
        "checkpoint_seconds": checkpoint_seconds,
    }
    given = {name: value for name, value in given.items() if value is not None}
    if resume is not None:
        if given or out is not None:
            raise typer.BadParameter("--resume takes the settings of the run; leave the other options out.")
        _run(None, resume, json)
        return
    try:
        settings = _settings(given)
    except ParameterError as error:
        raise typer.BadParameter(str(error)) from None
    _run(settings, out or _new_folder(settings.called), json)


def _settings(given: dict[str, Any]) -> RunSettings:
    from pellucid.train.settings import RunSettings

    return RunSettings(**given)


def _run(settings: RunSettings | None, out: Path, json: bool) -> None:
    from pellucid.train.run import RUN, resume, start
    from pellucid.views import text
    from pellucid.views.progress import TrainingDisplay

    display = [TrainingDisplay(text.console(error=True))]
    try:
        if settings is None:
            outcome = resume(out, display)
        else:
            if not json:
                typer.echo(_introduction(settings) + "\n")
            outcome = start(settings, out, display)
        _finish(outcome, json)
    except KeyboardInterrupt:
        remedy = f"; resume with: pellucid train --resume {shlex.quote(str(out))}" if (out / RUN).exists() else ""
        print(f"Stopped{remedy}", file=sys.stderr)
        raise typer.Exit(130) from None


def _finish(outcome: Outcome, json: bool) -> None:
    import logging

    from pellucid.train.run import HISTORY, MODEL, RUN
    from pellucid.views import text
    from pellucid.views.report import write_report

    out = outcome.out
    if json:
        print_json(_record(outcome))
    else:
        text.console().print(text.result_table(outcome))
        typer.echo(f"\nFiles in {out}: {MODEL}, {RUN}, {HISTORY}")
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # its first start has things to say about fonts
    write_report(outcome, out / REPORT)
    if not json:
        typer.echo(f"Report: {out / REPORT}")


def _record(outcome: Outcome) -> dict[str, Any]:
    return {
        "out": str(outcome.out),
        "accuracy": outcome.evaluation.accuracy,
        "loss": outcome.evaluation.loss,
        "epochs": outcome.history[-1]["epoch"],
        "seconds": outcome.seconds,
    }


def _introduction(settings: RunSettings) -> str:
    epochs = "epoch" if settings.epochs == 1 else "epochs"
    return (
        f"{settings.called} on {settings.data}, {settings.epochs} {epochs}, batch {settings.batch_size}, "
        f"{settings.optimizer} {settings.learning_rate:g} {settings.schedule}, seed {settings.seed}"
    )


def _new_folder(network: str) -> Path:
    """Choose a folder that does not exist yet, named by time and network."""
    base = Path("runs") / f"{time.strftime('%Y%m%d-%H%M%S')}-{network}"
    folder, count = base, 1
    while folder.exists():
        count += 1
        folder = base.with_name(f"{base.name}-{count}")
    return folder
