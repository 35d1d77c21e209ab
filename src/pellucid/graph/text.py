"""A graph as text, one line a node."""

from pellucid.graph.graph import Graph, Node


def to_text(graph: Graph) -> str:
    """Print the graph: inputs, a line for each node with its result type, outputs.

    >>> from pellucid import ops
    >>> from pellucid.types import TensorType
    >>> graph = Graph()
    >>> x = graph.input("x", TensorType((1, 2)))
    >>> graph.outputs["output"] = graph.add(ops.ReLU(), x, name="act")
    >>> print(to_text(graph))
    graph(x: float32(1, 2))
      act = ReLU(x) → float32(1, 2)
      return act
    """
    inputs = ", ".join(str(value) for value in graph.inputs.values())
    lines = [f"graph({inputs})", *(f"  {_line(node)}" for node in graph.nodes)]
    lines += [f"  update {name} ← {value.name}" for name, value in graph.updates.items()]
    lines.append(f"  return {', '.join(value.name for value in graph.outputs.values())}")
    return "\n".join(lines)


def _line(node: Node) -> str:
    arguments = ", ".join("–" if value is None else value.name for value in node.inputs)
    head, _, settings = str(node.op).partition("(")
    inside = "; ".join(part for part in (arguments, settings[:-1]) if part)
    return f"{node.name} = {head}({inside}) → {', '.join(str(value.type) for value in node.outputs)}"
