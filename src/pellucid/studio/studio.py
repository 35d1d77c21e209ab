"""What outlives a question: the user's files, the networks that were opened, the training runs."""

from __future__ import annotations

from pathlib import Path

from pellucid.studio.background import Background
from pellucid.studio.networks import Networks
from pellucid.studio.runs import Runs
from pellucid.studio.subjects import Traces
from pellucid.studio.uploads import Uploads


class Studio:
    """One person's studio; ``folder`` is where training runs are kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.uploads = Uploads()
        self.networks = Networks(folder, self.uploads.path)
        self.traces = Traces()
        self.runs = Runs(folder)
        self.background = Background()

    def close(self) -> None:
        """Let the training stop after a checkpoint, and remove what is temporary."""
        self.runs.close()
        self.uploads.close()
