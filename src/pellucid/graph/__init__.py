"""The graph of operations: building, differentiation, plans and executors, JSON."""

from pellucid.graph.differentiate import differentiate
from pellucid.graph.graph import Graph, Node, Value
from pellucid.graph.plan import EXECUTORS, Plan
from pellucid.graph.serialise import from_dict, to_dict

__all__ = ["EXECUTORS", "Graph", "Node", "Plan", "Value", "differentiate", "from_dict", "to_dict"]
