"""The works by name: ``train/NET/bN``, ``infer/NET/bN``, ``conv/fwd|dgrad|wgrad/SHAPE``, ``filter/…``, ``memory/…``."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from pellucid import zoo
from pellucid.bench import conv_shapes
from pellucid.bench.conv_shapes import ConvShape
from pellucid.bench.tasks import Convolution, Filter, Inference, Task, Training
from pellucid.errors import ParameterError

MEMORY = "memory/train/pooled28/b128"

_ASKED = (
    "train/pooled28/b64",
    *(f"infer/pooled28/b{batch}" for batch in (1, 64, 256)),
    *(f"infer/{net}/b{batch}" for net in ("vgg16", "resnet18", "resnet50", "mobilenet-v2") for batch in (1, 8)),
)
_MORE = (
    "train/lenet5/b64",
    *(f"train/{net}/b8" for net in ("vgg16", "resnet18", "resnet50", "mobilenet-v2")),
    *(f"infer/lenet5/b{batch}" for batch in (1, 64)),
)
_KERNELS = ("3x3", "5x5", "7x7", "7x7gauss")
_COLOURS = {"grey": 1, "rgb": 3}
_DTYPES = ("uint8", "float32")
_FORMS = (
    "train/NET/bN, infer/NET/bN, conv/fwd|dgrad|wgrad/SHAPE, filter/3x3|5x5|7x7|7x7gauss/grey|rgb/uint8|float32, "
    + MEMORY
)


@dataclass(frozen=True)
class Work:
    """A work's name, and how its task is made; None where whole processes are measured, for memory."""

    name: str
    task: Callable[[], Task] | None


def find(name: str) -> Work:
    """Find a work by its name, which need not be among those listed: any network, batch or shape will do.

    Raises ParameterError where it names none.

    >>> find("conv/fwd/n1c8h9w9k8r3s3").name
    'conv/fwd/n1c8h9w9k8r3s3'
    """
    kind, *rest = name.split("/")
    if name == MEMORY:
        return Work(name, None)
    if kind in ("train", "infer") and len(rest) == 2 and re.fullmatch(r"b[1-9]\d{0,5}", rest[1]):
        net, batch = rest[0], int(rest[1][1:])
        zoo.usual_input(net)  # refuses a network that there is not
        return Work(name, lambda: (Training if kind == "train" else Inference)(net, batch))
    if kind == "conv" and len(rest) in (2, 3) and rest[0] in Convolution.directions:
        shape = ConvShape.parse(rest[-1])
        return Work(name, lambda: Convolution(rest[0], shape))
    if kind == "filter" and len(rest) == 3 and rest[0] in _KERNELS and rest[1] in _COLOURS and rest[2] in _DTYPES:
        size, gauss, channels = int(rest[0][0]), rest[0].endswith("gauss"), _COLOURS[rest[1]]
        return Work(name, lambda: Filter(size, gauss, channels, rest[2]))
    raise ParameterError(f"The name of a work must be like {_FORMS}; got {name!r}.")


def asked() -> list[str]:
    """Names of the works that are measured when none are chosen."""
    convolutions = [
        f"conv/{direction}/{net}/{shape}" for direction in Convolution.directions for net, shape in conv_shapes.listed()
    ]
    filters = [f"filter/{kernel}/{colour}/{dtype}" for kernel in _KERNELS for colour in _COLOURS for dtype in _DTYPES]
    return [*_ASKED, *convolutions, *filters, MEMORY]


def listed() -> list[str]:
    """Names of all works that patterns are matched with."""
    return [*_MORE, *asked()]


def choose(patterns: Sequence[str] = ()) -> list[Work]:
    """Find the works that names or patterns such as "infer/*/b1" mean, each once; without any, those asked.

    Raises ParameterError where a pattern matches nothing.

    >>> [work.name for work in choose(["train/p*", "infer/tiny/b2"])]
    ['train/pooled28/b64', 'infer/tiny/b2']
    """
    names: dict[str, None] = {} if patterns else dict.fromkeys(asked())
    for pattern in patterns:
        found = [name for name in listed() if fnmatchcase(name, pattern)]
        if not found and re.search(r"[*?\[]", pattern):
            raise ParameterError(f"No work's name matches {pattern!r}; names are {_FORMS}.")
        names |= dict.fromkeys(found or [pattern])
    return [find(name) for name in names]
