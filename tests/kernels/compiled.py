"""Running kernels on arrays, compiled and interpreted, and reading their machine code."""

import re

import numpy as np

from pellucid.kernels import compiler
from pellucid.kernels.compiler import kernel, target_machine, tile
from pellucid.kernels.interpret import Bytes, Floats, Longs
from pellucid.kernels.program import Buffer, Call, Program

POINTERS = {kind.dtype: kind for kind in (Floats, Longs, Bytes)}


def program(body, *arguments, parts=1, scratch=0, repeated=1):
    """Make a program of one kernel, called some times on arrays and numbers; and the arrays by name."""
    arrays = {f"x{i}": value for i, value in enumerate(arguments) if isinstance(value, np.ndarray)}
    buffers = {name: Buffer(array.shape, array.dtype.name, external=name) for name, array in arrays.items()}
    given = tuple(buffers.get(f"x{i}", value) for i, value in enumerate(arguments))
    return Program([Call(body, parts, given, scratch)] * repeated), arrays


def run(body, *arguments, parts=1, scratch=0):
    """Run a kernel, compiled, on arrays and numbers."""
    made, arrays = program(body, *arguments, parts=parts, scratch=scratch)
    made.run(arrays)


def interpret(body, *arguments, parts=1, scratch=0):
    """Run a kernel as the Python that it is; an access outside an array raises IndexError."""
    given = [
        POINTERS[value.dtype.name](value.reshape(-1)) if isinstance(value, np.ndarray) else value for value in arguments
    ]
    for part in range(parts):
        body(part, Floats(np.full(scratch, np.nan, np.float32)), *given)


def both(body, *arguments, **settings):
    """Run a kernel both ways on arrays of the same contents; return all arrays after the one and after the other."""
    results = []
    for way in (run, interpret):
        own = [value.copy() if isinstance(value, np.ndarray) else value for value in arguments]
        way(body, *own, **settings)
        results.append([value for value in own if isinstance(value, np.ndarray)])
    return results


def calling(name, write):
    """Make a kernel (from, to) of one tile (emitter, from, to)."""
    made = tile(write)

    @kernel(name)
    def body(part: int, scratch: Floats, source: Floats, target: Floats) -> None:
        made(source, target)

    return body


def wrote(name, write, source, results):
    """Run a tile (emitter, from, to) both ways, which must agree to the bit; return what it wrote."""
    source, target = np.asarray(source, np.float32), np.full(results, np.nan, np.float32)
    compiled, interpreted = both(calling(name, write), source, target)
    np.testing.assert_array_equal(compiled[1], interpreted[1])
    return compiled[1]


def assembly(body):
    """Compile a kernel and return its machine code as text."""
    texts = []

    class Machine:
        def emit_object(self, module):
            texts.append(target_machine().emit_assembly(module))
            return b""

    usual, compiler.target_machine = compiler.target_machine, Machine
    try:
        body.compile()
    finally:
        compiler.target_machine = usual
    return texts[0]


def inner_loops(text):
    """The loops of one basic block, which jumps back to itself, that multiply and add: lists of instructions."""
    parts = re.split(r"^(\.?\w+):.*$", text, flags=re.MULTILINE)
    loops = []
    for label, block in zip(parts[1::2], parts[2::2], strict=True):
        lines = [line.strip() for line in block.splitlines()]
        back = [i for i, line in enumerate(lines) if re.match(rf"(j\w+|b\S*|cbn?z)\s.*{re.escape(label)}$", line)]
        if back and any(map(is_fused, lines[: back[0]])):
            loops.append(lines[: back[0]])
    return loops


def is_fused(line):
    """Whether an instruction multiplies and adds vectors in one go."""
    return bool(re.match(r"vfn?m(add|sub)\d*ps|fmla", line))


def is_splat(line):
    """Whether an instruction reads one float from memory into every place of a vector, alone or while multiplying."""
    return bool(re.match(r"vbroadcastss\s.*\(|.*\{1to\d+\}|ld1r|fmla\s.*\[\d\]$", line))


def stack_traffic(text, lines):
    """Those of the instructions that use memory by the pointer to the stack, or to its frame if one is kept."""
    keeps_frame = re.search(r"movq\s+%rsp, %rbp", text)
    places = r"\(%r[sb]p[,)]|\[(sp|x29)\b" if keeps_frame else r"\(%rsp[,)]|\[sp\b"
    return [line for line in lines if re.search(places, line) and not line.startswith("lea")]
