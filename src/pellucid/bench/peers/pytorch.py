"""PyTorch: everything but filters; each task in several forms, of which the fastest counts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from pellucid import ops
from pellucid.bench.forms import Form
from pellucid.bench.peers.torch_graph import parameter_name, to_torch
from pellucid.bench.tasks import LEARNING_RATE, MOMENTUM, Convolution, Inference, Task, Training
from pellucid.types import Array

_LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def forms(task: Task, threads: int) -> list[Form]:
    """Contiguous and channels-last, eager and compiled."""
    torch.set_num_threads(threads)
    if "torch._dynamo" in sys.modules:
        torch._dynamo.reset()  # which else keeps what was compiled for earlier tasks, weights included
    if isinstance(task, Training):
        eager = [_training(task, layout, compiled=False) for layout in _LAYOUTS]
        return [*eager, _training(task, "channels_last", compiled=True)]
    if isinstance(task, Inference):
        normalises = any(isinstance(node.op, ops.BatchNorm) for node in task.graph.nodes)
        folds = (False, True) if normalises else (False,)
        eager = [_inference(task, layout, fold=fold) for fold in folds for layout in _LAYOUTS]
        return [*eager, _inference(task, "channels_last", fold=normalises, compiled=True)]
    if isinstance(task, Convolution):
        return [_convolution(task, layout) for layout in _LAYOUTS]
    return []


def eager_training(task: Training, threads: int) -> Form:
    """Training channels-last without compiling: the form that needs least memory."""
    torch.set_num_threads(threads)
    return _training(task, "channels_last", compiled=False)


def _inference(task: Inference, layout: str, *, fold: bool, compiled: bool = False) -> Form:
    module = to_torch(task.graph, task.net.arrays(), fold=fold)
    module.to(memory_format=_LAYOUTS[layout]).requires_grad_(False)
    x = torch.from_numpy(task.x).to(memory_format=_LAYOUTS[layout])
    label = f"{layout}, folded" if fold else layout
    if compiled:
        module, label = torch.compile(module, dynamic=False, options={"freezing": True}), f"{label}, compiled"

    def run() -> Any:
        with torch.inference_mode():
            return module(x)

    return Form(label, run, lambda: {"y": run().numpy()})


def _training(task: Training, layout: str, *, compiled: bool) -> Form:
    plain = to_torch(task.graph, task.net.arrays()).to(memory_format=_LAYOUTS[layout])
    module = torch.compile(plain, dynamic=False) if compiled else plain
    x = torch.from_numpy(task.x).to(memory_format=_LAYOUTS[layout])
    y = torch.from_numpy(task.y)
    optimizer = torch.optim.SGD(plain.parameters(), LEARNING_RATE, momentum=MOMENTUM, fused=True)
    backward = _backward(module, x, y, optimizer)

    def step() -> None:
        backward()
        optimizer.step()

    def results() -> dict[str, Array]:
        loss = backward()
        parameters = dict(plain.named_parameters())
        slopes = {name: parameters[parameter_name(name)].grad for name, _ in task.net.named_parameters()}
        return {"loss": loss.detach().numpy(), **{name: slope.numpy() for name, slope in slopes.items()}}

    return Form(f"{layout}, compiled" if compiled else layout, step, results)


def _backward(module: Any, x: Any, y: Any, optimizer: Any) -> Callable[[], Any]:
    def run() -> Any:
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(module(x), y)
        loss.backward()
        return loss

    return run


def _convolution(task: Convolution, layout: str) -> Form:
    shape = task.shape
    arrays = task.x, task.weight, task.bias, task.dy
    x, weight, bias, dy = (
        tensor.to(memory_format=_LAYOUTS[layout]) if tensor.ndim == 4 else tensor
        for tensor in map(torch.from_numpy, arrays)
    )
    stride, pad, one, none = [shape.stride] * 2, [shape.pad] * 2, [1, 1], [0, 0]

    def forward() -> Any:
        return F.conv2d(x, weight, bias, stride, pad, one, shape.group)

    def backward() -> Any:
        mask = [task.direction == "dgrad", task.direction == "wgrad", False]
        settings = (None, stride, pad, one, False, none, shape.group, mask)
        return torch.ops.aten.convolution_backward(dy, x, weight, *settings)[mask.index(True)]

    name, compute = {"fwd": ("y", forward), "dgrad": ("dx", backward), "wgrad": ("dw", backward)}[task.direction]

    def run() -> Any:
        with torch.inference_mode():
            return compute()

    return Form(layout, run, lambda: {name: run().numpy()})
