"""Training runs: folders on the disk, and the processes that train in them."""

from pellucid.studio.runs.runs import Runs

__all__ = ["Runs"]
