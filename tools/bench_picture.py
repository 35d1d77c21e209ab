"""Draw results of `pellucid bench` for the README: how many times the fastest peer's time is ours, work by work.

    python tools/bench_picture.py benchmarks/results/NAME.json docs/bench.svg

Convolutions are left out where whole networks are there; `--work GLOB` chooses others. The most threads count.
"""

import argparse
import json
from fnmatch import fnmatchcase

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

FASTER, SLOWER, GREY = "#2a6f97", "#c8553d", "#555555"
BEHIND = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}


def chosen(rows, patterns):
    """Rows with a peer, on the most threads, whose work matches."""
    threads = max(row["threads"] for row in rows)
    return [
        row
        for row in rows
        if row["threads"] == threads and row["ratio"] and any(fnmatchcase(row["work"], p) for p in patterns)
    ]


def draw(results, patterns, target):
    rows = chosen(results["rows"], patterns)[::-1]
    if not rows:
        raise SystemExit(f"No timed work matches {', '.join(patterns)}.")
    figure, axes = plt.subplots(figsize=(8, 0.9 + 0.3 * len(rows)), layout="constrained")
    ratios = [row["ratio"] for row in rows]
    axes.barh(range(len(rows)), ratios, height=0.7, color=[FASTER if ratio >= 1 else SLOWER for ratio in ratios])
    for place, row in enumerate(rows):
        label = f" {row['ratio']:.2f} × {row['fastest_peer']}"
        axes.text(row["ratio"], place, label, va="center", fontsize=8, color=GREY, bbox=BEHIND)
    axes.axvline(1, color="black", linewidth=1)
    axes.margins(y=0.01)
    axes.set_yticks(range(len(rows)), [row["work"] for row in rows], fontsize=8)
    axes.set_xlim(0, 1.3 * max(*ratios, 1))
    axes.set_xlabel("time of the fastest peer / time of Pellucid (longer is better, 1 is even)", fontsize=8)
    axes.tick_params(axis="x", labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    machine = results["machine"]
    axes.set_title(f"{machine['processor']}, {rows[0]['threads']} threads", fontsize=9, loc="left")
    mpl.rcParams["svg.hashsalt"] = "pellucid"  # the same results give the same file
    metadata = {"Date": None} if target.endswith(".svg") else None
    figure.savefig(target, dpi=150, metadata=metadata)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", help="JSON that `pellucid bench --json` wrote")
    parser.add_argument("target", help="picture to write, .svg or .png")
    parser.add_argument("--work", action="append", metavar="GLOB", help="works to draw")
    arguments = parser.parse_args()
    with open(arguments.results, encoding="utf-8") as file:
        draw(json.load(file), arguments.work or ["train/*", "infer/*", "filter/*"], arguments.target)
