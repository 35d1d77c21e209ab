"""Networks of every structure compute what PyTorch's compute, in evaluation and in training."""

import numpy as np
import pytest
import torch

import pellucid.nn as nn
from pellucid.errors import ShapeError
from tests.nn.pair import assert_same, assert_same_state, both, images


def sequential(nn, cat):
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 5)
    )


def residual(nn, cat):
    class Block(nn.Module):
        def __init__(self, channels, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(channels, channels * stride, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(channels * stride)
            self.relu = nn.ReLU(inplace=True)
            self.downsample = nn.Conv2d(channels, channels * stride, 1, stride) if stride > 1 else None

        def forward(self, x):
            y = self.relu(self.bn1(self.conv1(x)))
            y += x if self.downsample is None else self.downsample(x)
            return self.relu(y)

    return nn.Sequential(Block(3, 1), Block(3, 2), nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(1))


def branches(nn, cat):
    class Inception(nn.Module):
        def __init__(self):
            super().__init__()
            self.branches = nn.ModuleList([nn.Conv2d(3, n, n, padding="same") for n in (1, 3, 5)])
            self.scale = nn.Parameter(self.branches[0].weight.data * 0 + 0.5)  # (1, 3, 1, 1)

        def forward(self, x):
            x = 2 * x * self.scale - 1 + (1 - x)
            return cat([x, *[branch(x) for branch in self.branches]], 1)

    return Inception()


def several_outputs(nn, cat):
    class Heads(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Tanh())
            self.head = nn.Linear(4, 2)

        def forward(self, x):
            maps = self.body(x)
            pooled = maps.mean((2, 3))
            return {"maps": maps, "pooled": pooled, "scores": self.head(pooled), "total": pooled.sum()}

    return Heads()


def tuples_inside(nn, cat):
    class Split(nn.Module):
        def forward(self, x):
            return x * 2, -x

    class Join(nn.Module):
        def forward(self, pair):
            first, second = pair
            return [first + second, second.permute(0, 2, 3, 1).reshape(2, -1)]

    return nn.Sequential(Split(), Join())


def several_inputs(nn, cat):
    class Merge(nn.Module):
        def __init__(self):
            super().__init__()
            self.left, self.right = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 1, bias=False)

        def forward(self, a, b):
            return self.left(a) + self.right(b), a.transpose(1, -1).flatten(1, 2)

    return Merge()


def shared(nn, cat):
    class Shared(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)
            self.norm = nn.BatchNorm2d(3)
            self.again = self.conv
            self.act = nn.ReLU()

        def forward(self, x):
            for _ in range(2):
                x = self.norm(self.act(self.conv(x)))
            return self.norm(self.again(x))

    return Shared()


def weights_made_of_weights(nn, cat):
    class Gate(nn.Module):
        def __init__(self):
            super().__init__()
            self.logits = nn.Linear(3, 1).weight  # (1, 3): a parameter used by no layer
            self.softmax = nn.Softmax(dim=1)
            self.linear = nn.Linear(8, 2)

        def forward(self, x):
            chances = self.softmax(nn.functional.relu(self.logits))
            return self.linear(x.mean(2) * chances.reshape(1, 3, 1))

    return Gate()


def names_like_operations(nn, cat):
    class Names(nn.Module):
        def __init__(self):
            super().__init__()
            self.add, self.multiply, self.x = (nn.Parameter(nn.Linear(1, 1).bias.data + n) for n in range(3))
            self.mean = nn.Conv2d(3, 3, 1)

        def forward(self, x):
            y = self.mean(x + x) * self.multiply
            return (y + self.add).mean(1) * self.x

    return Names()


def without_layers(nn, cat):
    class Scale(nn.Module):
        def forward(self, x):
            return nn.functional.max_pool2d(nn.functional.leaky_relu(x * 0.5, 0.2), 2).view(x.size(0), -1)

    return Scale()


NETWORKS = {
    write.__name__: (write, 2 if write is several_inputs else 1)
    for write in (
        sequential,
        residual,
        branches,
        several_outputs,
        tuples_inside,
        several_inputs,
        shared,
        weights_made_of_weights,
        names_like_operations,
        without_layers,
    )
}


@pytest.fixture(params=NETWORKS)
def network(request):
    write, inputs = NETWORKS[request.param]
    ours, theirs = both(write)
    return ours, theirs, [images(seed=seed) for seed in range(inputs)]


def test_evaluation(network):
    ours, theirs, arrays = network
    assert_same(ours.eval()(*arrays), theirs.eval()(*map(torch.from_numpy, arrays)))


def test_training_and_what_is_remembered(network):
    ours, theirs, arrays = network
    for step in range(3):
        moved = [array + np.float32(step) for array in arrays]
        assert_same(ours(*moved), theirs(*map(torch.from_numpy, moved)), 1e-4)
    assert_same_state(ours, theirs)
    assert_same(ours.eval()(*arrays), theirs.eval()(*map(torch.from_numpy, arrays)), 1e-4)


def test_double_precision(network):
    ours, theirs, arrays = network
    arrays = [array.astype("float64") for array in arrays]
    found = ours.double().eval()(*arrays)
    assert_same(found, theirs.double().eval()(*map(torch.from_numpy, arrays)), 1e-11)
    single = [array.astype("float32") for array in arrays]
    assert_same(ours.float()(*single), theirs.float()(*map(torch.from_numpy, single)))


def test_parts_are_found_under_pytorchs_names(network):
    ours, theirs, _ = network
    assert [name for name, _ in ours.named_parameters()] == [name for name, _ in theirs.named_parameters()]
    assert [name for name, _ in ours.named_buffers()] == [name for name, _ in theirs.named_buffers()]
    assert [name for name, _ in ours.named_modules()] == [name for name, _ in theirs.named_modules()]
    for name, module in theirs.named_modules():
        assert type(ours.get_submodule(name)).__name__ == type(module).__name__


def test_the_graph_has_all_that_is_learned_and_nothing_else(network):
    ours, _, arrays = network
    graph = ours.eval().graph(*(array.shape for array in arrays))
    assert set(graph.parameters) == {name for name, _ in ours.named_parameters()}
    assert len(graph.inputs) == len(arrays)


def test_nodes_are_named_after_their_layers():
    graph = both(shared)[0].eval().graph((2, 3, 8, 8))
    assert [node.name for node in graph.nodes] == [
        "conv", "act", "norm", "conv_1", "act_1", "norm_1", "conv_2", "norm_2",
    ]  # fmt: skip
    heads = both(several_outputs)[0].graph((2, 3, 8, 8))
    assert [node.name for node in heads.nodes] == ["body.0", "body.1", "mean", "head", "sum"]
    assert list(heads.layers) == ["body.0", "body.1", "body", "head"]


@pytest.mark.parametrize("result", [None, 3, np.zeros(2), (1, 2)])
def test_a_forward_that_returns_something_else_is_refused(result):
    class Odd(nn.Module):
        def forward(self, x):
            return result

    with pytest.raises(ShapeError, match="forward must return what its layers computed"):
        Odd()(images())


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match=r"ModuleList must define forward\(self, x\)"):
        nn.ModuleList([nn.ReLU()])(images())
