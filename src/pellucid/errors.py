"""Everything that Pellucid raises on purpose.

::

    PellucidError
    ├── ParameterError  (ValueError)   a setting breaks its rule: stride=0, groups that do not divide, …
    ├── ShapeError      (ValueError)   arrays or layers do not fit each other
    ├── DataError       (ValueError)   images, labels or data sets that cannot be used
    ├── FileError       (OSError)      a file that cannot be read, written or trusted
    └── TrainingError   (RuntimeError) training cannot go on: NaN, infinity, nothing to resume

One grammar for every message: object, rule, value, remedy. *"The 'stride' parameter of Conv2d must be at
least 1; got 0."* Each class also is the built-in error that a caller would expect, so ``except ValueError``
works.
"""

import difflib
from collections.abc import Iterable


class PellucidError(Exception):
    """Base of all errors that Pellucid raises on purpose."""


class ParameterError(PellucidError, ValueError):
    """A setting breaks its rule."""


class ShapeError(PellucidError, ValueError):
    """Arrays or layers do not fit each other."""


class DataError(PellucidError, ValueError):
    """Images, labels or data sets that cannot be used."""


class FileError(PellucidError, OSError):
    """A file that cannot be read, written or trusted."""


class TrainingError(PellucidError, RuntimeError):
    """Training cannot go on."""


def nearest(name: object, known: Iterable[str]) -> str:
    """Name what somebody may have meant: the end of a message about a name that there is not.

    >>> nearest("conf1", ["conv1", "relu1", "conv2"]), nearest("zzz", ["conv1", "relu1"])
    ('the nearest are conv1, conv2', 'there are conv1, relu1')
    >>> nearest("Bog", ["Bag", "Shirt"]), nearest(5, ["conv1"]), nearest(5, [])
    ('the nearest is Bag', 'there is conv1', 'there are none')
    """
    names = list(dict.fromkeys(known))
    near = difflib.get_close_matches(str(name), names, n=3, cutoff=0.5)
    those, start = (near, "the nearest") if near else (names, "there")
    return f"{start} {'is' if len(those) == 1 else 'are'} {', '.join(those) or 'none'}"
