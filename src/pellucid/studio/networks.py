"""The networks that are looked into: opened once, kept while there is room, never found by a path from outside."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Literal

from pellucid.errors import ParameterError, ShapeError, nearest
from pellucid.explain.classes import class_names, scored
from pellucid.interop.pretrained import PRETRAINED
from pellucid.interop.target import MODEL, is_design, open_model, preprocessing_of

if TYPE_CHECKING:
    from pellucid.data import Preprocessing
    from pellucid.nn import Module
    from pellucid.types import Shape

Kind = Literal["shipped", "run", "upload", "random"]

MOST_BYTES = 2**30
"""Of the weights that are kept; one network may have more, and then it is kept alone."""
MOST_PIXELS = 2**20
"""Of a network's image: a page is no place for larger ones, and every layer grows with it."""

_RUN = re.compile(r"[\w-][\w.-]{0,99}", re.ASCII)


@dataclass(frozen=True, eq=False)
class Opened:
    """A network, ready to be looked into.

    ``key`` is what it was opened by, and when its file was written: no other weights have the same. ``shape`` is its
    image (C, H, W), ``classes`` what its scores are called, none where it gives no scores; ``kind`` says where its
    weights come from, ``says`` the same in words.
    """

    key: tuple[str, int]
    kind: Kind
    net: Module
    shape: Shape
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    says: str

    @property
    def nbytes(self) -> int:
        """Bytes of its weights."""
        return sum(array.nbytes for array in self.net.arrays().values())


class Networks:
    """Networks by what the page calls them; threads may share it.

    ``folder`` holds the training runs; ``upload`` finds the file of an uploaded model by its id.
    """

    def __init__(self, folder: Path, upload: Callable[[str], Path], limit: int = MOST_BYTES) -> None:
        self._folder, self._upload, self._limit = folder, upload, limit
        self._kept: OrderedDict[tuple[str, int], Opened] = OrderedDict()
        self._lock = Lock()

    def open(self, target: str) -> Opened:
        """Return the network that a target stands for.

        It is "digits" or "fashion", which are trained, a network of the zoo, which gets random weights, "upload:<id>",
        or the name of a run's folder. Raises ParameterError where there is none, or its image has too many pixels;
        FileError where its file is no model.
        """
        kind, place = self._find(target)
        key = target, 0 if place is None else place.stat().st_mtime_ns
        with self._lock:
            if key not in self._kept:
                self._keep(key, _opened(key, kind, target if place is None else str(place)))
            self._kept.move_to_end(key)
            return self._kept[key]

    def runs(self) -> list[str]:
        """Name the runs that have a network, the latest first."""
        try:
            found = [path.name for path in self._folder.iterdir() if (path / MODEL).is_file()]
        except OSError:
            return []
        return sorted((name for name in found if _RUN.fullmatch(name)), reverse=True)

    def _find(self, target: str) -> tuple[Kind, Path | None]:
        from pellucid import zoo

        if target in PRETRAINED:
            return "shipped", None
        if is_design(target):
            return "random", None
        if target.startswith("upload:"):
            return "upload", self._upload(target.removeprefix("upload:"))
        if _RUN.fullmatch(target) and (self._folder / target / MODEL).is_file():
            return "run", self._folder / target / MODEL
        known = [*PRETRAINED, *self.runs(), *zoo.names()]
        raise ParameterError(f"There is no network {target!r:.120}; {nearest(target, known)}.")

    def _keep(self, key: tuple[str, int], opened: Opened) -> None:
        for old in [other for other in self._kept if other[0] == key[0]]:
            del self._kept[old]  # the file has been written anew
        self._kept[key] = opened
        while len(self._kept) > 1 and sum(each.nbytes for each in self._kept.values()) > self._limit:
            self._kept.popitem(last=False)


def _opened(key: tuple[str, int], kind: Kind, source: str) -> Opened:
    net, says = open_model(source)
    if kind in ("run", "upload"):
        says = "the weights of the run" if kind == "run" else "the weights of the file"
    preprocessing = preprocessing_of(net)
    shape = (preprocessing.channels, *preprocessing.size)
    if shape[1] * shape[2] > MOST_PIXELS:
        raise ParameterError(
            f"The network's image must have at most {MOST_PIXELS:,} pixels to be looked into here; "
            f"got {shape[1]} × {shape[2]}."
        )
    return Opened(key, kind, net, shape, _classes(net, shape), preprocessing, says)


def _classes(net: Module, shape: Shape) -> tuple[str, ...]:
    with net.evaluating():
        graph = net.graph((1, *shape))
    try:
        scores, _ = scored(graph)
    except ShapeError:
        return ()
    return tuple(class_names(net, scores.shape[1]))
