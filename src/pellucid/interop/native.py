"""Pellucid's own model files: safetensors with the graph in the metadata."""

import os
from typing import Any

import numpy as np

from pellucid.errors import FileError, ParameterError
from pellucid.graph import Graph, from_dict, to_dict
from pellucid.interop import tensors
from pellucid.nn import Module
from pellucid.nn.graph_module import GraphModule
from pellucid.types import Array, Shape, TensorType

_CONSTANT = "constant:"
"""Prefix of the graph's constants among the file's arrays; no parameter's path has a colon."""


def save(net: Module, path: str | os.PathLike[str], metadata: dict[str, Any] | None = None) -> None:
    """Write a network's operations and weights to a safetensors file, in one piece.

    Parameters
    ----------
    net
        A network that has been called or trained, or whose metadata name its "input".
    path
        Where to; by convention ``….safetensors``.
    metadata
        JSON values to keep with it besides ``net.metadata``: "name", "classes", "preprocessing", "input" (C, H, W).

    Raises
    ------
    FileError
        If the file cannot be written; what was there before is then untouched.
    ParameterError
        If nothing tells which input the network takes, or the metadata are not JSON values.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> import pellucid as pel
    >>> net = pel.zoo.build("tiny").eval()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pel.save(net, os.path.join(folder, "tiny.safetensors"))
    ...     same = pel.load(os.path.join(folder, "tiny.safetensors"))
    >>> image = np.ones((1, 1, 28, 28), np.float32)
    >>> bool((net(image) == same(image)).all())
    True
    """
    about = {**net.metadata, **(metadata or {})}
    graph = _inference_graph(net, about)
    for name, buffer in net.named_buffers():  # those that inference does not read, too
        graph.buffer(name, buffer.type)
    arrays = {name: array for name, array in net.arrays().items() if name in graph}
    arrays |= {_CONSTANT + name: array for name, array in graph.constants.items()}
    tensors.write(path, arrays, {"kind": "model", "graph": to_dict(graph), "metadata": about})


def load(path: str | os.PathLike[str]) -> Module:
    """Read a network from a file that :func:`save` wrote; it is in evaluation mode and can be trained further.

    Half floats, which a file may hold to be small, become the float32 that its graph computes in. Nothing in the file
    is executed. Raises FileError where it is missing, damaged, truncated or something else.
    """
    arrays, record = tensors.read(path, "model")
    constants = {name.removeprefix(_CONSTANT): array for name, array in arrays.items() if name.startswith(_CONSTANT)}
    try:
        graph = from_dict(record.get("graph"), constants)
        arrays = _widened(graph, arrays)
        _check_arrays(graph, arrays)
        net = GraphModule(graph, arrays)
    except FileError as error:
        raise FileError(f"'{path}' cannot be loaded: {error}") from None
    metadata = record.get("metadata")
    if not isinstance(metadata, dict):
        raise FileError(f"'{path}' cannot be loaded: its metadata are {type(metadata).__name__}, not an object.")
    net.metadata = metadata
    return net.eval()


def _inference_graph(net: Module, metadata: dict[str, Any]) -> Graph:
    shapes = net.last_shapes
    if shapes is None and "input" in metadata:
        shapes = (_extents(metadata["input"]),)
    if shapes is None:
        raise ParameterError(
            f"The {type(net).__name__} has not been called yet, so its input is unknown; call it once, or save it "
            "with metadata={'input': (C, H, W)}."
        )
    with net.evaluating():
        return net.graph(*((1, *shape) for shape in shapes))


def _extents(shape: Any) -> Shape:
    if not isinstance(shape, tuple | list) or not all(type(extent) is int and extent > 0 for extent in shape):
        raise ParameterError(f"The 'input' in a network's metadata must be (C, H, W); got {shape!r:.80}.")
    return tuple(shape)


def _widened(graph: Graph, arrays: dict[str, Array]) -> dict[str, Array]:
    """Return half floats as the float32 that the graph computes in."""
    wide = {name for name, value in (graph.parameters | graph.buffers).items() if value.dtype == "float32"}
    return {
        name: array.astype(np.float32) if name in wide and array.dtype == np.float16 else array
        for name, array in arrays.items()
    }


def _check_arrays(graph: Graph, arrays: dict[str, Array]) -> None:
    for name, value in (graph.parameters | graph.buffers).items():
        found = arrays.get(name)
        if found is None:
            raise FileError(f"it has no array '{name}'.")
        if TensorType.of(found) != value.type:
            raise FileError(f"its array '{name}' is {TensorType.of(found)}; its graph says {value.type}.")
