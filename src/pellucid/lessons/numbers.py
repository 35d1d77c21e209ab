"""The numbers of the prose: written as what they are computed from, so that none can be wrong.

``{parameters 3 10 5}`` in a text becomes "760". A call is a name and its arguments, ``name=value`` where they are
optional; ``over`` between two calls gives the ratio of their results.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache
from itertools import count

import numpy as np

from pellucid import nn, zoo
from pellucid.analysis.alternatives import dense as dense_layer
from pellucid.analysis.compare import convolutions
from pellucid.analysis.counting import Counting
from pellucid.analysis.summary import Summary, percent, summary
from pellucid.errors import ParameterError, nearest
from pellucid.explain.kernels.gallery import kernel
from pellucid.explain.numbers import number
from pellucid.geometry import Axis
from pellucid.lessons.figures.convolve import PICTURES
from pellucid.nn import functional
from pellucid.nn.random import skip_init

_CALL = re.compile(r"\{([^{}]+)\}")
_EXACT = 3
"""Digits of a ratio that is no whole number."""


def filled(text: str) -> str:
    """Put the numbers into a text. Raises ParameterError where a call is wrong.

    >>> filled("{parameters 3 10 5} weights, {parameters 64 64 3 bias=0 over parameters 64 64 3 bias=0 groups=4} ×")
    '760 weights, 4 ×'
    """
    return _CALL.sub(lambda found: computed(found[1]), text)


@cache
def computed(call: str) -> str:
    """Compute one call, such as "size 28 3 padding=1"."""
    parts = [_value(part.split()) for part in call.split(" over ")]
    if len(parts) == 1:
        return parts[0] if isinstance(parts[0], str) else written(parts[0])
    above, below = parts
    assert not isinstance(above, str)
    assert not isinstance(below, str)
    return written(above / below)


def written(value: float) -> str:
    """Write a number as prose does: thousands apart, ratios in three digits.

    >>> written(68294.416), written(8.4216), written(-3.0), written(288)
    ('68,294', '8.42', '−3', '288')
    """
    if float(value).is_integer() or abs(value) >= 100:
        return f"{round(value):,}".replace("-", "−")
    return number(value, _EXACT)


def _value(words: list[str]) -> float | str:
    name, *given = words
    if name not in NUMBERS:
        raise ParameterError(f"There is no number '{name}' for the prose; {nearest(name, NUMBERS)}.")
    plain = [_argument(word) for word in given if "=" not in word]
    named = dict(word.split("=", 1) for word in given if "=" in word)
    return NUMBERS[name](*plain, **{key: _argument(value) for key, value in named.items()})


def _argument(word: str) -> int | str:
    return int(word) if re.fullmatch(r"-?\d+", word) else word


def _size(size: int, kernel: int, padding: int = 0, stride: int = 1, dilation: int = 1) -> int:
    return Axis(kernel, stride, padding, padding, dilation).output_size(size)


def _uncovered(size: int, kernel: int, padding: int = 0, stride: int = 1) -> int:
    return Axis(kernel, stride, padding, padding).uncovered(size)


def _conv(before: int, after: int, kernel: int, groups: int, bias: int, stride: int = 1) -> nn.Module:
    with skip_init():
        return nn.Conv2d(before, after, kernel, stride, kernel // 2, groups=groups, bias=bool(bias))


def _parameters(before: int, after: int, kernel: int, groups: int = 1, bias: int = 1) -> int:
    return summary(_conv(before, after, kernel, groups, bias), (before, 9, 9)).parameters


def _macs(before: int, after: int, kernel: int, side: int, stride: int = 1, groups: int = 1) -> int:
    return summary(_conv(before, after, kernel, groups, 0, stride), (before, side, side)).macs


def _flops(before: int, after: int, kernel: int, side: int) -> int:
    return summary(_conv(before, after, kernel, 1, 0), (before, side, side), counting=Counting("flops")).operations


def _dense(inputs: int, units: int, bias: int = 0) -> int:
    return dense_layer("dense", "", (inputs,), units, bool(bias)).found.parameters


def _bottleneck(wide: int, narrow: int) -> int:
    return _parameters(wide, narrow, 1) + _parameters(narrow, narrow, 3) + _parameters(narrow, wide, 1)


def _separable(channels: int, kernel: int) -> int:
    return convolutions(channels, channels, kernel, 9, 9)["depthwise-separable"].parameters


def _field(*layers: int | str) -> int:
    """Return the field of layers such as 3 (a kernel), "3/2" (with a stride) or "3@2" (with a dilation)."""
    parsed = [re.fullmatch(r"(\d+)(?:/(\d+))?(?:@(\d+))?", str(layer)) for layer in layers]
    convs = [nn.Conv2d(1, 1, int(p[1]), int(p[2] or 1), dilation=int(p[3] or 1)) for p in parsed if p]
    side = 1 + sum(int(p[1]) * int(p[3] or 1) for p in parsed if p) * math.prod(int(p[2] or 1) for p in parsed if p)
    last = summary(nn.Sequential(*convs), (1, side, side)).layers[-1].field
    assert last is not None
    assert last.size is not None
    return int(last.size[0])


def _layers_to_see(pixels: int, kernel: int = 3) -> int:
    """Return how many layers of stride 1 it takes until a cell sees so many pixels."""
    return next(layers for layers in count(1) if 1 + layers * (Axis(kernel).extent - 1) >= pixels)


@cache
def _network(name: str) -> Summary:
    with skip_init():
        return summary(zoo.build(name), zoo.usual_input(name))


def _of_network(name: str) -> int:
    return _network(name).parameters


def _share(name: str, kind: str) -> str:
    found = _network(name)
    return percent(found.kinds()[kind][0], found.parameters)


def _of_kind(name: str, kind: str) -> int:
    return _network(name).kinds()[kind][0]


def _shape(name: str, layer: str) -> str:
    found = next(one for one in _network(name).layers if one.name == layer)
    return "×".join(map(str, found.output))


def _answer(picture: str, name: str, y: int, x: int) -> float:
    """Return a cell of a picture's map."""
    return float(functional.conv2d(PICTURES[picture], kernel(name).astype(np.float32))[y, x])


