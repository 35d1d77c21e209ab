"""Images as a network takes them: what everything that looks into a network begins with."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.errors import DataError, ParameterError, ShapeError
from pellucid.graph import Graph
from pellucid.nn import Module
from pellucid.ops import BatchNorm
from pellucid.types import Array

if TYPE_CHECKING:
    from PIL import Image


def as_input(net: Module, image: Array | Image.Image, *, vectors: bool = False) -> Array:
    """Return a copy of an image (C, H, W), in the dtype of the network's weights, as the network takes it.

    A Pillow image is prepared as ``net.metadata["preprocessing"]`` says. With ``vectors``, a vector (K,) will do, too.

    Raises ParameterError, ShapeError or DataError where the network takes no single image, or not this one.
    """
    _check_one_input(net)
    dtype = next((parameter.reading.dtype for parameter in net.parameters()), np.dtype("float32"))
    pillow = sys.modules.get("PIL.Image")
    if pillow is not None and isinstance(image, pillow.Image):
        return _prepared(net, image).astype(dtype)
    array = _as_array(image, dtype)
    if array.dtype != dtype:
        raise ShapeError(
            f"The image must be {dtype}, as the network's weights are; got {array.dtype}; "
            f"convert it: image.astype('{dtype}')."
        )
    if array.ndim != 3 and not (vectors and array.ndim == 1):
        remedy = {2: "; add the channel: image[None]", 4: "; choose one: images[0]"}.get(array.ndim, "")
        raise ShapeError(f"The image must be one image (C, H, W); got an array of shape {array.shape}{remedy}.")
    if not np.isfinite(array).all():
        raise DataError("The pixels of the image must be finite; got NaN or infinity; replace them with np.nan_to_num.")
    return array


def mixes_images(graph: Graph) -> bool:
    """Whether the images of a batch change each other's results, by statistics that are taken of all of them."""
    return any(isinstance(node.op, BatchNorm) and node.op.training for node in graph.nodes)


def _check_one_input(net: Module) -> None:
    arguments = inspect.signature(net.forward).parameters.values()
    names = [
        each.name for each in arguments if each.default is each.empty and each.kind <= each.POSITIONAL_OR_KEYWORD
    ] or net.input_names(1)
    if len(names) > 1:
        raise ParameterError(
            f"The network must take one input, an image; got {type(net).__name__}, which takes {', '.join(names)}; "
            "wrap it in a module of one input."
        )


def _as_array(image: Any, dtype: np.dtype[Any]) -> Array:
    """Copy what NumPy takes for numbers."""
    try:
        array = np.array(image)
    except (TypeError, ValueError):
        array = np.array(None)
    if array.dtype.kind not in "biufc":
        raise ParameterError(
            f"The image must be an array of {dtype} (C, H, W), or a Pillow image; got {image!r:.60}; "
            "open a file with PIL.Image.open."
        )
    return array


def _prepared(net: Module, image: Any) -> Array:
    from pellucid.data import Preprocessing

    if "preprocessing" not in net.metadata:
        raise ParameterError(
            "The network does not say how a picture becomes its input; give the image as an array (C, H, W) in the "
            "dtype of its weights, or set net.metadata['preprocessing'] = dataset.preprocessing.as_dict()."
        )
    preprocessing = Preprocessing.from_dict(net.metadata["preprocessing"])
    return preprocessing.normalise(preprocessing.to_array(image))
