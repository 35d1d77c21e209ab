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
    from pellucid.explain.attribution.attribute import attribute
    from pellucid.explain.dreams.dream import dream
    from pellucid.explain.kernels import gallery
    from pellucid.explain.kernels.describe import describe
    from pellucid.explain.shifts.shift import shift
    from pellucid.explain.trace import trace
    from pellucid.interop.native import load, save
    from pellucid.interop.pretrained import pretrained
    from pellucid.studio import widgets
    from pellucid.train import optim
    from pellucid.train.fit import fit
    from pellucid.train.gradients import value_and_grad

__version__ = "0.1.0"

_LAZY = {
    "attribute": ("pellucid.explain.attribution.attribute", "attribute"),
    "datasets": ("pellucid.data.registry", None),
    "describe": ("pellucid.explain.kernels.describe", "describe"),
    "dream": ("pellucid.explain.dreams.dream", "dream"),
    "fit": ("pellucid.train.fit", "fit"),
    "gallery": ("pellucid.explain.kernels.gallery", None),
    "load": ("pellucid.interop.native", "load"),
    "optim": ("pellucid.train.optim", None),
    "pretrained": ("pellucid.interop.pretrained", "pretrained"),
    "save": ("pellucid.interop.native", "save"),
    "shift": ("pellucid.explain.shifts.shift", "shift"),
    "summary": ("pellucid.analysis.summary", "summary"),
    "trace": ("pellucid.explain.trace", "trace"),
    "value_and_grad": ("pellucid.train.gradients", "value_and_grad"),
    "widgets": ("pellucid.studio.widgets", None),
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
    "attribute",
    "conv2d",
    "datasets",
    "describe",
    "dream",
    "filter2d",
    "fit",
    "gallery",
    "load",
    "losses",
    "manual_seed",
    "nn",
    "optim",
    "precision",
    "pretrained",
    "save",
    "selection",
    "set_precision",
    "set_selection",
    "set_threads",
    "shift",
    "summary",
    "trace",
    "value_and_grad",
    "widgets",
    "zoo",
]
