"""The zoo's blocks and small networks again: plain functions of PyTorch on a state dict."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


class State:
    """The part of a state dict below a path, and the layers that use it."""

    def __init__(self, state: dict[str, Tensor], training: bool, path: str = "") -> None:
        self.state, self.training, self.path = state, training, path

    def __getitem__(self, name: Any) -> "State":
        return State(self.state, self.training, f"{self.path}{name}.")

    def __contains__(self, name: str) -> bool:
        return any(key.startswith(f"{self.path}{name}.") for key in self.state)

    def get(self, name: str) -> Any:
        return self.state.get(self.path + name)

    def conv(self, x: Tensor, stride: int = 1, padding: int = 0, groups: int = 1) -> Tensor:
        return F.conv2d(x, self.get("weight"), self.get("bias"), stride, padding, 1, groups)

    def norm(self, x: Tensor, eps: float = 1e-5, momentum: float = 0.1) -> Tensor:
        mean, variance = self.get("running_mean"), self.get("running_var")
        return F.batch_norm(
            x, mean.clone(), variance.clone(), self.get("weight"), self.get("bias"), self.training, momentum, eps
        )

    def layer_norm(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, (x.shape[-1],), self.get("weight"), self.get("bias"), 1e-6)

    def linear(self, x: Tensor) -> Tensor:
        return F.linear(x, self.get("weight"), self.get("bias"))

    def conv_norm(self, x: Tensor, stride: int = 1, padding: int = 0, groups: int = 1, eps: float = 1e-5) -> Tensor:
        return self[1].norm(self[0].conv(x, stride, padding, groups), eps)


def basic_block(s: State, x: Tensor, stride: int) -> Tensor:
    y = F.relu(s["bn1"].norm(s["conv1"].conv(x, stride, 1)))
    y = s["bn2"].norm(s["conv2"].conv(y, 1, 1))
    return F.relu(y + (s["downsample"].conv_norm(x, stride) if "downsample" in s else x))


def bottleneck(s: State, x: Tensor, stride: int, groups: int = 1) -> Tensor:
    y = F.relu(s["bn1"].norm(s["conv1"].conv(x)))
    y = F.relu(s["bn2"].norm(s["conv2"].conv(y, stride, 1, groups)))
    y = s["bn3"].norm(s["conv3"].conv(y))
    return F.relu(y + (s["downsample"].conv_norm(x, stride) if "downsample" in s else x))


def plain_block(s: State, x: Tensor, stride: int) -> Tensor:
    y = F.relu(s["bn1"].norm(s["conv1"].conv(x, stride, 1)))
    y = s["bn2"].norm(s["conv2"].conv(y, 1, 1))
    more = y.shape[1] - x.shape[1]
    return F.relu(y + F.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, more // 2, more - more // 2)))


def inverted_residual(s: State, x: Tensor, stride: int, expansion: int) -> Tensor:
    c, y, last = s["conv"], x, 1
    if expansion > 1:
        y, last = F.relu6(c[0].conv_norm(y)), 2
    y = F.relu6(c[last - 1].conv_norm(y, stride, 1, y.shape[1]))
    y = c[last + 1].norm(c[last].conv(y))
    return x + y if y.shape == x.shape else y


def squeeze_excitation(s: State, x: Tensor, activation: Any, gate: Any) -> Tensor:
    means = x.mean((2, 3), keepdim=True)
    return x * gate(s["fc2"].conv(activation(s["fc1"].conv(means))))


def bneck(s: State, x: Tensor, row: tuple[int, int, int, bool, bool, int]) -> Tensor:
    kernel, wide, _, squeezes, swishes, stride = row
    activation, c, y, i = F.hardswish if swishes else F.relu, s["block"], x, 0
    if wide != x.shape[1]:
        y, i = activation(c[0].conv_norm(y, eps=1e-3)), 1
    y = activation(c[i].conv_norm(y, stride, kernel // 2, wide, eps=1e-3))
    if squeezes:
        i += 1
        y = squeeze_excitation(c[i], y, F.relu, F.hardsigmoid)
    y = c[i + 1].conv_norm(y, eps=1e-3)
    return x + y if y.shape == x.shape else y


def mbconv(s: State, x: Tensor, kernel: int, stride: int, expansion: int) -> Tensor:
    c, y, i = s["block"], x, 0
    if expansion > 1:
        y, i = F.silu(c[0].conv_norm(y)), 1
    y = F.silu(c[i].conv_norm(y, stride, kernel // 2, y.shape[1]))
    y = squeeze_excitation(c[i + 1], y, F.silu, torch.sigmoid)
    y = c[i + 2].conv_norm(y)
    return x + y if y.shape == x.shape else y


def dense_layer(s: State, x: Tensor) -> Tensor:
    y = s["conv1"].conv(F.relu(s["norm1"].norm(x)))
    return torch.cat([x, s["conv2"].conv(F.relu(s["norm2"].norm(y)), 1, 1)], 1)


def dense_features(s: State, x: Tensor, depths: tuple[int, ...]) -> Tensor:
    x = F.max_pool2d(F.relu(s["norm0"].norm(s["conv0"].conv(x, 2, 3))), 3, 2, 1)
    for number, depth in enumerate(depths, start=1):
        for layer in range(depth):
            x = dense_layer(s[f"denseblock{number}"][f"denselayer{layer + 1}"], x)
        if number < len(depths):
            t = s[f"transition{number}"]
            x = F.avg_pool2d(t["conv"].conv(F.relu(t["norm"].norm(x))), 2)
    return s[f"norm{len(depths) + 1}"].norm(x)


def shuffle_unit(s: State, x: Tensor, stride: int) -> Tensor:
    first, second = x.chunk(2, 1) if stride == 1 else (x, x)
    if stride > 1:
        b = s["branch1"]
        first = b[1].norm(b[0].conv(first, stride, 1, x.shape[1]))
        first = F.relu(b[3].norm(b[2].conv(first)))
    b = s["branch2"]
    second = F.relu(b[1].norm(b[0].conv(second)))
    second = b[4].norm(b[3].conv(second, stride, 1, second.shape[1]))
    second = F.relu(b[6].norm(b[5].conv(second)))
    return F.channel_shuffle(torch.cat([first, second], 1), 2)


def convnext_block(s: State, x: Tensor) -> Tensor:
    b = s["block"]
    y = b[0].conv(x, 1, 3, x.shape[1]).permute(0, 2, 3, 1)
    y = b[5].linear(F.gelu(b[3].linear(b[2].layer_norm(y)))).permute(0, 3, 1, 2)
    return x + s.get("layer_scale") * y


def convnext(s: State, x: Tensor, depths: tuple[int, ...]) -> Tensor:
    def norm(s: State, x: Tensor) -> Tensor:
        return s.layer_norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    f = s["features"]
    x = norm(f[0][1], f[0][0].conv(x, 4))
    for stage, depth in enumerate(depths):
        if stage:
            x = f[2 * stage][1].conv(norm(f[2 * stage][0], x), 2)
        for block in range(depth):
            x = convnext_block(f[2 * stage + 1][block], x)
    means = norm(s["classifier"][0], x.mean((2, 3), keepdim=True)).flatten(1)
    return s["classifier"][2].linear(means)


def fire(s: State, x: Tensor) -> Tensor:
    x = F.relu(s["squeeze"].conv(x))
    return torch.cat([F.relu(s["expand1x1"].conv(x)), F.relu(s["expand3x3"].conv(x, 1, 1))], 1)


def inception(s: State, x: Tensor) -> Tensor:
    def conv(s: State, x: Tensor, padding: int = 0) -> Tensor:
        return F.relu(s["bn"].norm(s["conv"].conv(x, 1, padding), 1e-3))

    two = conv(s["branch2"][1], conv(s["branch2"][0], x), 1)
    three = conv(s["branch3"][1], conv(s["branch3"][0], x), 1)
    four = conv(s["branch4"][1], F.max_pool2d(x, 3, 1, 1))
    return torch.cat([conv(s["branch1"], x), two, three, four], 1)


def vgg_features(s: State, x: Tensor, depths: tuple[int, ...], norm: bool) -> Tensor:
    index = 0
    for depth in depths:
        for _ in range(depth):
            x = s[index].conv(x, 1, 1)
            x = F.relu(s[index + 1].norm(x) if norm else x)
            index += 3 if norm else 2
        x = F.max_pool2d(x, 2)
        index += 1
    return x


def lenet5(s: State, x: Tensor) -> Tensor:
    x = F.avg_pool2d(torch.tanh(s["c1"].conv(x)), 2)
    x = F.avg_pool2d(torch.tanh(s["c3"].conv(x)), 2).flatten(1)
    return s["output"].linear(torch.tanh(s["f6"].linear(torch.tanh(s["c5"].linear(x)))))


def nin(s: State, x: Tensor) -> Tensor:
    for block, padding in (("block1", 2), ("block2", 2), ("block3", 1)):
        x = F.relu(s[block][0].conv(x, 1, padding))
        x = F.relu(s[block][4].conv(F.relu(s[block][2].conv(x))))
        if block == "block1":
            x = F.max_pool2d(x, 3, 2, ceil_mode=True)
        if block == "block2":
            x = F.avg_pool2d(x, 3, 2, ceil_mode=True)
    return x.mean((2, 3))


def resnet20(s: State, x: Tensor) -> Tensor:
    x = F.relu(s["bn1"].norm(s["conv1"].conv(x, 1, 1)))
    for layer in (1, 2, 3):
        for block in (0, 1, 2):
            x = plain_block(s[f"layer{layer}"][block], x, stride=2 if layer > 1 and block == 0 else 1)
    return s["fc"].linear(x.mean((2, 3)))


def mobilenet_v1(s: State, x: Tensor) -> Tensor:
    f = s["features"]
    x = F.relu(f[0].conv_norm(x, 2, 1))
    for layer in range(1, 14):
        x = F.relu(f[layer][0].conv_norm(x, 2 if layer in (2, 4, 6, 12) else 1, 1, x.shape[1]))
        x = F.relu(f[layer][1].conv_norm(x))
    return s["classifier"][0].linear(x.mean((2, 3)))
