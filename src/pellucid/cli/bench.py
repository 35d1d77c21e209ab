"""``pellucid bench``: speed and memory beside other frameworks, on this machine, in this run."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.errors import ParameterError

if TYPE_CHECKING:
    from pellucid.bench.works import Work

EXAMPLE = "Example: pellucid bench --work 'infer/*/b1' --threads 2 --json bench.json"

_BUSY = 0.5
"""Processes at work, on average of a minute, above which times are not to be trusted."""


def bench(
    work: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GLOB",
            help="Works to measure, by name or pattern: train/NET/bN, infer/NET/bN, conv/fwd|dgrad|wgrad/SHAPE, "
            "filter/…, memory/…. May be given several times.",
            show_default="the main ones",
        ),
    ] = None,
    threads: Annotated[str, typer.Option(metavar="N,…", help="Numbers of threads, each measured.")] = "1,2",
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the results there, after each work.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Measure a tenth as long: a look, not a result.")] = False,
    why: Annotated[
        str | None, typer.Option(metavar="NET", help="Explain the kernels of a network instead; NET or NET/bN.")
    ] = None,
) -> None:
    """Measure Pellucid beside the peers that are installed: the same arrays, the same threads, in turns."""
    from pellucid.views import text

    if why is not None:
        _explain(why)
        return
    from pellucid.bench import peers, run
    from pellucid.views.bench import benchmark_tables
    from pellucid.views.progress import counting

    works, counts = _choose(work or []), _parse(threads)
    _note_missing(peers.missing())
    benchmark = None
    with counting(text.console(error=True), "") as show:
        seconds = 0.05 if quick else 0.5
        for benchmark in run.run(works, counts, peers.installed(), progress=show, seconds=seconds):
            _write(json_file, benchmark.as_dict())
    assert benchmark is not None
    text.console().print(benchmark_tables(benchmark))
    _note_busy(benchmark.machine.get("load_average", 0.0))
    if not benchmark.is_complete:
        failed = sum(not failure.excused for failure in benchmark.failures)
        print(f"pellucid: {failed} measurements failed or gave a wrong result; see the list.", file=sys.stderr)
        raise typer.Exit(1)


def _explain(target: str) -> None:
    from pellucid.bench.why import explain
    from pellucid.views import text
    from pellucid.views.bench import why_table

    try:
        rows = explain(target)
    except ParameterError as error:
        raise typer.BadParameter(str(error)) from None
    text.console().print(why_table(rows))


def _choose(patterns: list[str]) -> list[Work]:
    from pellucid.bench.works import choose

    try:
        return choose(patterns)
    except ParameterError as error:
        raise typer.BadParameter(str(error)) from None


def _parse(threads: str) -> list[int]:
    parts = threads.split(",")
    if not all(part.strip().isdecimal() and len(part) < 4 and int(part) > 0 for part in parts):
        raise typer.BadParameter(f"--threads must be whole numbers of at least 1, such as 1,2; got {threads!r}.")
    return sorted({int(part) for part in parts})


def _note_missing(names: list[str]) -> None:
    if names:
        print(f"Not installed, so left out: {', '.join(names)}; pip install 'pellucid[bench]'.", file=sys.stderr)


def _note_busy(load: float) -> None:
    if load > _BUSY:
        print(
            f"The machine was busy before (load average {load:.1f}); frameworks whose threads wait for each other by "
            "spinning lose most by that. Measure again when it is quiet.",
            file=sys.stderr,
        )


def _write(path: Path | None, results: dict[str, Any]) -> None:
    from pellucid.files import write_text

    if path is not None:
        write_text(path, json.dumps(results, indent=1, allow_nan=False) + "\n")