def _turned(picture: str, name: str, y: int, x: int) -> float:
    """Return a cell of a picture's map under the kernel turned by 180°: the convolution of mathematics."""
    return float(functional.conv2d(PICTURES[picture], kernel(name).astype(np.float32), flip=True)[y, x])


def _pooled(picture: str, name: str, y: int, x: int) -> float:
    map_ = functional.relu(functional.conv2d(PICTURES[picture], kernel(name).astype(np.float32)))
    return float(functional.max_pool2d(map_[None, None], 2)[0, 0, y, x])


def _probability(chosen: int, *scores: int) -> str:
    shares = functional.softmax(np.array([scores], np.float32), 1)[0]
    return f"{100 * shares[chosen]:.0f} %"


def _loss(chosen: int, *scores: int) -> float:
    return float(nn.losses.cross_entropy(np.array([scores], np.float32), np.array([chosen])))


def _product(*factors: int) -> int:
    return math.prod(factors)


NUMBERS: dict[str, Callable[..., float | str]] = {
    "answer": _answer,
    "bottleneck": _bottleneck,
    "dense": _dense,
    "field": _field,
    "flops": _flops,
    "kind": _of_kind,
    "layers-to-see": _layers_to_see,
    "loss": _loss,
    "macs": _macs,
    "network": _of_network,
    "parameters": _parameters,
    "pooled": _pooled,
    "probability": _probability,
    "product": _product,
    "separable": _separable,
    "shape": _shape,
    "share": _share,
    "size": _size,
    "turned": _turned,
    "uncovered": _uncovered,
}
"""What may be called."""
