"""A process that trains one run: ``python -m pellucid.studio.runs.worker resume|conclude FOLDER``.

It stops after a checkpoint when its standard input ends: because the studio says so, or because the studio is gone.
"""

import _thread
import os
import sys
import threading

from pellucid.errors import PellucidError
from pellucid.train import run

_NICE = 10
"""The page goes first where both want the processor."""


def main(task: str, out: str) -> int:
    """Do the task and return the exit status."""
    if hasattr(os, "nice"):
        os.nice(_NICE)
    threading.Thread(target=_stop_when_told, daemon=True).start()
    try:
        {"resume": run.resume, "conclude": run.conclude}[task](out)
    except KeyboardInterrupt:
        return 0
    except PellucidError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _stop_when_told() -> None:
    while os.read(0, 1):
        pass
    _thread.interrupt_main()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
