"""Programs: kernels with their arguments, in order, made ready to be run by the team without returning to Python.

A program is written once, as a list of calls on buffers. Then each buffer that lives inside it is given a place in
one piece of memory, where buffers whose lives do not overlap share; and a table of arguments is made in which only
addresses are missing. A run fills those in, and the team does the rest.
"""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from pellucid.errors import ParameterError
from pellucid.kernels import library, team
from pellucid.kernels.compiler import Kernel
from pellucid.kernels.host import host
from pellucid.kernels.interpret import Floats, Pointer
from pellucid.types import Array, Shape

VARIABLE = "PELLUCID_INTERPRET"
"""Environment variable: 1 runs every kernel as the Python that it is written in, each access to memory checked."""


@dataclass(eq=False)
class Buffer:
    """An array of a program.

    An "image" is (N, H, W, C) in memory, the channels of a pixel padded to ``pixel`` numbers of 4 bytes; its shape is
    still (N, C, H, W), or (N, C) where H = W = 1. Others, whose ``pixel`` is 0, are contiguous. ``external`` names the
    array that is given from outside; ``None`` means memory of the program's own.
    """

    shape: Shape
    dtype: str = "float32"
    pixel: int = 0
    external: str | None = None
    lives: tuple[int, int] = field(default=(-1, -1), init=False)
    """First and last call that use it."""
    offset: int = field(default=0, init=False)
    """In bytes from the start of the program's memory."""

    @property
    def images(self) -> tuple[int, int, int, int]:
        """(N, C, H, W) of an image."""
        n, channels, height, width = (*self.shape, 1, 1)[:4]
        return n, channels, height, width

    @property
    def stored(self) -> Shape:
        """Shape of the array that holds it."""
        if not self.pixel:
            return self.shape
        n, _, height, width = self.images
        return n, height, width, self.pixel

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""
        return int(np.prod(self.stored, dtype=np.int64)) * np.dtype(self.dtype).itemsize

    def view(self, stored: Array) -> Array:
        """View the array that holds it by its shape."""
        if not self.pixel:
            return stored
        seen = stored.transpose(0, 3, 1, 2)[:, : self.shape[1]]
        return seen if len(self.shape) == 4 else seen[:, :, 0, 0]


