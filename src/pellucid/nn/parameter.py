"""Arrays that belong to a module: parameters, which training changes, and buffers, which it does not."""

import sys
from itertools import count
from typing import Any

import numpy as np

from pellucid.nn import tracing
from pellucid.nn.plans import PlanCache
from pellucid.types import Array, Shape, TensorType

_versions = count()
_OWN_REFERENCES = 2**62


class Parameter:
    """An array that training changes. ``data`` is the array itself; assign to it or change it in place."""

    __array_ufunc__ = None  # array * parameter asks the parameter, instead of multiplying cell by cell

    def __init__(self, data: Array, requires_grad: bool = True) -> None:
        self._set(np.asarray(data))
        self.requires_grad = requires_grad

    def _set(self, array: Array) -> None:
        self._data = array
        self._reading = array.view()
        self._version = next(_versions)

    def __getstate__(self) -> dict[str, Any]:
        return {"data": self._data, "requires_grad": self.requires_grad}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._set(state["data"])
        self.requires_grad = state["requires_grad"]

    @property
    def data(self) -> Array:
        """The array itself."""
        self._version = next(_versions)
        return self._data

    @data.setter
    def data(self, array: Array) -> None:
        array = np.asarray(array)
        if array.shape != self._data.shape or array.dtype != self._data.dtype:
            PlanCache.revision += 1
        self._set(array)

    @property
    def reading(self) -> Array:
        """View the array, to read it only: whoever may write goes through ``data``."""
        return self._reading

    @property
    def version(self) -> int | None:
        """A number that is another one when the array may have changed; None where somebody holds it and may write.

        Whoever writes has asked for ``data``, which is counted, and may go on writing for as long as he holds the
        array or a view of it, which its reference count tells.
        """
        return self._version if sys.getrefcount(self._data) <= _OWN_REFERENCES else None

    @property
    def type(self) -> TensorType:
        """Shape and dtype of the array."""
        return TensorType.of(self._reading)

    @property
    def shape(self) -> Shape:
        """Shape of the array."""
        return self._reading.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._reading.ndim

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.type})"

    def __add__(self, other: Any) -> Any:
        return tracing.lift(self) + other

    def __mul__(self, other: Any) -> Any:
        return tracing.lift(self) * other

    def __neg__(self) -> Any:
        return -tracing.lift(self)

    def __sub__(self, other: Any) -> Any:
        return tracing.lift(self) - other

    def __rsub__(self, other: Any) -> Any:
        return other - tracing.lift(self)

    __radd__ = __add__
    __rmul__ = __mul__


def _own_references() -> int:
    """How many references to its array a parameter that nobody else knows counts: its own, its view's, the count's."""
    counts: list[int] = []

    class Counting(Parameter):
        @property
        def version(self) -> int | None:
            counts.append(sys.getrefcount(self._data))
            return None

    _ = Counting(np.zeros(1)).version
    return counts[0]


_OWN_REFERENCES = _own_references()


class Buffer(Parameter):
    """An array that is saved with a module but not trained, such as a running mean."""

    def __init__(self, data: Array) -> None:
        super().__init__(data, requires_grad=False)
