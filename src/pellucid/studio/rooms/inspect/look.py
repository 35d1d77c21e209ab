"""What a network says of a picture, and all its maps at a glance."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import numpy as np

from pellucid.errors import ParameterError, ShapeError
from pellucid.explain.classes import scored
from pellucid.explain.maps import in_channels
from pellucid.explain.trace import Trace
from pellucid.nn.functional import softmax
from pellucid.studio.messages.inspect import InspectLook, InspectLookAsked, InspectMaps, InspectScore
from pellucid.studio.studio import Studio
from pellucid.studio.subjects import opened_of
from pellucid.studio.tensors import to_tensor
from pellucid.types import Array

if TYPE_CHECKING:
    from pellucid.studio.networks import Opened

LIKELIEST = 10
"""Classes that are told."""
MOST_MAPS = 1024
"""Of a layer."""
_FULL = 127


def look(asked: InspectLookAsked, studio: Studio) -> InspectLook:
    """Run a network on a picture."""
    opened, trace, seen = opened_of(asked.subject, studio)
    return InspectLook(
        seen=to_tensor(seen / np.float32(255)),
        scores=_scores(opened, trace),
        maps=[overview(trace, name, asked.side) for name in asked.layers],
    )


def _scores(opened: Opened, trace: Trace) -> list[InspectScore]:
    """Return the likeliest classes, of few classes all, in their order of likelihood."""
    try:
        value, _ = scored(trace.graph)
    except ShapeError:
        return []
    scores = trace.value(value.name)
    probabilities = softmax(scores, 1)[0]
    order = np.argsort(-scores[0], kind="stable")[:LIKELIEST].tolist()
    if not np.isfinite(scores).all():
        raise ParameterError("The network's scores must be finite; got NaN or infinity; train the network anew.")
    return [
        InspectScore(
            index=index,
            name=opened.classes[index],
            score=float(scores[0, index]),
            probability=float(probabilities[index]),
        )
        for index in order
    ]


def overview(trace: Trace, name: str, side: int) -> InspectMaps:
    """Return a layer's maps in 255 steps, maps of more than ``side`` cells reduced by means of blocks."""
    maps = planes(trace, name)
    shown = maps[:MOST_MAPS]
    for axis in (1, 2):
        shown = _reduced(shown, axis, side)
    limit = float(abs(shown).max(initial=0))
    steps = np.rint(shown * (_FULL / limit)) if limit else np.zeros_like(shown)
    return InspectMaps(
        layer=name,
        count=len(shown),
        of=len(maps),
        height=shown.shape[1],
        width=shown.shape[2],
        limit=limit,
        low=float(maps.min(initial=0)),
        high=float(maps.max(initial=0)),
        dead=int((~maps.reshape(len(maps), -1).any(axis=1)).sum()) if maps[0].size > 1 else 0,
        data=base64.b64encode(steps.astype(np.int8).tobytes()).decode(),
    )


def planes(trace: Trace, name: str) -> Array:
    """Return a layer's result as maps (C, H, W); the numbers of a vector are maps of one cell.

    Raises ParameterError where they are not finite, or there is no such layer.
    """
    result = trace[name].output
    try:
        (maps,) = in_channels(trace.graph, trace.graph.layer(name), result[None])
    except ParameterError:
        maps = result.reshape(-1, *result.shape[-2:])  # tokens of a transformer: one map
    if not np.isfinite(maps).all():
        raise ParameterError(f"The results of '{name}' must be finite; got NaN or infinity; train the network anew.")
    return np.asarray(maps if maps.ndim == 3 else maps[:, None, None])


def _reduced(maps: Array, axis: int, side: int) -> Array:
    """Return means of blocks along an axis, so that at most ``side`` are left."""
    size = maps.shape[axis]
    if size <= side:
        return maps
    starts = np.arange(0, size, -(-size // side))
    counts = np.diff([*starts, size])
    sums = np.add.reduceat(maps, starts, axis)
    return np.asarray(sums / np.expand_dims(counts, tuple(other for other in range(3) if other != axis)))
