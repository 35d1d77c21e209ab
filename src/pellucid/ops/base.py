"""What an operation is.

An :class:`Op` is a frozen set of attributes (stride, padding, …). Arrays come as inputs, weights included. From the
types of its inputs it tells its results' types, its multiply-adds and its window; from arrays, through the
reference, its values and gradients; and it lists the kernels that may compute it. Everything above (graphs,
accounting, explanation) asks the op; nobody looks at a layer's class name.
"""

import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Protocol, Self, TypeAlias

import numpy as np

from pellucid.errors import FileError, ParameterError, ShapeError
from pellucid.geometry import Window
from pellucid.types import Array, TensorType

NUMERIC = frozenset(
    ("bool", "float16", "float32", "float64", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)))
)
"""Names of the dtypes that a graph may hold."""

_MOST_AXES = 8
_LARGEST_EXTENT = 2**40

Types: TypeAlias = tuple[TensorType | None, ...]
"""Types of an op's inputs; None where an optional input is absent."""

Results: TypeAlias = tuple[Array, ...]
Kernel: TypeAlias = Callable[..., Results]
"""Arrays in (None for an absent optional input), arrays out."""


@dataclass(frozen=True)
class Candidate:
    """A kernel that may compute an op: ``rejects`` says in one phrase why it will not, or None.

    A compiled one has ``lower(work, op, types)``, which adds its calls (see :mod:`pellucid.ops.lowering`); one in
    NumPy has ``bind(op, types)``, which makes a function of arrays. Where ``lower`` takes an epilogue, too, as a last
    argument, the kernel ``fuses`` what follows it. Where several accept, the least ``cost`` decides, in multiplications
    or what takes as long; without a cost it is their order.
    """

    name: str
    bind: Callable[[Any, Types], Kernel] | None = None
    rejects: Callable[[Any, Types], str | None] = lambda op, types: None
    lower: Callable[..., None] | None = None
    fuses: bool = False
    cost: Callable[[Any, Types], float] | None = None

    def within(
        self,
        view: Callable[[Any, Types], tuple[Any, Types]],
        lower: Callable[..., None] | None,
        bind: Callable[[Any, Types], Kernel] | None = None,
    ) -> "Candidate":
        """Return this kernel as one for an op that holds this one's: ``view(op, types)`` gives what stands inside."""
        rejects, cost = self.rejects, self.cost
        return replace(
            self,
            bind=bind,
            rejects=lambda op, types: rejects(*view(op, types)),
            lower=lower,
            cost=cost and (lambda op, types: cost(*view(op, types))),
        )


class Emit(Protocol):
    """Adds an op to the graph that is being differentiated; returns its first result."""

    def __call__(self, op: "Op", *inputs: Any) -> Any:
        """Add ``op`` on ``inputs``."""
        ...


