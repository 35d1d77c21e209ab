"""The engine as tables for a terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from pellucid.bench.engine import VARIABLES

_MODES = {
    "fast": "3×3 kernels by Winograd's algorithm where that is quicker",
    "strict": "every product summed, no Winograd",
    "rule": "the kernel with the least work, by count",
    "measured": "the quickest kernel, each tried once for a shape",
}


def engine_tables(engine: Mapping[str, Any]) -> Group:
    """Lay out what :func:`pellucid.bench.engine.describe` found."""
    facts = _table("", "", show_header=False)
    for name, fact in _facts(engine):
        facts.add_row(name, fact)
    variables = _table("variable", "value", "says")
    for name, value in engine["environment"].items():
        shown = Text(value, style="bold") if value else Text("not set", style="dim")
        variables.add_row(name, shown, VARIABLES[name])
    return Group(facts, Text(), variables)


def kernels_and_size(number: int, size: int) -> str:
    """Write how many compiled kernels there are, and how large they are together.

    >>> kernels_and_size(1, 81_234), kernels_and_size(52, 5_250_000)
    ('1 kernel, 81 kB', '52 kernels, 5.2 MB')
    """
    amount = f"{size / 1e3:.0f} kB" if size < 999_500 else f"{size / 1e6:.1f} MB"
    return f"{_counted(number, 'kernel')}, {amount}"


def _facts(engine: Mapping[str, Any]) -> Iterator[tuple[str, str | Text]]:
    vectors, tile, threads = engine["vectors"], engine["tile"], engine["threads"]
    adding = "fused multiply-add" if vectors["fused"] else "multiply, then add"
    columns = tile["floats"] // tile["rows"]
    quota = "no quota" if threads["quota"] is None else f"a quota of {threads['quota']:g}"
    peaks = (
        f"{gflops:.0f} GFLOP/s on {_counted(int(count), 'thread')}" for count, gflops in engine["peak_gflops"].items()
    )
    yield "processor", Text(engine["processor"])
    yield "vectors", f"{vectors['name']}: {vectors['width']} floats each, {vectors['registers']} registers, {adding}"
    yield "register tile", f"{tile['rows']} rows × {tile['vectors']} vectors: {tile['floats']} sums, {columns} in a row"
    yield "threads", Text(f"{threads['count']}: {threads['reason']}")
    affinity = _counted(threads["affinity"], "processor")
    yield "this process", Text(f"may use {threads['usable_reason']}; {affinity} by affinity, {quota}")
    yield "peak", f"{', '.join(peaks)}, measured"
    yield "precision", f"{engine['precision']}: {_MODES[engine['precision']]}"
    yield "selection", f"{engine['selection']}: {_MODES[engine['selection']]}"
    yield "kernels", _kernels(engine["cache"])
    yield "kept in", Text(engine["cache"]["folder"] or "no folder")


def _kernels(cache: Mapping[str, Any]) -> Text:
    if not cache["usable"]:
        return Text(f"compiled anew in every process, as none can be kept: {cache['obstacle']}", style="red")
    found = kernels_and_size(cache["kernels"], cache["bytes"]) if cache["kernels"] else "none yet"
    return Text(f"{found}; each is compiled once, then kept")


def _table(*headers: str, show_header: bool = True) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_header=show_header, show_edge=False, pad_edge=False, header_style="dim")
    for number, header in enumerate(headers):
        table.add_column(header, no_wrap=number == 0, overflow="fold")
    return table


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}" + "s" * (count != 1)
