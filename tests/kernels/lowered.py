"""Running what an op becomes as the Python that its kernels are: every access is checked against its buffer."""

import numpy as np

from pellucid.graph import Plan
from pellucid.kernels.interpret import Floats, Longs
from pellucid.kernels.program import Buffer, Call
from tests.ops.running import build

POINTERS = {"float32": Floats, "int32": Floats, "int64": Longs}


def programs(op, inputs, dy=None, wrt=()):
    """Return what a plan of an op and of its gradients becomes, and the graph."""
    graph, _ = build(op, inputs, dy, wrt)
    given = {name: array for name, array in inputs.items() if array is not None}
    return Plan(graph)._compiled(given), graph


def kernels(op, inputs):
    """Names of the kernels that an op's results take, where nothing else is asked for than its first."""
    graph, y = build(op, inputs)
    graph.outputs = {"y": y}
    made = Plan(graph)._compiled(inputs)
    return [call.kernel.name for call in made.main.calls if isinstance(call, Call)]


def interpreted(op, inputs, dy=None, wrt=()):
    """Run an op, and its gradients, in Python; memory that nobody has written holds NaN."""
    made, graph = programs(op, inputs, dy, wrt)
    arrays = made.constants | {name: array for name, array in inputs.items() if array is not None}
    memory = {}

    def stored(buffer):
        if buffer.external in arrays:
            return np.ascontiguousarray(arrays[buffer.external])
        if buffer not in memory:
            empty = np.full(buffer.stored, np.nan, np.float32) if buffer.dtype == "float32" else None
            memory[buffer] = np.full(buffer.stored, -7, buffer.dtype) if empty is None else empty
        return memory[buffer]

    def pointer(argument):
        if not isinstance(argument, Buffer):
            return argument
        flat = stored(argument).reshape(-1)
        return POINTERS[argument.dtype](flat.view(np.float32) if argument.dtype == "int32" else flat)

    for call in (*made.preparation.calls, *made.main.calls):
        if isinstance(call, Call):
            for part in range(call.parts):
                call.kernel(part, Floats(np.full(call.scratch, np.nan, np.float32)), *map(pointer, call.arguments))
        else:
            given = [None if buffer is None else buffer.view(stored(buffer)) for buffer in call.inputs]
            for buffer, result in zip(call.outputs, call.function(*given), strict=True):
                buffer.view(stored(buffer))[...] = result
    buffers = made.results | made.kept
    return {name: buffers[value.name].view(stored(buffers[value.name])) for name, value in graph.outputs.items()}
