"""What a user may say about the choice of kernels: how exact convolutions are, and how the quickest is found.

Precision "fast" lets Winograd's algorithm compute convolutions, "strict" has every product summed. Winograd's algorithm
multiplies less often but rounds more: its transforms enlarge the rounding errors. With "strict" an error has the bound
of an ordinary sum, and sums of whole numbers below 2²⁴ are exact.

Selection "rule" takes the kernel that a count of its work says is quickest; "measured" tries each kernel once for each
shape, and remembers on disk which was.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pellucid.errors import ParameterError


class Mode:
    """One of two words, said by a function, else by an environment variable, else the first."""

    changes = 0
    """Counts the changes of all modes: a plan that was made before the last must not be used again."""

    def __init__(self, name: str, words: tuple[str, str]) -> None:
        self.name, self.words, self.variable = name, words, f"PELLUCID_{name.upper()}"
        self.chosen: str | None = None
        self._here: ContextVar[str | None] = ContextVar(self.variable, default=None)

    def set(self, word: str) -> None:
        """Choose. Raises ParameterError where it is neither word."""
        if not isinstance(word, str) or word not in self.words:
            first, second = self.words
            raise ParameterError(
                f"The 'mode' parameter of set_{self.name} must be {first!r} or {second!r}; got {word!r:.80}."
            )
        if word != self.chosen:
            self.chosen = word
            Mode.changes += 1  # last: who sees the new number makes plans for the new mode

    @contextmanager
    def during(self, word: str) -> Iterator[None]:
        """Choose for the plans that this thread makes inside, and for nobody else."""
        token = self._here.set(word)
        try:
            yield
        finally:
            self._here.reset(token)

    def get(self) -> str:
        """Return what is chosen. Raises ParameterError where the environment variable decides, and is neither word."""
        here = self._here.get()
        if here is not None:
            return here
        if self.chosen is None:
            wanted = os.environ.get(self.variable) or self.words[0]
            if wanted not in self.words:
                raise ParameterError(
                    f"The variable {self.variable} must be {' or '.join(self.words)}; got {wanted!r:.80}."
                )
            self.chosen = wanted
        return self.chosen


PRECISION = Mode("precision", ("fast", "strict"))
SELECTION = Mode("selection", ("rule", "measured"))


def set_precision(mode: str) -> None:
    """Compute convolutions "fast", by whatever is quickest, which is the default, or "strict", without transforms.

    It holds for the whole process, and for networks that have been called before; a :class:`pellucid.graph.Plan`
    keeps the kernels that it was made with. Raises ParameterError where the mode is neither.

    >>> set_precision("strict")
    >>> precision()
    'strict'
    >>> set_precision("fast")
    """
    PRECISION.set(mode)


def precision() -> str:
    """Return how exact convolutions are at present: "fast" or "strict"."""
    return PRECISION.get()


def set_selection(mode: str) -> None:
    """Choose among kernels by a "rule", which is the default, or by one "measured" trial of each.

    A trial takes some milliseconds for each shape, and is kept beside the compiled kernels, so each machine tries
    once. Results may differ between the modes as they do between kernels, within the stated bounds. It holds for the
    whole process, as :func:`set_precision` does. Raises ParameterError where the mode is neither.

    >>> set_selection("measured")
    >>> selection()
    'measured'
    >>> set_selection("rule")
    """
    SELECTION.set(mode)


def selection() -> str:
    """Return how kernels are chosen at present: by "rule" or "measured"."""
    return SELECTION.get()


def changes() -> int:
    """Count the changes so far: a plan that was made before the last must not be used again."""
    return Mode.changes
