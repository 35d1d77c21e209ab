import numpy as np
import pytest
import torch

import pellucid.nn as nn
from pellucid.errors import ParameterError
from tests.nn.pair import images


def layers(library=nn):
    return library.ReLU(), library.Tanh(), library.Sigmoid(), library.Identity()


def names(container):
    return [(name, type(module).__name__) for name, module in container.named_children()]


def test_sequential_runs_in_order_and_is_a_list_of_its_modules():
    net = nn.Sequential(*(parts := layers()))
    x = images(2, 3)
    np.testing.assert_array_equal(net(x), parts[2](parts[1](parts[0](x))))
    assert len(net) == 4
    assert list(net) == list(parts)
    assert net[0] is parts[0]
    assert net[-1] is parts[-1]
    with pytest.raises(IndexError):
        net[4]


@pytest.mark.parametrize("part", [slice(1, 3), slice(None, -1), slice(None, None, 2), slice(2, 2)])
@pytest.mark.parametrize("kind", ["Sequential", "ModuleList"])
def test_slices_are_named_as_pytorch_names_them(kind, part):
    def make(library):
        parts = layers(library)
        return getattr(library, kind)(*parts) if kind == "Sequential" else getattr(library, kind)(parts)

    found, expected = make(nn)[part], make(torch.nn)[part]
    assert type(found).__name__ == kind
    assert names(found) == names(expected)


def test_a_slice_shares_its_modules():
    net = nn.Sequential(*layers())
    assert net[1:3][0] is net[1]


@pytest.mark.parametrize("kind", ["Sequential", "ModuleList"])
def test_append_to_a_slice_replaces_nothing(kind):
    net = nn.Sequential(*layers()) if kind == "Sequential" else nn.ModuleList(layers())
    part = net[2:].append(nn.ELU())
    assert [type(module).__name__ for module in part] == ["Sigmoid", "Identity", "ELU"]


def test_items_can_be_replaced():
    net = nn.Sequential({"first": nn.ReLU(), "last": nn.Linear(3, 2)})
    net[-1] = nn.Linear(3, 5)
    assert names(net) == [("first", "ReLU"), ("last", "Linear")]
    assert net(images(2, 3)).shape == (2, 5)
    with pytest.raises(IndexError):
        net[2] = nn.ReLU()
    with pytest.raises(ParameterError, match="holds modules; got function"):
        net[0] = nn.functional.relu


def test_names_are_kept_in_order():
    net = nn.Sequential({"conv": nn.Conv2d(1, 1, 1), "act": nn.ReLU()})
    assert names(net) == [("conv", "Conv2d"), ("act", "ReLU")]
    assert list(net.state_dict()) == ["conv.weight", "conv.bias"]
    assert net.conv is net[0]


@pytest.mark.parametrize("name", ["", "a.b", "forward", "graph", "training", "_plans", "metadata", 1, None])
def test_names_that_would_break_a_network_are_refused(name):
    with pytest.raises(ParameterError, match="module's name in Sequential must be text without a dot"):
        nn.Sequential({name: nn.ReLU()})


@pytest.mark.parametrize("odd", [nn.ReLU, None, "relu", nn.functional.relu])
def test_only_modules_are_held(odd):
    for make in (lambda: nn.Sequential(nn.Tanh(), odd), lambda: nn.ModuleList([odd])):
        with pytest.raises(ParameterError, match=r"holds modules; got \w+\. Forgot to call a layer's class\?"):
            make()


def test_an_empty_sequential_passes_on():
    x = images(2, 3)
    np.testing.assert_array_equal(nn.Sequential()(x), x)


def test_printing_shows_the_tree():
    net = nn.Sequential({"body": nn.Sequential(nn.Conv2d(1, 4, 3, padding=(1, 0), bias=False)), "act": nn.ReLU()})
    assert repr(net).splitlines() == [
        "Sequential(",
        "  (body): Sequential(",
        "    (0): Conv2d(1, 4, kernel_size=(3, 3), stride=(1, 1), padding=(1, 0), bias=False)",
        "  )",
        "  (act): ReLU()",
        ")",
    ]
