"""First weights of networks that were built with :func:`pellucid.nn.random.skip_init`: all biases stay zero."""

import math

from pellucid.nn import Conv2d, Linear, Module, random


def he(net: Module, *, fan: str = "out", dense: float | None = None) -> None:
    """Draw kernels from N(0, 2/fan), the fan being that of a kernel's outputs or inputs (He et al. 2015).

    Dense weights come from N(0, dense²), or as PyTorch's from U(−1/√inputs, 1/√inputs).
    """
    for layer in net.modules():
        if isinstance(layer, Conv2d):
            outputs, inputs, *kernel = layer.weight.shape
            values = math.prod(kernel) * (outputs if fan == "out" else inputs)
            layer.weight.data = random.normal(layer.weight.shape, math.sqrt(2 / values))
        elif isinstance(layer, Linear):
            shape = layer.weight.shape
            layer.weight.data = (
                random.uniform(shape, 1 / math.sqrt(shape[1])) if dense is None else random.normal(shape, dense)
            )


def normal(net: Module, std: float) -> None:
    """Draw all kernels and dense weights from N(0, std²)."""
    for layer in net.modules():
        if isinstance(layer, Conv2d | Linear):
            layer.weight.data = random.normal(layer.weight.shape, std)
