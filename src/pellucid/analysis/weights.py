"""Values of a graph that follow from its weights alone."""

from pellucid.graph import Graph, Value


def made_of_weights(graph: Graph) -> dict[str, list[Value]]:
    """Name the values that follow from weights alone, such as kernels turned into four orientations, and the weights.

    What makes them is no layer; the weights are those of the layer that reads the values.

    >>> import pellucid.nn as nn
    >>> made = made_of_weights(nn.P4LiftConv2d(1, 2, 3).graph((1, 1, 5, 5)))
    >>> {name: [weight.name for weight in weights] for name, weights in made.items()}
    {'orientations': ['weight'], 'orientations_1': ['bias']}
    """
    made: dict[str, list[Value]] = {}
    weights = graph.parameters | graph.buffers
    for node in graph.nodes:
        given = [value for value in node.inputs if value is not None]
        if given and all(value.name in weights or value.name in made for value in given):
            behind = [base for value in given for base in made.get(value.name, [value])]
            made |= {value.name: behind for value in node.outputs}
    return made
