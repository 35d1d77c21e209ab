"""A network and a picture together: what the network sees, and the trace of it, kept for the next question."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from pellucid.explain.shifts.change import Change
from pellucid.explain.trace import Trace, trace
from pellucid.studio.pictures import pixels
from pellucid.types import Array

if TYPE_CHECKING:
    from pellucid.studio.messages.subjects import InspectSubject
    from pellucid.studio.networks import Opened
    from pellucid.studio.studio import Studio

MEMORY = 128 * 2**20
"""Bytes of activations that a trace keeps."""
KEPT = 512 * 2**20
"""Bytes that all kept traces may take; the one in use is kept in any case."""


class Traces:
    """The latest traces by network and picture; threads may share it."""

    def __init__(self, limit: int = KEPT) -> None:
        self._limit = limit
        self._kept: OrderedDict[tuple[tuple[str, int], bytes], tuple[Opened, Trace]] = OrderedDict()
        self._lock = Lock()

    def of(self, opened: Opened, seen: Array) -> Trace:
        """Return the trace of a picture, uint8 (C, H, W), as the network sees it."""
        key = opened.key, seen.tobytes()
        with self._lock:
            if key not in self._kept:
                self._kept[key] = opened, trace(opened.net, opened.preprocessing.normalise(seen), MEMORY)
            self._kept.move_to_end(key)
            found = self._kept[key][1]
            size = sum(each.nbytes + of.nbytes for of, each in self._kept.values())
            while size > self._limit and len(self._kept) > 1:
                _, (of, oldest) = self._kept.popitem(last=False)
                size -= of.nbytes + oldest.nbytes
            return found


def opened_of(subject: InspectSubject, studio: Studio) -> tuple[Opened, Trace, Array]:
    """Return a subject's network, the trace of its picture, and the picture as the network sees it, uint8."""
    opened = studio.networks.open(subject.target)
    seen = seen_by(opened, subject, studio)
    return opened, studio.traces.of(opened, seen), seen


def seen_by(opened: Opened, subject: InspectSubject, studio: Studio) -> Array:
    """Return a subject's picture as its network sees it, before normalisation: uint8 (C, H, W)."""
    from pellucid.data.handwriting import SIDE, as_mnist
    from pellucid.data.images import as_bytes

    picture = as_bytes(pixels(subject.picture, studio))
    if subject.inverted:
        picture = 255 - picture
    preprocessing = opened.preprocessing
    if subject.centred and opened.shape == (1, SIDE, SIDE):
        picture = as_mnist(_grey(picture))
    seen = preprocessing.to_array(picture)
    if subject.change is not None:
        seen = Change(**subject.change.model_dump())(seen[None])[0]
    return np.ascontiguousarray(seen)


def _grey(picture: Array) -> Array:
    from pellucid.data import images

    return images.to_array(images.from_array(picture).convert("L"))
