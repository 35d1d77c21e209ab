"""What a module keeps of the work done for earlier calls."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pellucid.ops import modes

if TYPE_CHECKING:
    from pellucid.nn.module import Module

_MOST_PLANS = 64
"""Kept for one module: as many as a program meets, but not one for every size of a stream of images."""


class PlanCache:
    """Keeps what was built for a module until the module, or any other, changes its structure.

    Every attribute set on any module counts as a change, and so does a parameter's new shape or dtype, or another mode
    of choosing kernels; except switching between training and evaluation, which is part of the key. A plan made before
    the last change is never used again.
    """

    revision = 0
    modes = 0
    """Counts the switches between training and evaluation, of any module."""

    def __init__(self) -> None:
        self._made_at = -1, -1
        self._kept: dict[Any, Any] = {}
        self._recent: tuple[Any, Any] = None, None

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy without contents: plans run on the parameters of the module that they were made for."""
        return PlanCache, ()

    def get(self, module: "Module", key: Any, build: Callable[[], Any]) -> Any:
        """Find what was built for this key and the module's present modes, or build it."""
        now = PlanCache.revision, PlanCache.modes, modes.changes(), key
        if self._recent[0] != now:
            self._recent = now, self._find(module, key, build)
        return self._recent[1]

    def _find(self, module: "Module", key: Any, build: Callable[[], Any]) -> Any:
        now = PlanCache.revision, modes.changes()
        if self._made_at != now:
            self._made_at, self._kept = now, {}
        kept = self._kept  # another thread may put a new dictionary in its place
        key = (key, tuple(part.training for part in module.modules()))
        found = kept.get(key)
        if found is None:
            if len(kept) >= _MOST_PLANS:
                kept.clear()
            kept[key] = found = build()
        return found
