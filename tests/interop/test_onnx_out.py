"""ONNX models, read by ONNX's own reference implementation."""

import numpy as np
import pytest

import pellucid.nn as nn
from pellucid import zoo
from pellucid.errors import ParameterError, ShapeError
from pellucid.interop.onnx_out import to_onnx
from tests.comparison import assert_matches

onnx = pytest.importorskip("onnx")
F = nn.functional


def evaluate(model, x):
    from onnx.reference import ReferenceEvaluator

    onnx.checker.check_model(model, full_check=True)
    (name,) = (value.name for value in model.graph.input)
    return ReferenceEvaluator(model).run(None, {name: x})


class Function(nn.Module):
    """A function of the layers' functional twins."""

    def __init__(self, function, **parts):
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.function(self, x)


IMAGE, TABLE = (2, 4, 7, 8), (3, 6)

CASES = {
    "conv": (nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2), IMAGE),
    "conv without bias, uneven padding": (nn.Conv2d(4, 3, 2, padding="same", bias=False), IMAGE),
    "transposed conv": (nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1), IMAGE),
    "relu": (nn.ReLU(), IMAGE),
    "relu6": (Function(lambda net, x: F.relu6(x * 5.0)), IMAGE),
    "leaky relu": (nn.LeakyReLU(0.2), IMAGE),
    "hardswish": (Function(lambda net, x: F.hardswish(x * 4.0)), IMAGE),
    "hardsigmoid": (Function(lambda net, x: F.hardsigmoid(x * 4.0)), IMAGE),
    "silu": (nn.SiLU(), IMAGE),
    "sigmoid": (nn.Sigmoid(), IMAGE),
    "tanh": (nn.Tanh(), IMAGE),
    "max pool": (nn.MaxPool2d(3, stride=2, padding=1), IMAGE),
    "max pool, ceil": (nn.MaxPool2d(2, ceil_mode=True), IMAGE),
    "average pool": (nn.AvgPool2d(3, stride=2, padding=1), IMAGE),
    "average pool, padding uncounted": (nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False), IMAGE),
    "global average pool": (nn.AdaptiveAvgPool2d(1), IMAGE),
    "even adaptive pool": (nn.AdaptiveAvgPool2d((7, 2)), IMAGE),
    "add, multiply, constants": (Function(lambda net, x: (x + 2.0 * x) * (x + 1.5)), IMAGE),
    "concatenate": (Function(lambda net, x: F.cat([x, F.relu(x), x], 1)), IMAGE),
    "dense": (nn.Linear(6, 5), TABLE),
    "dense without bias": (nn.Linear(6, 5, bias=False), TABLE),
    "dense on maps": (nn.Linear(8, 5), IMAGE),
    "dense on maps without bias": (nn.Linear(8, 5, bias=False), IMAGE),
    "flatten": (nn.Flatten(), IMAGE),
    "flatten the middle": (nn.Flatten(1, 2), IMAGE),
    "reshape": (Function(lambda net, x: x.reshape(x.shape[0], -1, 2)), IMAGE),
    "permute": (Function(lambda net, x: x.permute(0, 2, 3, 1)), IMAGE),
    "mean": (Function(lambda net, x: x.mean((2, 3))), IMAGE),
    "mean, axes kept": (Function(lambda net, x: x.mean(1, keepdim=True)), IMAGE),
    "batch norm": (nn.BatchNorm2d(4), IMAGE),
    "batch norm without weights": (nn.BatchNorm2d(4, affine=False), IMAGE),
    "softmax": (nn.Softmax(1), IMAGE),
    "log softmax": (nn.LogSoftmax(1), TABLE),
    "dropout off": (nn.Dropout(), IMAGE),
    "kernels in four orientations": (
        nn.Sequential(nn.P4LiftConv2d(4, 2, 3, padding=1), nn.P4BatchNorm2d(2), nn.P4Conv2d(2, 3, 3, bias=False)),
        IMAGE,
    ),
    "strongest orientation": (nn.OrientationPool2d(), (2, 8, 3, 5)),
    "blurred sampling": (nn.BlurPool2d(), IMAGE),
    "padding with a number": (nn.ConstantPad2d((1, 2, 0, 3), -1.5), IMAGE),
    "padding with edges": (nn.ReplicationPad2d((1, 2, 0, 3)), IMAGE),
    "a shared weight": (Function(lambda net, x: net.fc(F.relu(net.fc(x))), fc=nn.Linear(6, 6)), TABLE),
}


