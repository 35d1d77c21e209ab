"""Peers compute the same as we do: each test needs one of them, and is left out without it."""

import numpy as np
import pytest

import pellucid as pel
import pellucid.nn as nn
from pellucid.bench import ours, peers
from pellucid.bench.compare import relative_error
from pellucid.bench.conv_shapes import ConvShape
from pellucid.bench.tasks import Convolution, Filter, Inference, Training
from pellucid.bench.works import find


@pytest.fixture
def torch(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch, "compile", lambda module, **_: module)  # takes half a minute and needs a C++ compiler
    return torch


def assert_forms_agree(peer, task, bound=1e-5):
    forms = peer.forms(task, 1)
    assert forms
    expected = ours.form(task).results()
    for form in forms:
        form.run()
    for form in peer.forms(task, 1):  # anew: runs may have trained
        assert task.error(form.results(), expected) <= bound, form.label


@pytest.fixture
def pytorch(torch):
    from pellucid.bench.peers import pytorch

    return pytorch


@pytest.mark.parametrize("network", ["tiny", "lenet5", "mobilenet-v2"])
def test_pytorch_infers_the_same(pytorch, network):
    assert_forms_agree(pytorch, Inference(network, 1), 1e-4)


@pytest.mark.parametrize("network", ["tiny", "lenet5"])
def test_pytorch_learns_the_same(pytorch, network):
    assert_forms_agree(pytorch, Training(network, 4), 1e-4)


@pytest.mark.parametrize("direction", Convolution.directions)
@pytest.mark.parametrize("shape", ["n2c3h7w6k4r3s3stride2pad1", "n1c4h5w5k4r3s3pad1group4", "n2c8h4w4k5r1s1"])
def test_pytorch_convolves_the_same(pytorch, direction, shape):
    assert_forms_agree(pytorch, Convolution(direction, ConvShape.parse(shape)))


class Everything(nn.Module):
    """What the networks of the zoo do not have."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, (2, 3), padding="same", padding_mode="replicate")
        self.odd = nn.Conv2d(4, 4, 2, padding="same", dilation=1, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.up = nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2)
        self.pool = nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False)
        self.dense = nn.Linear(6, 5)
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        x = nn.functional.silu(self.norm(self.odd(self.conv(x))))
        x = self.pool(nn.functional.hardswish(self.up(x)))
        x = nn.functional.cat([nn.functional.relu(x), nn.functional.tanh(x)], 1)
        x = nn.functional.channel_shuffle(x, 2) * nn.functional.hardsigmoid(x)
        x = nn.functional.sigmoid(x.permute(0, 2, 3, 1).reshape(x.shape[0], -1, 6))
        return nn.functional.softmax(self.drop(self.dense(x)).mean(1), 1)


@pytest.mark.parametrize("fold", [False, True])
def test_graphs_become_modules_of_pytorch(torch, fold):
    from pellucid.bench.peers.torch_graph import to_torch

    net, x = Everything().eval(), np.random.default_rng(0).standard_normal((2, 3, 8, 9), np.float32)
    net.norm.running_mean.data[:], net.norm.running_var.data[:] = [0.1, -0.2, 0.3, 0.5], [0.5, 1, 1.5, 2]
    module = to_torch(net.graph(x.shape), net.arrays(), fold=fold)
    assert ("batch_norm" in module.code) is not fold
    with torch.inference_mode():
        assert relative_error({"y": module(torch.from_numpy(x)).numpy()}, {"y": net(x)}) < 1e-5


def test_running_statistics_move_alike(torch):
    from pellucid.bench.peers.torch_graph import to_torch

    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(72, 2))
    x = np.random.default_rng(0).standard_normal((4, 1, 8, 8), np.float32)
    module = to_torch(net.graph(x.shape), net.arrays())
    module(torch.from_numpy(x))
    net(x)
    for name in ("1.running_mean", "1.running_var"):
        np.testing.assert_allclose(module.get_buffer(name.replace(".", "_")).numpy(), net.arrays()[name], rtol=1e-5)


def test_what_pytorch_has_no_rule_for_is_named(torch):
    from pellucid.bench.peers.torch_graph import to_torch

    net = nn.Sequential(nn.LocalResponseNorm(3), nn.PixelShuffle(2))
    with pytest.raises(pel.ParameterError, match="LocalResponseNorm, PixelShuffle"):
        to_torch(net.graph((1, 4, 3, 3)), net.arrays())


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("network", ["tiny", "lenet5", "resnet18"])
def test_runtimes_infer_the_same(name, network):
    peer = peers.installed().get(name) or pytest.skip(f"{name} is not installed")
    assert_forms_agree(peer, Inference(network, 2), 1e-4)
    assert peer.forms(find("conv/fwd/n1c2h5w5k4r3s3").task(), 1) == []
    assert peer.forms(find("train/tiny/b1").task(), 1) == []


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("size", "gauss"), [(3, False), (7, True)])
def test_opencv_filters_the_same(dtype, channels, size, gauss):
    peer = peers.installed().get("opencv") or pytest.skip("OpenCV is not installed")
    task = Filter(size, gauss, channels, dtype, rows=20, columns=30)
    assert_forms_agree(peer, task, task.tolerance)
    assert len(peer.forms(task, 1)) == 1 + gauss


def test_every_peer_is_installed_or_missing():
    assert {*peers.installed(), *peers.missing()} == {"pytorch", "onnxruntime", "openvino", "opencv"}
    assert not {*peers.installed()} & {*peers.missing()}
    assert ("torch" in peers.versions()) is ("pytorch" in peers.installed())
