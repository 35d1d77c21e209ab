"""The peers: one file each, imported when its library is installed."""

from contextlib import suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Protocol

from pellucid.bench.forms import Form
from pellucid.bench.tasks import Task

_DISTRIBUTIONS = ("torch", "onnxruntime", "openvino", "opencv-python-headless")
_PACKAGES = {
    "pytorch": ("torch",),
    "onnxruntime": ("onnxruntime", "onnx"),
    "openvino": ("openvino", "onnx"),
    "opencv": ("cv2",),
}
"""What must be installed for each peer; its file has its name."""


class Peer(Protocol):
    """What a peer's file defines."""

    def forms(self, task: Task, threads: int) -> list[Form]:
        """Ways of computing the task on so many threads, of which the fastest counts; none if it cannot."""
        ...


def installed() -> dict[str, Peer]:
    """Import the peers that are installed, by name."""
    return {name: _import(name) for name, packages in _PACKAGES.items() if all(map(find_spec, packages))}


def missing() -> list[str]:
    """Names of the peers that are not installed; extra "bench" brings them all."""
    return [name for name, packages in _PACKAGES.items() if not all(map(find_spec, packages))]


def versions() -> dict[str, str]:
    """Versions of the peers' libraries, as far as they are installed."""
    found = {}
    for name in _DISTRIBUTIONS:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _import(name: str) -> Peer:
    return import_module(f"{__name__}.{name}")
