"""Multiply-adds against PyTorch's own counter, layer by layer, and what the switches add."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import pellucid as pel
from pellucid import nn, ops, zoo
from pellucid.analysis.counting import Counting
from pellucid.nn.random import skip_init


def by_pytorch(node):
    """Count one node's floating-point operations by running PyTorch's function for it on arrays without contents."""
    x, weight, *_ = (None if t is None else torch.empty(t.shape, device="meta") for t in node.types)
    op, functional = node.op, torch.nn.functional
    with FlopCounterMode(display=False) as counter:
        if isinstance(op, ops.Conv2d):
            (top, bottom), (left, right) = op.padding
            padded = functional.pad(x, (left, right, top, bottom))
            y = functional.conv2d(padded, weight, None, op.stride, 0, op.dilation, op.groups)
        elif isinstance(op, ops.ConvTranspose2d):
            y = functional.conv_transpose2d(x, weight, None, op.stride, 0, 0, op.groups, op.dilation)
        else:
            y = functional.linear(x, weight)
    if not isinstance(op, ops.ConvTranspose2d):  # which is cut afterwards
        assert tuple(y.shape) == node.outputs[0].shape
    return counter.get_total_flops()


def networks():
    class Upscaler(nn.Module):
        def __init__(self):
            super().__init__()
            self.up = nn.ConvTranspose2d(8, 4, 3, stride=2, padding=1, groups=2)

        def forward(self, x):
            return self.up(x)

    return {name: (lambda name=name: zoo.build(name), zoo.usual_input(name)) for name in zoo.names()} | {
        "transposed": (Upscaler, (8, 7, 9))
    }


@pytest.mark.parametrize("name", networks())
def test_every_layer_counts_as_in_pytorch(name):
    make, shape = networks()[name]
    with skip_init():
        net = make()
    graph = net.eval().graph((2, *shape))
    counted = [node for node in graph.nodes if node.op.macs(*node.types)]
    assert counted
    for node in counted:
        assert 2 * node.op.macs(*node.types) == by_pytorch(node), node.name
    found = pel.summary(net, shape, batch=2, counting=Counting("flops"))
    assert found.operations == 2 * found.macs == sum(by_pytorch(node) for node in counted)


def test_what_the_switches_add():
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 4, 1, bias=False), nn.SiLU())
    first, second = 6 * 6 * 8, 6 * 6 * 4
    products = first * 27 + second * 8
    for counting, expected in [
        (Counting(), products),
        (Counting("flops"), 2 * products),
        (Counting(bias=True), products + first),
        (Counting("flops", bias=True), 2 * products + first),
        (Counting(norm=True), products + first),
        (Counting("flops", norm=True), 2 * products + 2 * first),
        (Counting(activation=True), products + first + second),
        (Counting("flops", True, True, True), 2 * products + first + 2 * first + first + second),
    ]:
        found = pel.summary(net, (3, 8, 8), counting=counting)
        assert (found.operations, found.macs) == (expected, products), counting
        assert pel.summary(net, (3, 8, 8), batch=5, counting=counting).operations == 5 * expected


def test_a_unit_that_is_none_is_refused():
    with pytest.raises(
        pel.ParameterError, match=r"'unit' parameter of Counting must be one of \('macs', 'flops'\); got"
    ):
        Counting("ops")