@dataclass(frozen=True)
class Op:
    """Base of all operations.

    A subclass names its inputs in ``arguments`` (those in ``optional`` may be None; one name ending in ``*`` takes
    any number) and its outputs in ``results``. Only the first result carries a gradient; the others (indices of
    maxima, statistics of a batch) are there to be saved.
    """

    arguments: ClassVar[tuple[str, ...]] = ("x",)
    optional: ClassVar[tuple[str, ...]] = ()
    results: ClassVar[tuple[str, ...]] = ("y",)
    kinds: ClassVar[dict[str, type["Op"]]] = {}

    def __init_subclass__(cls, only_in_plans: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not (only_in_plans or cls.__name__.startswith("_")):
            Op.kinds[cls.__name__] = cls

    @property
    def kind(self) -> str:
        """The op's name: that of its class."""
        return type(self).__name__

    # Accounting: needs types only.

    def infer(self, *types: Any) -> tuple[TensorType, ...]:
        """Types of the results. Raises ShapeError, worded to follow the op's name, where the inputs do not fit.

        Use :meth:`checked_infer` where it is not certain that all inputs are there.
        """
        raise NotImplementedError

    def checked_infer(self, types: Types) -> tuple[TensorType, ...]:
        """Like :meth:`infer`, after making sure that only optional inputs are absent."""
        names = self.arguments
        if names[0].endswith("*"):
            names = tuple(f"{names[0][:-1]}{index}" for index in range(len(types)))
        if len(types) != len(names):
            raise ShapeError(f"needs {len(names)} inputs ({', '.join(names)}), got {len(types)}.")
        for name, type_ in zip(names, types, strict=True):
            if type_ is None and name not in self.optional:
                raise ShapeError(f"needs its input '{name}', got none.")
        return self.infer(*types)

    def macs(self, *types: Any) -> int:
        """Multiply-adds; bias additions, activations and comparisons are not counted."""
        return 0

    def window(self, *types: Any) -> Window | None:
        """Return the sliding window over the first input, or None where there is none."""
        return None

    # Values: the slow definition.

    def reference(self, *arrays: Any) -> Results:
        """Compute the results with the reference."""
        raise NotImplementedError

    # Gradients.

    def gradient_groups(self) -> tuple[tuple[str, ...], ...]:
        """Arguments with a gradient, grouped by which are computed together."""
        return ((self.arguments[0],),)

    def saved(self, wrt: tuple[str, ...]) -> tuple[str, ...]:
        """Arguments and results that the gradient with respect to the group ``wrt`` reads, besides dy."""
        return ()

    def reference_backward(self, wrt: tuple[str, ...], types: Types, dy: Array, *args: Any, **saved: Any) -> Results:
        """Gradients of ``wrt``, from dy, the types of the forward inputs and what ``saved`` asked for."""
        raise NotImplementedError

    def gradient(self, emit: Emit, inputs: Sequence[Any], dy: Any, wanted: Collection[str]) -> dict[str, Any] | None:
        """Return {argument: gradient} for the ``wanted`` arguments, built from other ops.

        None means that ``reference_backward`` defines the gradient.
        """
        return None

    # Speed: kernels in order of preference; the reference stands last without being named.

    def candidates(self) -> tuple[Candidate, ...]:
        """Kernels for the results."""
        return ()

    def backward_candidates(self, wrt: tuple[str, ...]) -> tuple[Candidate, ...]:
        """Kernels for the gradients of ``wrt``."""
        return ()

    # Files.

    def as_dict(self) -> dict[str, Any]:
        """Return the op as JSON values; :func:`op_from_dict` reverses it."""
        return {"kind": self.kind, **{f.name: getattr(self, f.name) for f in fields(self)}}

    @classmethod
    def from_attributes(cls, attributes: dict[str, Any]) -> Self:
        """Build the op from the attributes in :meth:`as_dict`."""
        return cls(**{name: _tuples(value) for name, value in attributes.items()})

    def __str__(self) -> str:
        given = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        settings = (f"{name}={value if isinstance(value, Op) else repr(value)}" for name, value in given.items())
        return f"{self.kind}({', '.join(settings)})"


def op_from_dict(record: Any) -> Op:
    """Rebuild an op from :meth:`Op.as_dict`. Raises FileError where the record is not one."""
    if not isinstance(record, dict) or not isinstance(record.get("kind"), str):
        raise FileError(f"An operation must be an object with a 'kind'; got {record!r:.80}.")
    attributes = dict(record)
    kind = attributes.pop("kind")
    cls = Op.kinds.get(kind)
    if cls is None:
        raise FileError(f"The operation kind {kind!r:.80} is unknown; was the file written by a newer version?")
    known = {f.name: f.type for f in fields(cls)}
    unknown = sorted(set(attributes) - set(known))
    if unknown:
        raise FileError(f"The operation {kind} has no attribute {unknown[0]!r:.80}.")
    try:
        return cls.from_attributes(attributes)
    except (ParameterError, TypeError) as error:
        raise FileError(f"The operation {kind} cannot be rebuilt: {error}") from None


def type_from_lists(shape: Any, dtype: Any, owner: str) -> TensorType:
    """Read a type from JSON values. Raises FileError where they are not a shape and the name of a numeric dtype."""
    if not isinstance(shape, list | tuple) or len(shape) > _MOST_AXES:
        raise FileError(f"The shape of {owner} must be a list of at most {_MOST_AXES} sizes; got {shape!r:.80}.")
    if not all(_is_nested(extent, (), 0) and extent < _LARGEST_EXTENT for extent in shape):
        raise FileError(f"The shape of {owner} must be sizes from 0 up; got {shape!r:.80}.")
    if not isinstance(dtype, str) or dtype not in NUMERIC:
        raise FileError(f"The dtype of {owner} must be the name of a numeric one; got {dtype!r:.40}.")
    return TensorType(tuple(shape), dtype)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


# Checks that ops share. Op attributes may come from a file, so they are checked by type as well as by range.


def check_integers(op: Op, name: str, value: Any, *, minimum: int, shape: tuple[int, ...] = (2,)) -> None:
    """Refuse an attribute that is not nested tuples of integers ≥ minimum, of the given shape."""
    if not _is_nested(value, shape, minimum):
        wanted = {(): "an integer", (2,): "two integers", (2, 2): "two pairs of integers"}.get(shape, "integers")
        raise ParameterError(
            f"The '{name}' parameter of {op.kind} must be {wanted} of at least {minimum}; got {value!r}."
        )


def present(types: Types, index: int = 0) -> TensorType:
    """Type of an input that is never absent."""
    type_ = types[index]
    assert type_ is not None
    return type_


def _is_nested(value: Any, shape: tuple[int, ...], minimum: int) -> bool:
    if shape:
        return (
            isinstance(value, tuple)
            and (shape[0] < 0 or len(value) == shape[0])
            and all(_is_nested(item, shape[1:], minimum) for item in value)
        )
    return isinstance(value, int) and not isinstance(value, bool) and value >= minimum


def check_choice(op: Op, name: str, value: Any, choices: Sequence[Any]) -> None:
    """Refuse an attribute that is not one of the choices."""
    if not any(value is choice or (type(value) is type(choice) and value == choice) for choice in choices):
        listed = ", ".join(repr(choice) for choice in choices)
        raise ParameterError(f"The '{name}' parameter of {op.kind} must be one of {listed}; got {value!r}.")


def check_number(
    op: Op, name: str, value: Any, *, minimum: float = float("-inf"), maximum: float = float("inf")
) -> None:
    """Refuse an attribute that is not a number in [minimum, maximum]; NaN never is."""
    if not _is_number(value) or not minimum <= value <= maximum:
        bounds = [f"at least {minimum:g}"] if minimum > float("-inf") else []
        bounds += [f"at most {maximum:g}"] if maximum < float("inf") else []
        raise ParameterError(
            f"The '{name}' parameter of {op.kind} must be a number {' and '.join(bounds)}; got {value!r}."
        )


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, float) or abs(value) <= sys.float_info.max


