"""Networks that this project trained and ships, so that there is something to look into without any download."""

from pathlib import Path

from pellucid.errors import ParameterError, nearest
from pellucid.interop.native import load
from pellucid.nn import Module

PRETRAINED = ("digits", "fashion")
"""``pooled28`` on MNIST and on Fashion-MNIST: tools/make_pretrained.py trains them."""

_FOLDER = Path(__file__).parent / "weights"


def pretrained(name: str) -> Module:
    """Return a trained network: "digits" (MNIST) or "fashion" (Fashion-MNIST), both of 1×28×28 pixels.

    It is in evaluation mode; its metadata name its classes and how a picture becomes its input. Raises ParameterError
    where there is none of that name.

    >>> net = pretrained("digits")
    >>> net.metadata["classes"][:3], net.metadata["input"]
    (['0', '1', '2'], [1, 28, 28])
    """
    if name not in PRETRAINED:
        raise ParameterError(f"There is no trained network {name!r}; {nearest(name, PRETRAINED)}.")
    return load(_FOLDER / f"{name}.safetensors")
