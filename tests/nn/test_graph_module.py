"""A network made of a graph and arrays is the network that they were taken from, in training too."""

import json

import numpy as np
import pytest

import pellucid.nn as nn
from pellucid.errors import FileError
from pellucid.graph import Graph, from_dict, to_dict
from pellucid.nn.graph_module import GraphModule
from pellucid.types import TensorType
from tests.nn.pair import both, images
from tests.nn.test_networks import NETWORKS


def through_a_graph(net, *shapes):
    """Take a network apart into JSON and arrays, as a file does, and put it together again."""
    with net.evaluating():
        graph = net.graph(*shapes)
    for name, buffer in net.named_buffers():
        graph.buffer(name, TensorType.of(buffer.data))
    record = json.loads(json.dumps(to_dict(graph)))
    arrays = {name: array.copy() for name, array in net.arrays().items()}
    return GraphModule(from_dict(record, graph.constants), arrays)


@pytest.fixture(params=NETWORKS)
def network(request):
    write, inputs = NETWORKS[request.param]
    net, _ = both(write)
    return net, [images(seed=seed) for seed in range(inputs)]


def parts(result):
    if isinstance(result, dict):
        return list(result.items())
    return list(enumerate(result)) if isinstance(result, tuple | list) else [("output", result)]


def assert_equal(found, expected):
    for (name, array), (other, wanted) in zip(parts(found), parts(expected), strict=True):
        assert name == other
        np.testing.assert_array_equal(array, wanted)


def test_it_computes_the_same(network):
    net, arrays = network
    again = through_a_graph(net, *(array.shape for array in arrays))
    assert_equal(again.eval()(*arrays), net.eval()(*arrays))


def test_for_other_batch_sizes(network):
    net, arrays = network
    again = through_a_graph(net, *((1, *array.shape[1:]) for array in arrays))
    assert_equal(again.eval()(*arrays), net.eval()(*arrays))


def test_it_is_trained_the_same(network):
    net, arrays = network
    again = through_a_graph(net, *(array.shape for array in arrays))
    for _ in range(2):
        assert_equal(again.train()(*arrays), net.train()(*arrays))
    state = again.state_dict()
    for name, array in net.arrays().items():
        np.testing.assert_array_equal(state[name], array)


def test_dropout_works_again_in_training():
    net = nn.Sequential(nn.Dropout(0.5), nn.Dropout(0.5))
    again = through_a_graph(net, (1, 1000))
    x = np.ones((1, 1000), "float32")
    assert 0.65 < (again(x) == 0).mean() < 0.85
    assert (again.eval()(x) == 1).all()


def test_a_network_of_a_network_of_a_graph():
    net = nn.Sequential({"conv": nn.Conv2d(3, 2, 3), "bn": nn.BatchNorm2d(2)})
    inner = through_a_graph(net, (1, 3, 8, 8))
    outer = nn.Sequential({"body": inner, "act": nn.ReLU()})
    again = through_a_graph(outer, (1, 3, 8, 8))
    assert list(again.graph((1, 3, 8, 8)).layers) == ["body.conv", "body.bn", "body", "act"]
    x = images()
    assert_equal(again.eval()(x), np.maximum(net.eval()(x), 0))


def test_the_names_of_nodes_and_layers_stay():
    net = nn.Sequential({"conv": nn.Conv2d(3, 2, 3), "bn": nn.BatchNorm2d(2)}).eval()
    graph, again = net.graph((1, 3, 8, 8)), through_a_graph(net, (1, 3, 8, 8)).eval().graph((4, 3, 8, 8))
    assert [node.name for node in again.nodes] == [node.name for node in graph.nodes]
    assert list(again.layers) == list(graph.layers)


@pytest.mark.parametrize(
    "name", ["forward", "__class__", "a.__dict__", "training", "_plans", "_graph", "a..b", "conv.", "a." * 5000]
)
def test_names_that_no_network_can_have_are_refused(name):
    graph = Graph()
    graph.outputs["output"] = graph.input("x", TensorType((1, 2))) * 2
    graph.parameter(name, TensorType((2,)))
    with pytest.raises(FileError, match=r"cannot have a parameter named '.*': the name is taken, or none"):
        GraphModule(graph, {name: np.zeros(2, "float32")})


def test_a_name_that_is_both_parameter_and_module_is_refused():
    graph = Graph()
    for name in ("conv", "conv.weight"):
        graph.parameter(name, TensorType((2,)))
    with pytest.raises(FileError, match=r"named 'conv.weight'"):
        GraphModule(graph, dict.fromkeys(graph.parameters, np.zeros(2, "float32")))
