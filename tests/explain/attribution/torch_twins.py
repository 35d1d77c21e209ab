"""Networks again in PyTorch, as modules that hooks can be hung on, with the same weights."""

from collections import OrderedDict

import numpy as np
import torch

import pellucid as pel
from pellucid import nn
from pellucid.types import Array


def small() -> tuple[nn.Module, torch.nn.Module, Array]:
    """A network of grey 20×20 images with random weights, its twin, and an image."""
    pel.manual_seed(5)
    net = nn.Sequential(
        {
            "conv1": nn.Conv2d(1, 8, 3, padding=1),
            "relu1": nn.ReLU(),
            "pool1": nn.MaxPool2d(2),
            "conv2": nn.Conv2d(8, 12, 3, padding=1),
            "relu2": nn.ReLU(),
            "flatten": nn.Flatten(),
            "fc1": nn.Linear(1200, 20),
            "relu3": nn.ReLU(),
            "fc2": nn.Linear(20, 5),
        }
    ).eval()
    layers = OrderedDict(
        conv1=torch.nn.Conv2d(1, 8, 3, padding=1),
        relu1=torch.nn.ReLU(),
        pool1=torch.nn.MaxPool2d(2),
        conv2=torch.nn.Conv2d(8, 12, 3, padding=1),
        relu2=torch.nn.ReLU(),
        flatten=torch.nn.Flatten(),
        fc1=torch.nn.Linear(1200, 20),
        relu3=torch.nn.ReLU(),
        fc2=torch.nn.Linear(20, 5),
    )
    image = np.random.default_rng(2).standard_normal((1, 20, 20), dtype=np.float32)
    return net, with_weights(torch.nn.Sequential(layers), net), image


def resnet18() -> tuple[nn.Module, torch.nn.Module, Array]:
    """The zoo's ResNet-18 for 64×64 images and 10 classes, its norms and biases random too, its twin, and an image."""
    pel.manual_seed(6)
    net, random = pel.zoo.build("resnet18", input=(3, 64, 64), classes=10).eval(), np.random.default_rng(3)
    for name, parameter in [*net.named_parameters(), *net.named_buffers()]:
        if parameter.ndim == 1:
            is_scale = name.endswith(("weight", "var"))
            parameter.data = random.normal(1 if is_scale else 0, 0.1, parameter.shape).astype(np.float32)
    image = random.standard_normal((3, 64, 64), dtype=np.float32)
    return net, with_weights(_ResNet18(10), net), image


def with_weights(twin: torch.nn.Module, net: nn.Module) -> torch.nn.Module:
    twin.load_state_dict({name: torch.from_numpy(array) for name, array in net.state_dict().items()})
    return twin.eval()


class _Block(torch.nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = torch.nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1, self.relu1 = torch.nn.BatchNorm2d(outputs), torch.nn.ReLU()
        self.conv2 = torch.nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2, self.relu2 = torch.nn.BatchNorm2d(outputs), torch.nn.ReLU()
        shortcut = (torch.nn.Conv2d(inputs, outputs, 1, stride, bias=False), torch.nn.BatchNorm2d(outputs))
        self.downsample = torch.nn.Sequential(*shortcut if stride > 1 else ())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        return self.relu2(y + self.downsample(x))


class _ResNet18(torch.nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv1 = torch.nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1, self.relu = torch.nn.BatchNorm2d(64), torch.nn.ReLU()
        self.maxpool = torch.nn.MaxPool2d(3, 2, 1)
        sizes = ((64, 64), (64, 128), (128, 256), (256, 512))
        for number, (inputs, outputs) in enumerate(sizes, start=1):
            blocks = (_Block(inputs, outputs, 1 if number == 1 else 2), _Block(outputs, outputs, 1))
            setattr(self, f"layer{number}", torch.nn.Sequential(*blocks))
        self.fc = torch.nn.Linear(512, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))
