"""Convolutional networks you can see through: computed, accounted for and shown.

>>> import pellucid as pel
>>> net = pel.zoo.build("pooled28")
>>> sum(parameter.data.size for parameter in net.parameters())
430890
"""

from typing import TYPE_CHECKING, Any

from pellucid import nn, zoo
from pellucid.errors import DataError, FileError, ParameterError, PellucidError, ShapeError, TrainingError
from pellucid.kernels.threads import set_threads
from pellucid.nn import losses, manual_seed
from pellucid.nn.filters import filter2d
from pellucid.nn.functional import conv2d
from pellucid.ops.modes import precision, selection, set_precision, set_selection

if TYPE_CHECKING:
    from pellucid.analysis.summary import summary
    from pellucid.data import registry as datasets
    from pellucid.explain.trace import trace
    from pellucid.interop.native import load, save
    from pellucid.train import optim
    from pellucid.train.fit import fit
    from pellucid.train.gradients import value_and_grad

__version__ = "0.1.0"

_LAZY = {
    "datasets": ("pellucid.data.registry", None),
    "fit": ("pellucid.train.fit", "fit"),
    "load": ("pellucid.interop.native", "load"),
    "optim": ("pellucid.train.optim", None),
    "save": ("pellucid.interop.native", "save"),
    "summary": ("pellucid.analysis.summary", "summary"),
    "trace": ("pellucid.explain.trace", "trace"),
    "value_and_grad": ("pellucid.train.gradients", "value_and_grad"),
}
"""Names that are imported when first used, so that ``import pellucid`` stays light."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'pellucid' has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _LAZY[name]
    found = import_module(module)
    globals()[name] = found = found if attribute is None else getattr(found, attribute)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})


__all__ = [
    "DataError",
    "FileError",
    "ParameterError",
    "PellucidError",
    "ShapeError",
    "TrainingError",
    "conv2d",
    "datasets",
    "filter2d",
    "fit",
    "load",
    "losses",
    "manual_seed",
    "nn",
    "optim",
    "precision",
    "save",
    "selection",
    "set_precision",
    "set_selection",
    "set_threads",
    "summary",
    "trace",
    "value_and_grad",
    "zoo",
]
