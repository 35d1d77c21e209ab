"""How exact convolutions are: "fast" lets Winograd's algorithm compute them, "strict" has every product summed.

Winograd's algorithm multiplies less often but rounds more: its transforms enlarge the rounding errors. With "strict"
an error has the bound of an ordinary sum, and sums of whole numbers below 2²⁴ are exact.
"""

import os

from pellucid.errors import ParameterError

VARIABLE = "PELLUCID_PRECISION"
"""Environment variable that says how exact convolutions are, until set_precision does."""

MODES = ("fast", "strict")


class _Chosen:
    """What is chosen, once known."""

    mode: str | None = None
    changes = 0


def set_precision(mode: str) -> None:
    """Compute convolutions "fast", by whatever is quickest, which is the default, or "strict", without transforms.

    It holds for the whole process, and for networks that have been called before; a :class:`pellucid.graph.Plan`
    keeps the kernels that it was made with. Raises ParameterError where the mode is neither.

    >>> set_precision("strict")
    >>> precision()
    'strict'
    >>> set_precision("fast")
    """
    if not isinstance(mode, str) or mode not in MODES:
        raise ParameterError(f"The 'mode' parameter of set_precision must be 'fast' or 'strict'; got {mode!r:.80}.")
    if mode != _Chosen.mode:
        _Chosen.mode = mode
        _Chosen.changes += 1  # last: who sees the new number makes plans for the new mode


def precision() -> str:
    """Return how exact convolutions are at present: "fast" or "strict".

    Raises ParameterError where the environment variable decides, and is neither.
    """
    if _Chosen.mode is None:
        wanted = os.environ.get(VARIABLE) or "fast"
        if wanted not in MODES:
            raise ParameterError(f"The variable {VARIABLE} must be fast or strict; got {wanted!r:.80}.")
        _Chosen.mode = wanted
    return _Chosen.mode


def changes() -> int:
    """Count the changes so far: a plan that was made before the last must not be used again."""
    return _Chosen.changes