def nth_axis(dim: Any, ndim: int, owner: str) -> int:
    """Count an axis from 0, given a number that may count from the end. Raises ParameterError where there is none.

    >>> nth_axis(-1, 4, "Softmax")
    3
    """
    if not isinstance(dim, int | np.integer) or isinstance(dim, bool) or not -ndim <= dim < ndim:
        raise ParameterError(f"The 'dim' parameter of {owner} must be one of {ndim} axes, from {-ndim}; got {dim!r}.")
    return int(dim) % ndim


def check_rank(x: TensorType, rank: int, axes: str = "(N, C, H, W)") -> None:
    """Refuse an input of another rank."""
    if len(x.shape) != rank:
        raise ShapeError(f"needs an input of {rank} axes {axes}, got shape {x.shape}.")


def check_floating(x: TensorType) -> None:
    """Refuse integers, on which the op is not defined."""
    if x.dtype not in ("float32", "float64"):
        raise ShapeError(f"needs float32 or float64 values, got {x.dtype}; convert with .astype('float32').")


def check_parameter(name: str, actual: TensorType | None, shape: tuple[int, ...], dtype: str) -> None:
    """Refuse a weight of another shape or dtype than the input asks for; an absent one passes."""
    if actual is not None and actual != TensorType(shape, dtype):
        raise ShapeError(f"needs its {name} to be {TensorType(shape, dtype)}, got {actual}.")
