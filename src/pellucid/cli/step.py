"""``pellucid step``: convolve → ReLU → pool, one window after the other."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli.options import Border, Json, print_json

if TYPE_CHECKING:
    from pellucid.explain.steps.backward import Slopes
    from pellucid.explain.trace import Trace
    from pellucid.types import Array

EXAMPLE = 'Example: pellucid step --image "0,9,0; 0,9,0; 0,9,0" --kernel sobel-x --padding 1 --out steps.gif'


class Pool(StrEnum):
    """How a window is pooled."""

    max = "max"
    average = "average"
    none = "none"


def step(
    image: Annotated[
        str, typer.Option(metavar="NAME|FILE|ROWS", help="One such as bar or disc, an image file, or '0,9,9; 0,9,0'.")
    ] = "bar",
    kernel: Annotated[
        str,
        typer.Option(metavar="NAME|FILE|ROWS", help="A kernel of `pellucid kernels`, or '1,0,-1; 2,0,-2; 1,0,-1'."),
    ] = "vertical-edge",
    stride: Annotated[int, typer.Option(metavar="N", help="Cells from window to window.")] = 1,
    padding: Annotated[str, typer.Option(metavar="N|NAME", help="Cells of border, or valid, same, full.")] = "0",
    border: Annotated[Border, typer.Option(help="What stands in the border.")] = Border.zeros,
    dilation: Annotated[int, typer.Option(metavar="N", help="Cells from tap to tap of the kernel.")] = 1,
    flip: Annotated[
        bool, typer.Option("--flip", help="Turn the kernel by 180° first: the convolution of mathematics.")
    ] = False,
    bias: Annotated[float, typer.Option(metavar="NUMBER", help="Added to every sum.")] = 0.0,
    pool: Annotated[Pool, typer.Option(help="What is taken of a window.")] = Pool.max,
    pool_size: Annotated[
        int | None, typer.Option(metavar="N", help="Rows and columns of its window.", show_default="2")
    ] = None,
    pool_stride: Annotated[
        int | None, typer.Option(metavar="N", help="Cells from window to window.", show_default="the size")
    ] = None,
    ceil: Annotated[bool, typer.Option("--ceil", help="Let the last windows hang over the end.")] = False,
    backward: Annotated[
        bool, typer.Option("--backward", help="Go back, too: where each weight's gradient comes from.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write: .gif moves, .png shows key frames, .svg the last, .html plays."),
    ] = None,
    json: Json = False,
) -> None:
    """Convolve, cut off the negative, pool: step by step, on numbers that you choose.

    In a terminal the steps are played: space plays and pauses, the arrows step,
    b goes back through the gradients, q quits. In a pipe the maps are printed.
    """
    from pellucid.explain.kernels.gallery import read_kernel
    from pellucid.explain.steps.frame import pipeline, slopes
    from pellucid.explain.steps.images import read_image
    from pellucid.views.stepper.save import check_format

    if pool is Pool.none and (pool_size is not None or pool_stride is not None or ceil):
        raise typer.BadParameter(
            "--pool-size, --pool-stride and --ceil go with pooling; leave them out, or leave out --pool none."
        )
    if out is not None:
        check_format(out)
    pixels, note = read_image(image)
    traced = pipeline(
        pixels,
        read_kernel(kernel),
        stride=stride,
        padding=_cells(padding),
        border=border.value,
        dilation=dilation,
        flip=flip,
        bias=bias,
        pool=pool.value,
        pool_size=2 if pool_size is None else pool_size,
        pool_stride=pool_stride,
        ceil=ceil,
    )
    if note:
        typer.echo(note, err=True)
    found = slopes(traced) if backward else None
    if out is not None:
        _write(traced, found, out)
    if json:
        print_json(_numbers(traced, found))
    elif out is not None:
        typer.echo(f"Written: {out}")
    else:
        _show(traced, found)


def _cells(padding: str) -> int | str:
    return int(padding) if re.fullmatch(r"-?\d+", padding.strip()) else padding


def _write(traced: Trace, found: Slopes | None, out: Path) -> None:
    from pellucid.views import text
    from pellucid.views.progress import counting
    from pellucid.views.stepper.save import save

    with counting(text.console(error=True), "frames") as progress:
        save(traced, out, found, progress)


def _show(traced: Trace, found: Slopes | None) -> None:
    """Play the steps where somebody can see them, else print the maps."""
    from pellucid.explain.steps.frame import frame, scene, slopes
    from pellucid.views import text
    from pellucid.views.stepper.player import can_play, play
    from pellucid.views.stepper.text import plain

    console = text.console()
    if can_play(console):
        play(traced, found or slopes(traced), console, backward=found is not None)
        return
    stage = scene(traced, found)
    typer.echo(plain(stage, frame(traced, len(stage) - 1, found), console.width))


def _numbers(traced: Trace, found: Slopes | None) -> dict[str, Any]:
    """Return the maps as rows of numbers, whole ones as such; "pool" is null where there is none."""
    maps: dict[str, Any] = {
        name: _rows(traced[name].output[0]) if name in traced else None for name in ("conv", "relu", "pool")
    }
    if found is not None:
        names = ("pool", "relu", "conv", "kernel", "image")
        gradients = {name: getattr(found, name) for name in names}
        maps["gradients"] = {name: None if map_ is None else _rows(map_) for name, map_ in gradients.items()}
        maps["gradients"]["bias"] = _number(found.bias)
    return maps


def _rows(values: Array) -> list[list[float]]:
    return [[_number(value) for value in row] for row in values.tolist()]


def _number(value: float) -> float:
    """Return a whole number as such, others in the twelve digits that rounding leaves alone."""
    return int(value) if value == int(value) else float(f"{value:.12g}")
