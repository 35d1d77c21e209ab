"""A graph as JSON and back.

Types of results are not stored: a graph read from a file is built anew, node by node, so every shape rule is
checked again and a file cannot claim a shape that its operations do not give.
"""

from typing import Any

from pellucid.errors import FileError, ShapeError
from pellucid.graph.graph import Graph, Value
from pellucid.ops import op_from_dict, type_from_lists
from pellucid.types import Array

FORMAT = 1
_RETURNS = ("value", "tuple", "list", "dict")
_MOST_NODES = 100_000
_MOST_CELLS = 2**28
"""Cells that one result may have: a damaged number must not ask for more memory than there is."""


def to_dict(graph: Graph) -> dict[str, Any]:
    """Return the graph as JSON values. Arrays, constants included, are not in it."""
    kinds = {"inputs": graph.inputs, "parameters": graph.parameters, "buffers": graph.buffers}
    return {
        "format": FORMAT,
        **{kind: [_declared(value) for value in values.values()] for kind, values in kinds.items()},
        "constants": sorted(graph.constants),
        "nodes": [
            {
                "name": node.name,
                "op": node.op.as_dict(),
                "inputs": [None if value is None else value.name for value in node.inputs],
            }
            for node in graph.nodes
        ],
        "outputs": {name: value.name for name, value in graph.outputs.items()},
        "returns": graph.returns,
        "updates": {name: value.name for name, value in graph.updates.items()},
        "layers": {path: value.name for path, value in graph.layers.items()},
    }


def from_dict(record: Any, constants: dict[str, Array] | None = None) -> Graph:
    """Rebuild a graph from :func:`to_dict` and its constants. Raises FileError where the record is damaged."""
    try:
        return _rebuild(record, constants or {})
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError, RecursionError) as error:
        reason = f"there is no {error}" if isinstance(error, KeyError) else str(error)
        raise FileError(f"The graph cannot be rebuilt: {reason}") from None


def _declared(value: Value) -> dict[str, Any]:
    return {"name": value.name, "shape": list(value.shape), "dtype": value.dtype}


def _rebuild(record: Any, constants: dict[str, Array]) -> Graph:
    if record["format"] != FORMAT:
        raise FileError(f"The graph has format {record['format']!r:.40}; this version reads format {FORMAT}.")
    if len(record["nodes"]) > _MOST_NODES:
        raise FileError(f"The graph has {len(record['nodes'])} nodes; at most {_MOST_NODES} are read.")
    graph = Graph()
    for kind, declare in (("inputs", graph.input), ("parameters", graph.parameter), ("buffers", graph.buffer)):
        for entry in record[kind]:
            name = _text(entry["name"])
            declare(name, type_from_lists(entry["shape"], entry["dtype"], f"'{name}'"))
    for name in record["constants"]:
        graph.constant(constants[name], _text(name))
    for entry in record["nodes"]:
        inputs = (None if name is None else graph.value(name) for name in entry["inputs"])
        value = graph.add(op_from_dict(entry["op"]), *inputs, name=_text(entry["name"]))
        if value.name != entry["name"]:
            raise ShapeError(f"two values are named '{entry['name']}'")
        if max(result.type.size for result in graph.nodes[-1].outputs) > _MOST_CELLS:
            raise ShapeError(f"'{value.name}' would be {value.type}, which is too large")
    for name, source in record["outputs"].items():
        graph.outputs[name] = graph.value(source)
    for name, source in record["updates"].items():
        graph.updates[graph.buffers[name].name] = graph.value(source)
    graph.layers = {path: graph.value(source) for path, source in record["layers"].items()}
    if not graph.outputs:
        raise FileError("The graph has no outputs.")
    graph.returns = record["returns"]
    if graph.returns not in _RETURNS or (graph.returns == "value" and list(graph.outputs) != ["output"]):
        raise FileError(f"The graph returns {record['returns']!r:.40}, which its outputs are not.")
    return graph


def _text(name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise FileError(f"A name in the graph must be text; got {name!r:.40}.")
    return name
