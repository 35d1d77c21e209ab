"""A listing written for PyTorch runs with its import line replaced."""

import numpy as np
import torch

import pellucid.nn as nn
from pellucid import zoo
from tests.nn.pair import assert_same, images, load

LISTING = """
import torch.nn as nn

net = nn.Sequential(
    nn.Conv2d(1, 32, kernel_size=3, padding=1), nn.ReLU(),
    nn.Conv2d(32, 32, kernel_size=3, padding=1), nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(32, 64, kernel_size=3, padding=1), nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(64 * 7 * 7, 128), nn.ReLU(),
    nn.Linear(128, 10),
)
"""


def run(source):
    names = {}
    exec(source, names)
    return names["net"]


def test_pooled28():
    theirs = run(LISTING)
    ours = run(LISTING.replace("import torch.nn as nn", "import pellucid.nn as nn"))
    assert isinstance(theirs, torch.nn.Module)
    assert isinstance(ours, nn.Module)
    assert sum(parameter.data.size for parameter in ours.parameters()) == 430_890
    load(ours, theirs)
    x = images(3, 1, 28, 28)
    assert_same(ours(x), theirs(torch.from_numpy(x)))


def test_it_is_the_network_of_that_name():
    named, listed = zoo.build("pooled28"), run(LISTING.replace("torch.nn", "pellucid.nn"))
    assert [p.shape for p in named.parameters()] == [p.shape for p in listed.parameters()]
    named.load_state_dict(dict(zip(named.state_dict(), listed.state_dict().values(), strict=True)))
    x = images(2, 1, 28, 28)
    np.testing.assert_array_equal(named(x), listed(x))