def padded(channels: int) -> int:
    """Round a number of channels up to whole vectors."""
    width = host().width
    return -(-channels // width) * width


def image(shape: Shape, external: str | None = None, dtype: str = "float32") -> Buffer:
    """Make a buffer for images (N, C, H, W), or rows (N, C), of float32 or int32."""
    return Buffer(shape, dtype, padded(shape[1]), external)


@dataclass(frozen=True)
class Call:
    """One kernel on some arguments (buffers, integers, floats), in parts, with scratch memory for each thread."""

    kernel: Kernel
    parts: int
    arguments: tuple[Buffer | int | float, ...]
    scratch: int = 0

    @property
    def buffers(self) -> list[Buffer]:
        """The buffers among the arguments."""
        return [argument for argument in self.arguments if isinstance(argument, Buffer)]


@dataclass(frozen=True)
class PythonCall:
    """A function of arrays, run between kernels: it gets views of buffers and returns what others will hold."""

    function: Callable[..., Sequence[Array]]
    inputs: tuple[Buffer | None, ...]
    outputs: tuple[Buffer, ...]

    @property
    def buffers(self) -> list[Buffer]:
        """All the buffers that it touches."""
        return [buffer for buffer in (*self.inputs, *self.outputs) if buffer is not None]


AnyCall: TypeAlias = Call | PythonCall


def lay_out(calls: Sequence[AnyCall]) -> int:
    """Give every buffer of the program's own its place; return how many bytes all take together.

    Buffers are placed largest first, each at the lowest place that no buffer living at the same time covers.
    """
    own: dict[int, Buffer] = {}
    for number, call in enumerate(calls):
        for buffer in call.buffers:
            first = buffer.lives[0] if id(buffer) in own or buffer.external else number
            buffer.lives = (first, number)
            if not buffer.external:
                own[id(buffer)] = buffer
    placed: list[Buffer] = []
    for buffer in sorted(own.values(), key=lambda buffer: -buffer.nbytes):
        taken = sorted((other.offset, _end(other)) for other in placed if _overlap(buffer, other))
        buffer.offset = 0
        for start, end in taken:
            if buffer.offset + buffer.nbytes <= start:
                break
            buffer.offset = max(buffer.offset, end)
        placed.append(buffer)
    return max(map(_end, placed), default=0)


def _end(buffer: Buffer) -> int:
    return -(-(buffer.offset + buffer.nbytes) // team.CACHE_LINE) * team.CACHE_LINE


def _overlap(one: Buffer, other: Buffer) -> bool:
    return one.lives[0] <= other.lives[1] and other.lives[0] <= one.lives[1]


class Program:
    """Calls made ready to run. Memory for a run comes from a :class:`Frame`, so several threads may run it."""

    def __init__(self, calls: Sequence[AnyCall], lasting: Collection[str] = ()) -> None:
        """Lay out the calls; ``lasting`` names external arrays that are mostly the same from run to run."""
        self.calls, self.lasting = tuple(calls), frozenset(lasting)
        self.nbytes = lay_out(calls)
        """Memory for the buffers of its own."""
        names = {buffer.external: buffer for call in calls for buffer in call.buffers if buffer.external}
        self.externals: dict[str, Buffer] = dict(sorted(names.items()))
        self.scratch = max((call.scratch for call in calls if isinstance(call, Call)), default=0)
        self._slots = {name: number for number, name in enumerate(self.externals, 2)}
        self.calls_python = any(isinstance(call, PythonCall) for call in calls)
        self.is_interpreted = _is_interpreted()
        self.segments: list[_Segment] = []
        if not self.is_interpreted:
            library.prepare(call.kernel for call in calls if isinstance(call, Call))
            self.segments += [_Segment(self, run) for run in _runs(self.calls)]
        self._frames: list[Frame] = []

    def run(self, arrays: Mapping[str, Array]) -> None:
        """Run on the arrays of the external buffers, each as it is stored."""
        try:
            frame = self._frames.pop()
        except IndexError:
            frame = Frame(self)
        try:
            frame.run(arrays)
        finally:
            self._frames.append(frame)

    def slot(self, buffer: Buffer) -> int:
        """Which base address a buffer's place counts from."""
        return self._slots[buffer.external] if buffer.external else 1


class _Segment:
    """Calls of kernels that follow each other, as tables: arguments = fixed + bases[slots]."""

    def __init__(self, program: Program, calls: tuple[AnyCall, ...]) -> None:
        self.python = calls[0] if isinstance(calls[0], PythonCall) else None
        self.is_serial = all(isinstance(call, Call) and call.parts <= 1 for call in calls)
        fixed: list[int] = []
        slots: list[int] = []
        self.table = np.zeros(team.HEADER + team.STEP * len(calls), np.int64)
        self.starts: list[int] = []
        for number, call in enumerate(calls):
            if isinstance(call, PythonCall):
                break
            step = team.HEADER + number * team.STEP
            self.table[0] = number + 1
            self.table[step + team.FUNCTION] = library.entry(call.kernel)
            self.table[step + team.PARTS] = call.parts
            self.starts.append(len(fixed))
            for kind, argument in zip(call.kernel.parameters, call.arguments, strict=True):
                is_buffer = isinstance(argument, Buffer)
                slots.append(program.slot(argument) if isinstance(argument, Buffer) else 0)
                fixed.append(argument.offset * (argument.external is None) if is_buffer else _bits(argument, kind))  # type: ignore[union-attr, arg-type]
        self.fixed, self.slots = np.array(fixed, np.int64), np.array(slots, np.int64)


class Frame:
    """Memory for one run at a time of a program: its buffers, its tables, scratch for each thread."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.memory = team.aligned(program.nbytes)
        self.bases = np.zeros(2 + len(program.externals), np.int64)
        self.bases[1] = team.address(self.memory)
        self.held: list[Array | None] = [None] * len(program.externals)
        self.crew: team.Team | None = None
        self.segments: list[tuple[_Segment, Array, Array]] = []
        self.launches: list[team.Launch] = []
        for segment in program.segments:
            arguments, table = np.zeros_like(segment.fixed), segment.table.copy()
            for number, start in enumerate(segment.starts):
                table[team.HEADER + number * team.STEP + team.ARGUMENTS] = team.address(arguments) + 8 * start
            self.segments.append((segment, arguments, table))

    def run(self, arrays: Mapping[str, Array]) -> None:
        """Fill in the addresses and run segment by segment."""
        if self.program.is_interpreted:
            self._interpret(arrays)
            return
        crew = team.present()
        if crew is not self.crew:
            self._join(crew)
        for place, name in enumerate(self.program.externals):
            array = arrays[name]
            if array is not self.held[place]:  # finding an address takes a while
                self.bases[2 + place] = team.address(array)
                self.held[place] = array if name in self.program.lasting else None
        for (segment, arguments, _), launch in zip(self.segments, self.launches, strict=True):
            if segment.python is not None:
                self._run_python(segment.python, arrays)
                continue
            np.add(segment.fixed, self.bases[segment.slots], out=arguments)
            launch()

    def _join(self, crew: team.Team) -> None:
        """Have the programs run by a team from now on, with scratch memory for each of its threads."""
        memory = team.aligned(crew.size * 4 * _line(self.program.scratch))
        scratch = memory.view(np.float32).reshape(crew.size, -1)
        self.launches = [
            (team.prepare_alone if segment.is_serial else crew.prepare)(table, scratch)
            for segment, _, table in self.segments
        ]
        self.crew = crew

    def _interpret(self, arrays: Mapping[str, Array]) -> None:
        for call in self.program.calls:
            if isinstance(call, PythonCall):
                self._run_python(call, arrays)
                continue
            scratch = Floats(np.full(call.scratch, np.nan, np.float32))
            given = [
                self._pointer(argument, kind, arrays) if isinstance(argument, Buffer) else kind(argument)
                for kind, argument in zip(call.kernel.parameters, call.arguments, strict=True)
            ]
            with np.errstate(all="ignore"):  # machine code does not warn of infinities either
                for part in range(call.parts):
                    call.kernel(part, scratch, *given)

    def _pointer(self, buffer: Buffer, kind: type[Pointer], arrays: Mapping[str, Array]) -> Pointer:
        """Point at a buffer's memory and nothing beyond it."""
        stored = arrays[buffer.external] if buffer.external else self._own(buffer)
        return kind(stored.reshape(-1).view(kind.dtype))

    def _run_python(self, call: PythonCall, arrays: Mapping[str, Array]) -> None:
        given = [None if buffer is None else self.array(buffer, arrays) for buffer in call.inputs]
        results = call.function(*given)
        for buffer, result in zip(call.outputs, results, strict=True):
            self.array(buffer, arrays)[...] = result

    def array(self, buffer: Buffer, arrays: Mapping[str, Array]) -> Array:
        """View a buffer by its shape."""
        if buffer.external:
            return buffer.view(arrays[buffer.external])
        return buffer.view(self._own(buffer).reshape(buffer.stored))

    def _own(self, buffer: Buffer) -> Array:
        return self.memory[buffer.offset : buffer.offset + buffer.nbytes].view(buffer.dtype)


def _runs(calls: Sequence[AnyCall]) -> list[tuple[AnyCall, ...]]:
    """Split where Python has to step in."""
    runs: list[list[AnyCall]] = []
    for call in calls:
        if runs and isinstance(call, Call) and isinstance(runs[-1][-1], Call):
            runs[-1].append(call)
        else:
            runs.append([call])
    return [tuple(run) for run in runs]


def _is_interpreted() -> bool:
    """Read the environment variable. Raises ParameterError where it is neither 0 nor 1."""
    wanted = os.environ.get(VARIABLE) or "0"
    if wanted not in ("0", "1"):
        raise ParameterError(f"The variable {VARIABLE} must be 0 or 1; got {wanted!r}.")
    return wanted == "1"


def _bits(argument: float, kind: type) -> int:
    """Write a number as the 64 bits that the kernel reads."""
    return int(np.float64(argument).view(np.int64)) if kind is float else int(argument)


def _line(floats: int) -> int:
    """Round up to whole cache lines, and one more so that threads do not share any."""
    return -(-floats // 16) * 16 + 16
