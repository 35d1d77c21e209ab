"""Every family's blocks, and networks few channels wide, compute and differentiate as PyTorch's functions do."""

from functools import partial

import numpy as np
import pytest
import torch

import pellucid as pel
from pellucid import nn, zoo
from pellucid.nn.random import skip_init
from pellucid.zoo import (
    convnext,
    densenet,
    efficientnet,
    googlenet,
    mobilenet,
    mobilenet_v3,
    resnet,
    shufflenet,
    squeezenet,
    vgg,
)
from tests.zoo import twins

ROW = {
    "first": (3, 6, 6, True, False, 2),
    "plain": (3, 16, 6, False, False, 1),
    "full": (5, 72, 6, True, True, 1),
    "wider": (5, 40, 10, True, True, 2),
}

BLOCKS = {
    "basic": (lambda: resnet.BasicBlock(6, 6), partial(twins.basic_block, stride=1)),
    "basic, halving": (lambda: resnet.BasicBlock(6, 10, 2), partial(twins.basic_block, stride=2)),
    "plain, halving": (lambda: resnet.PlainBlock(6, 11, 2), partial(twins.plain_block, stride=2)),
    "bottleneck": (lambda: resnet.Bottleneck(6, 8), partial(twins.bottleneck, stride=1)),
    "bottleneck, halving": (lambda: resnet.Bottleneck(6, 8, 2), partial(twins.bottleneck, stride=2)),
    "bottleneck, grouped": (
        lambda: resnet.Bottleneck(6, 8, 2, groups=4, base_width=64),
        partial(twins.bottleneck, stride=2, groups=4),
    ),
    "inverted residual": (
        lambda: mobilenet.InvertedResidual(6, 6, 1, 6),
        partial(twins.inverted_residual, stride=1, expansion=6),
    ),
    "inverted residual, halving": (
        lambda: mobilenet.InvertedResidual(6, 9, 2, 1),
        partial(twins.inverted_residual, stride=2, expansion=1),
    ),
    **{
        f"bneck, {name}": (partial(mobilenet_v3.Bneck, 6, row), partial(twins.bneck, row=row))
        for name, row in ROW.items()
    },
    "mbconv": (
        lambda: efficientnet.MBConv(6, 6, 5, 1, 6),
        partial(twins.mbconv, kernel=5, stride=1, expansion=6),
    ),
    "mbconv, halving": (
        lambda: efficientnet.MBConv(6, 9, 3, 2, 1),
        partial(twins.mbconv, kernel=3, stride=2, expansion=1),
    ),
    "dense layer": (lambda: densenet.DenseLayer(6, 4), twins.dense_layer),
    "dense features": (
        lambda: densenet.features(6, 8, 4, (2, 1, 2))[0],
        partial(twins.dense_features, depths=(2, 1, 2)),
    ),
    "shuffle": (lambda: shufflenet.ShuffleUnit(6, 6, 1), partial(twins.shuffle_unit, stride=1)),
    "shuffle, halving": (lambda: shufflenet.ShuffleUnit(6, 10, 2), partial(twins.shuffle_unit, stride=2)),
    "convnext": (
        lambda: convnext.convnext((6, 16, 16), 3, ((4, 2), (8, 1))),
        partial(twins.convnext, depths=(2, 1)),
    ),
    "fire": (lambda: squeezenet.Fire(6, 3, 4), twins.fire),
    "inception": (lambda: googlenet.Inception(6, (2, 3, 4, 3, 2, 5)), twins.inception),
    "vgg": (
        lambda: vgg.features(6, (4, 8), (1, 2), norm=False),
        partial(twins.vgg_features, depths=(1, 2), norm=False),
    ),
    "vgg, normalised": (
        lambda: vgg.features(6, (4, 8), (2, 1), norm=True),
        partial(twins.vgg_features, depths=(2, 1), norm=True),
    ),
}  # fmt: skip

NETWORKS = {"lenet5": twins.lenet5, "nin": twins.nin, "resnet20": twins.resnet20, "mobilenet-v1": twins.mobilenet_v1}


def randomise(net):
    """Give every array values of its usual size, none of which is the neutral one."""
    random = np.random.default_rng(0)
    for name, parameter in [*net.named_parameters(), *net.named_buffers()]:
        shape = parameter.shape
        if name.endswith("weight") and len(shape) > 1:
            parameter.data = random.normal(0, np.prod(shape[1:]) ** -0.5, shape)
        elif parameter.data.dtype.kind == "f":
            positive = name.endswith(("weight", "var", "layer_scale"))
            parameter.data = random.uniform(0.5, 1.5, shape) if positive else random.normal(0, 0.3, shape)
    return net


def torch_state(net, training):
    state = {name: torch.from_numpy(array) for name, array in net.state_dict().items()}
    for name, _ in net.named_parameters():
        state[name].requires_grad_()
    return twins.State(state, training)


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("training", [False, True])
def test_blocks(name, training):
    make, twin = BLOCKS[name]
    net = randomise(make()).train(training)
    state = torch_state(net, training)
    x = np.random.default_rng(1).standard_normal((2, 6, 16, 16))
    expected = twin(state, torch.from_numpy(x))
    target = np.random.default_rng(2).standard_normal(expected.shape)

    np.testing.assert_allclose(net(x), expected.detach(), rtol=1e-10, atol=1e-10)

    torch.nn.functional.mse_loss(expected, torch.from_numpy(target)).backward()
    _, gradients = pel.value_and_grad(net, pel.losses.mse_loss)(x, target)
    assert set(gradients) == {path for path, _ in net.named_parameters()}
    for path, gradient in gradients.items():  # PyTorch's hardsigmoid has a sixth of float32 precision in its gradient
        np.testing.assert_allclose(gradient, state.state[path].grad, rtol=1e-7, atol=1e-8, err_msg=path)


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_that_torchvision_lacks(name):
    channels, *_ = zoo.usual_input(name)
    with skip_init():
        net = randomise(zoo.build(name, input=(channels, 32, 32), classes=5)).eval()
    x = np.random.default_rng(1).standard_normal((2, channels, 32, 32))
    with torch.no_grad():
        expected = NETWORKS[name](torch_state(net, training=False), torch.from_numpy(x))
    np.testing.assert_allclose(net(x), expected, rtol=1e-10, atol=1e-10)


def test_a_layer_norm_over_channels_names_its_steps():
    graph = nn.Sequential({"norm": convnext.LayerNorm2d(4)}).graph((1, 4, 3, 3))
    assert graph.layers["norm"].shape == (1, 4, 3, 3)
    assert len(graph.nodes) == 3
