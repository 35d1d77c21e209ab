import io

from rich.console import Console

from pellucid.bench.engine import VARIABLES
from pellucid.views.engine import engine_tables

ENGINE = {
    "processor": "Some [CPU] with a rather long name that its maker was proud of, at 3.20 GHz",
    "vectors": {"name": "sse", "width": 4, "registers": 16, "fused": False},
    "tile": {"rows": 6, "vectors": 2, "floats": 48},
    "threads": {
        "count": 3, "reason": "as PELLUCID_THREADS says", "usable_cores": 2,
        "usable_reason": "a quota of 1.5 of 4 cores", "affinity": 8, "quota": 1.5,
    },
    "peak_gflops": {"1": 54.4, "2": 108.7},
    "precision": "fast",
    "selection": "rule",
    "cache": {"folder": "/home/" + "a" * 120, "kernels": 0, "bytes": 0, "usable": True, "obstacle": None},
    "environment": dict.fromkeys(VARIABLES) | {"PELLUCID_CACHE": "/mine/[red]" + "b" * 90},
}  # fmt: skip


def shown(engine):
    stream = io.StringIO()
    Console(file=stream, width=80, highlight=False).print(engine_tables(engine))
    return stream.getvalue()


def test_everything_fits_a_terminal_and_nothing_is_lost():
    text = shown(ENGINE)
    assert max(map(len, text.splitlines())) <= 80
    folded = "".join(text.split())
    for words in (
        "Some [CPU] with a rather long name", "sse: 4 floats each, 16 registers, multiply, then add",
        "6 rows × 2 vectors: 48 sums, 8 in a row", "3: as PELLUCID_THREADS says",
        "may use a quota of 1.5 of 4 cores; 8 processors by affinity",
        "54 GFLOP/s on 1 thread, 109 GFLOP/s on 2 threads", "none yet; each is compiled once, then kept",
        "a" * 120, "[red]",
    ):  # fmt: skip
        assert "".join(words.split()) in folded


def test_why_nothing_is_kept():
    for folder in ("/root/cache", None):
        cache = {"folder": folder, "kernels": 0, "bytes": 0, "usable": False, "obstacle": "permission denied"}
        text = shown(ENGINE | {"cache": cache})
        assert "as none can be kept: permission denied" in " ".join(text.split())
        assert (folder or "no folder") in text
