"""Peak memory of training, ours and PyTorch's, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pellucid.errors import TrainingError

_STEPS = 3
_STATUS = Path("/proc/self/status")


def compare(work: str, threads: int, *, pytorch: bool) -> dict[str, Any]:
    """Train a network for some steps in separate processes; return their peaks in MB.

    ``peak_mb`` is the whole process, ``above_import_mb`` what came on top of the imported libraries. The work's
    name is ``memory/train/NET/bN``. Raises TrainingError where a process fails.
    """
    _, _, net, batch = work.split("/")
    found = {"pellucid": _spawn("pellucid", net, batch[1:], threads)}
    if pytorch:
        found["pytorch"] = _spawn("pytorch", net, batch[1:], threads)
    measures = ("peak_mb", "above_import_mb")
    return {"work": work, "threads": threads, **{m: {who: peaks[m] for who, peaks in found.items()} for m in measures}}


def _spawn(*arguments: object) -> dict[str, float]:
    command = [sys.executable, "-m", __name__, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["it left no message"]
        raise TrainingError(f"The process that measures memory failed: {reason[0]}.")
    peaks: dict[str, float] = json.loads(done.stdout)
    return peaks


def _peak() -> float:
    """Most memory that this process has held, in MB.

    Where Linux tells it: the figure that getrusage gives there begins with the memory of the parent process.
    """
    if _STATUS.is_file():
        for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1e3
    import resource

    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest / (1e6 if sys.platform == "darwin" else 1e3)


def _trainer(who: str) -> Callable[[str, int, int], Callable[[], Any]]:
    """Import what is needed, and return the function that makes a training step."""
    from pellucid.bench.tasks import Training

    if who == "pellucid":
        from pellucid.bench import ours
        from pellucid.kernels.threads import set_threads

        def make_ours(net: str, batch: int, threads: int) -> Callable[[], Any]:
            set_threads(threads)
            return ours.form(Training(net, batch)).run

        return make_ours
    from pellucid.bench.peers import pytorch

    def make_theirs(net: str, batch: int, threads: int) -> Callable[[], Any]:
        return pytorch.eager_training(Training(net, batch), threads).run

    return make_theirs


def main(who: str, net: str, batch: str, threads: str) -> None:
    """Train here for some steps and print the peaks as JSON."""
    make = _trainer(who)
    imported = _peak()
    step = make(net, int(batch), int(threads))
    for _ in range(_STEPS):
        step()
    print(json.dumps({"peak_mb": _peak(), "above_import_mb": _peak() - imported}))


if __name__ == "__main__":
    main(*sys.argv[1:])
