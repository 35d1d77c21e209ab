"""Every layer keeps PyTorch's contract: names, order, defaults, state, first weights, and what it computes."""

import inspect

import numpy as np
import pytest
import torch
from scipy import stats

import pellucid.nn as nn
from pellucid.types import TensorType
from tests.contracts.layers import CASES, CLASSES, CONTAINERS, LOSSES

IDS = [str(case) for case in CASES]

OTHER_DEFAULTS = {
    ("Softmax", "dim"): "PyTorch guesses an axis where none is given, and warns; here it is the classes'",
    ("LogSoftmax", "dim"): "the same",
    ("Upsample", "align_corners"): "None and False mean the same in PyTorch",
    ("ModuleList", "modules"): "None and an empty list mean the same",
}


def test_every_class_has_a_case():
    assert {case.name for case in CASES} == set(CLASSES) - set(LOSSES) - set(CONTAINERS)


def arguments(cls):
    signature = inspect.signature(cls.__init__).parameters.values()
    named = [p for p in signature if p.name != "self" and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return {parameter.name: parameter.default for parameter in named}


@pytest.mark.parametrize("name", CLASSES)
def test_constructors_take_pytorchs_arguments_in_its_order_with_its_defaults(name):
    ours, theirs = arguments(getattr(nn, name)), arguments(getattr(torch.nn, name))
    assert list(ours) == [argument for argument in theirs if argument in ours]
    if name not in LOSSES:  # there, PyTorch's first arguments are two that it deprecated in 2018
        assert list(ours) == list(theirs)[: len(ours)], "an argument left out must come after those that are taken"
    for argument, default in ours.items():
        if (name, argument) not in OTHER_DEFAULTS:
            assert default == theirs[argument] or default is theirs[argument]


def same(actual, expected, bound=2e-5):
    """Compare in float32: sums of at most 4 · 9 products and means over 144 values of size below 4."""
    assert actual.dtype.name == str(expected.dtype).removeprefix("torch.")
    np.testing.assert_allclose(actual, expected.detach().numpy(), rtol=bound, atol=bound)


@pytest.fixture(params=CASES, ids=IDS)
def case(request):
    return request.param


@pytest.fixture
def pair(case):
    """Our layer with PyTorch's weights, and PyTorch's."""
    torch.manual_seed(0)
    theirs = case.make(torch.nn)
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.add_(torch.randn_like(parameter) / 4)  # else weights of norms would all be 1
    ours = case.make()
    ours.load_state_dict({name: tensor.numpy() for name, tensor in theirs.state_dict().items()})
    return ours, theirs


def test_the_state_has_pytorchs_keys_order_shapes_and_dtypes(case):
    ours, theirs = case.make().state_dict(), case.make(torch.nn).state_dict()
    assert [(name, array.shape, array.dtype.name) for name, array in ours.items()] == [
        (name, tuple(tensor.shape), str(tensor.dtype).removeprefix("torch.")) for name, tensor in theirs.items()
    ]
    parameters = [name for name, _ in case.make().named_parameters()]
    assert parameters == [name for name, _ in case.make(torch.nn).named_parameters()]


def test_constant_first_weights_are_pytorchs(case):
    theirs = case.make(torch.nn).state_dict()
    for name, array in case.make().state_dict().items():
        if theirs[name].unique().numel() <= 1:
            np.testing.assert_array_equal(array, theirs[name].numpy())


@pytest.mark.parametrize("training", [False, True])
def test_a_layer_computes_what_pytorchs_computes(case, pair, training):
    ours, theirs = (layer.train(training) for layer in pair)
    if training and case.random:
        pytest.skip("chance is at work")
    for _ in range(3):  # running statistics move from call to call
        expected = theirs(torch.from_numpy(case.input()))
        same(ours(case.input()), expected)
    for name, tensor in theirs.state_dict().items():
        same(ours.state_dict()[name], tensor)


def test_in_float64_too(case, pair):
    ours, theirs = (layer.eval().double() for layer in pair)
    x = case.input("float64")
    same(ours(x), theirs(torch.from_numpy(x)), 1e-12)


def test_it_tells_the_shape_before_computing(case):
    layer = case.make().eval()
    (value,) = layer.graph(case.shape).outputs.values()
    assert value.type == TensorType.of(layer(case.input()))


def test_it_prints_as_it_is_made(case):
    text = repr(case.make())
    assert text.startswith(f"{case.name}(")
    assert text.endswith(")")


def test_the_graph_names_the_one_operation_after_the_layer(case):
    if case.name == "Identity":
        pytest.skip("adds no operation")
    graph = nn.Sequential({"first": nn.Identity(), "here": case.make().eval()}).eval().graph(case.shape)
    assert [node.name for node in graph.nodes] == ["here"]
    assert graph.layers["here"].name == "here"


DRAWN = [
    (lambda library: library.Conv2d(16, 64, 3), 1 / np.sqrt(16 * 9)),
    (lambda library: library.Conv2d(16, 64, (5, 3), groups=4), 1 / np.sqrt(4 * 15)),
    (lambda library: library.ConvTranspose2d(64, 16, 3), 1 / np.sqrt(16 * 9)),
    (lambda library: library.ConvTranspose2d(16, 64, 3, groups=2), 1 / np.sqrt(32 * 9)),
    (lambda library: library.Linear(300, 400), 1 / np.sqrt(300)),
]


@pytest.mark.parametrize(("make", "bound"), DRAWN)
def test_first_weights_are_drawn_as_pytorch_draws_them(make, bound):
    """U(−bound, bound): its extremes, mean and variance within five standard errors; and the same by a KS test."""
    nn.manual_seed(1)
    torch.manual_seed(1)
    theirs = make(torch.nn).state_dict()
    for name, array in make(nn).state_dict().items():
        values, n = array.ravel(), array.size
        assert abs(values).max() <= bound
        assert abs(values).max() > bound * (1 - 10 / n)  # the largest of n falls short by bound/n on average
        variance = bound**2 / 3
        assert abs(values.mean()) < 5 * np.sqrt(variance / n)
        assert abs(values.var() - variance) < 5 * bound**2 * np.sqrt((1 / 5 - 1 / 9) / n)
        assert stats.kstest(values, stats.uniform(-bound, 2 * bound).cdf).pvalue > 1e-3
        assert stats.ks_2samp(values, theirs[name].numpy().ravel()).pvalue > 1e-3


def test_layers_draw_other_weights_each_time_and_the_same_after_the_same_seed():
    nn.manual_seed(3)
    first, second = nn.Linear(4, 4).weight.data, nn.Linear(4, 4).weight.data
    assert (first != second).all()
    nn.manual_seed(3)
    np.testing.assert_array_equal(nn.Linear(4, 4).weight.data, first)
