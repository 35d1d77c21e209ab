"""Networks whose cells the tests take apart."""

import numpy as np

import pellucid as pel
import pellucid.nn as nn
from pellucid.explain.trace import Trace, trace


def small() -> Trace:
    """Return the trace of a network with one layer of each kind, on whole numbers."""
    pel.manual_seed(5)
    net = nn.Sequential(
        {
            "conv": nn.Conv2d(1, 2, 2),
            "norm": nn.BatchNorm2d(2),
            "relu": nn.ReLU(),
            "pool": nn.MaxPool2d(2),
            "flatten": nn.Flatten(),
            "fc": nn.Linear(4, 3),
            "softmax": nn.Softmax(1),
        }
    )
    rng = np.random.default_rng(6)
    norm = net.get_submodule("norm")
    norm.running_mean.data, norm.running_var.data = np.float32([1, 2]), np.float32([2, 1])
    net.get_submodule("conv").weight.data = rng.integers(-3, 4, (2, 1, 2, 2)).astype(np.float32)
    return trace(net, rng.integers(-4, 5, (1, 4, 5)).astype(np.float32))
