"""Benchmarks as tables for a terminal."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from pellucid.bench.run import OURS, Benchmark, Row
from pellucid.bench.why import Explained
from pellucid.views.findings import percent

EFFECTIVE = "* effective: the definition's operations over the time; Winograd's algorithm multiplies less often"

_TITLES = {
    OURS: "Pellucid",
    "pytorch": "PyTorch",
    "onnxruntime": "ONNX\nRuntime",
    "openvino": "OpenVINO",
    "opencv": "OpenCV",
}


def benchmark_tables(benchmark: Benchmark) -> Group:
    """Lay a benchmark out: the machine, a table for each kind of work, memory, and what failed."""
    parts: list[Table | Text] = [Text(_machine(benchmark))]
    kinds: dict[str, list[Row]] = {}
    for row in benchmark.rows:
        kinds.setdefault(_split(row.work)[0], []).append(row)
    parts += [_timings(benchmark, kind, rows) for kind, rows in kinds.items()]
    if any(row.effective for row in benchmark.rows):
        parts.append(Text(EFFECTIVE, style="dim"))
    if benchmark.memory:
        parts.append(_memory(benchmark))
    parts += _failures(benchmark)
    return Group(*(item for part in parts for item in (part, Text())))


def why_table(rows: Sequence[Explained]) -> Table:
    """Lay out which kernel computes each operation, and why those before it do not."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim")
    for header in ("operation", "kernel", "rejected"):
        table.add_column(header, overflow="fold")
    for row in rows:
        kernels = {reason: [kernel for kernel, why in row.rejected if why == reason] for _, reason in row.rejected}
        rejected = "\n".join(f"{', '.join(names)}: {reason}" for reason, names in kernels.items())
        table.add_row(Text(f"{row.name}\n{row.op}"), Text(row.kernel), Text(rejected))
    return table


def _machine(benchmark: Benchmark) -> str:
    machine = benchmark.machine
    peaks = ", ".join(
        f"{gflops:.0f} GFLOP/s on {_threads(int(threads))}"
        for threads, gflops in machine["fma_peak_gflops_by_threads"].items()
    )
    copied = machine["bandwidth_gbytes_per_s"]
    return f"{machine['processor']}, {machine['cores']} cores; at most {peaks}; {copied:.0f} GB/s copied"


def _threads(count: int) -> str:
    return f"{count} thread" + "s" * (count > 1)


def _split(work: str) -> tuple[str, str]:
    """Return what the table is called, and the row in it."""
    depth = 3 if work.startswith("conv/") and work.count("/") > 2 else 2 if work.startswith("conv/") else 1
    parts = work.split("/")
    return "/".join(parts[:depth]), "/".join(parts[depth:])


def _timings(benchmark: Benchmark, kind: str, rows: Sequence[Row]) -> Table:
    peers = list(dict.fromkeys(peer for row in rows for peer in row.peers))
    table = _titled(f"{kind}, ms")
    table.add_column("work", overflow="fold")
    for header in ("thr", *(_TITLES.get(who, who) for who in (OURS, *peers)), "ratio", "GFLOP/s", "of\npeak"):
        table.add_column(header, justify="right", no_wrap=True)
    for row in rows:
        times = (milliseconds(row.peers[peer]) if peer in row.peers else "" for peer in peers)
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        style = "" if row.ratio is None else "green" if row.ratio >= 1 else "red"
        table.add_row(
            Text(_split(row.work)[1]),
            str(row.threads),
            milliseconds(row.pellucid_ms),
            *times,
            Text(ratio, style=style),
            f"{row.gflops:.1f}" + "*" * row.effective,
            percent(row.gflops / benchmark.peak(row.threads), 0),
        )
    return table


def milliseconds(value: float) -> str:
    """Write milliseconds with three digits.

    >>> milliseconds(0.02346), milliseconds(7.214), milliseconds(1234.6)
    ('0.0235', '7.21', '1,235')
    """
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3g}"


def _memory(benchmark: Benchmark) -> Table:
    table = _titled("memory, MB at the peak of a process")
    for header in ("work", ""):
        table.add_column(header)
    for header in ("whole process", "above imported libraries"):
        table.add_column(header, justify="right")
    for record in benchmark.memory:
        for who, peak in record["peak_mb"].items():
            above = record["above_import_mb"][who]
            table.add_row(record["work"].removeprefix("memory/"), _plain(who), f"{peak:.0f}", f"{above:.0f}")
    return table


def _titled(title: str) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim", title=title
    )
    table.title_justify, table.title_style = "left", "bold"
    return table


def _plain(who: str) -> str:
    return _TITLES.get(who, who).replace("\n", " ")


def _failures(benchmark: Benchmark) -> Iterator[Text]:
    for failure in benchmark.failures:
        style = "dim" if failure.excused else "red"
        where = f"{failure.work} on {_threads(failure.threads)}"
        yield Text(f"{failure.who}, {where}: {failure.reason}", style=style)