@pytest.mark.parametrize("case", CASES)
def test_models_compute_the_same(case):
    net, shape = CASES[case]
    random = np.random.default_rng(0)
    for buffer in (buffer for name, buffer in net.named_buffers() if name.startswith("running")):
        buffer.data = random.uniform(0.5, 1.5, buffer.shape).astype(np.float32)
    x = random.standard_normal(shape, np.float32)
    (actual,) = evaluate(to_onnx(net.eval().graph(shape), net.arrays()), x)
    expected = net(x)
    assert_matches(actual, expected, 1e-5 * max(1.0, float(np.abs(expected).max())), kernel=case)


@pytest.mark.parametrize("network", ["tiny", "lenet5"])
def test_networks_become_models(network):
    net = zoo.build(network).eval()
    shape = (2, *zoo.usual_input(network))
    x = np.random.default_rng(0).standard_normal(shape, np.float32)
    model = to_onnx(net.graph(shape), net.arrays())
    (actual,) = evaluate(model, x)
    assert_matches(actual, net(x), 1e-4, kernel=network)
    assert {tensor.name for tensor in model.graph.initializer} >= set(net.state_dict())


def test_several_results_keep_their_order():
    net = Function(lambda net, x: {"first": F.relu(x), "second": F.tanh(x)})
    x = np.array([[-1.0, 2.0]], np.float32)
    first, second = evaluate(to_onnx(net.graph(x.shape), {}), x)
    assert first.tolist() == [[0, 2]]
    assert_matches(second, np.tanh(x), 1e-6)


def test_float64_stays_float64():
    net = nn.Linear(3, 2).double()
    x = np.ones((1, 3))
    (actual,) = evaluate(to_onnx(net.graph((1, 3)), net.arrays()), x)
    assert_matches(actual, net(x), 1e-12)


def test_everything_that_cannot_be_written_is_listed():
    net = nn.Sequential(
        {
            "shuffle": nn.PixelShuffle(2),
            "edge": nn.Conv2d(1, 2, 3, padding=1, padding_mode="reflect"),
            "drop": nn.Dropout(),
            "round": nn.CircularPad2d(1),
            "pool": nn.AdaptiveAvgPool2d(3),
            "ceil": nn.AvgPool2d(2, ceil_mode=True),
            "norm": nn.BatchNorm2d(2),
        }
    )
    with pytest.raises(ParameterError) as error:
        to_onnx(net.graph((2, 4, 4, 4)), net.arrays())
    for name in ("PixelShuffle ('shuffle')", "'edge'", "'round'", "'drop'", "'pool'", "'ceil'", "'norm'", "net.eval()"):
        assert name in str(error.value)


def test_indices_of_maxima_are_not_written():
    net = Function(lambda net, x: F.max_pool2d_with_indices(x, 2))
    with pytest.raises(ParameterError, match="the further results of MaxPool2d"):
        to_onnx(net.graph((1, 1, 4, 4)), {})


def test_a_missing_array_is_named():
    net = nn.Linear(3, 2)
    with pytest.raises(ShapeError, match=r"'bias'"):
        to_onnx(net.graph((1, 3)), {"weight": net.weight.data})


def test_a_norm_that_keeps_no_statistics_is_not_told_to_evaluate():
    net = nn.BatchNorm2d(2, track_running_stats=False).eval()
    with pytest.raises(ParameterError, match="in training; it keeps no running statistics"):
        to_onnx(net.graph((1, 2, 4, 4)), net.arrays())
