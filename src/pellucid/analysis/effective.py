"""The effective receptive field: how much each pixel really moves a cell, measured by gradients.

The theoretical field says which pixels a cell may depend on; the effective one, how strongly it does. Towards the
border of the theoretical field few ways lead from a pixel to the cell, so the effective field is far smaller and
looks like a Gaussian (Luo et al. 2016, arXiv:1701.04128).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.analysis.fields import WHOLE, Field, fields
from pellucid.analysis.gradients import Differentiable
from pellucid.analysis.receptive_field import Box, input_box, plane_axes
from pellucid.errors import DataError, ParameterError, ShapeError
from pellucid.graph import Graph, Value
from pellucid.nn import Module
from pellucid.ops.modes import PRECISION
from pellucid.types import Array, Pair, Shape

SHARE = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class EffectiveField:
    """What moves a cell: ``map`` (H, W) is the mean absolute gradient of the cell by each pixel.

    ``cell`` is (row, column) of the layer, None for a layer without rows and columns; ``size`` that of the theoretical
    field in rows and columns, padding included, None where it is the whole image, and ``box`` what of it lies on the
    image; ``centre`` its middle, in pixels; ``side`` that of the square about the centre that holds 95 % of the
    gradient, 0 where there is none.
    """

    layer: str
    cell: Pair | None
    map: Array
    size: tuple[float, float] | None
    box: Box
    centre: tuple[float, float]
    side: int

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values, without the map."""
        return {
            "layer": self.layer,
            "cell": None if self.cell is None else list(self.cell),
            "image": list(self.map.shape),
            "size": self.size and list(self.size),
            "box": list(self.box),
            "centre": list(self.centre),
            "share": SHARE,
            "side": self.side,
        }


def effective_field(
    net: Module, images: Array, layer: str | None = None, cell: Pair | None = None, seed: int = 0
) -> EffectiveField:
    """Measure the effective field of a cell of a layer on images.

    The gradient is taken, for each image, of the cell's channels summed with random signs: in a plain sum, channels
    that answer to opposite things would cancel, always the same ones. The gradient's magnitudes are then summed over
    the image's channels and averaged over the images.

    Parameters
    ----------
    net
        A network of one input; it is used as after training.
    images
        float (N, C, H, W).
    layer
        Its name, as in the summary; by default the last one that does not see the whole image.
    cell
        (row, column); by default the middle one.
    seed
        Of the signs.

    Raises
    ------
    ShapeError
        If the images are not (N, C, H, W) or do not fit the network.
    DataError
        If there is no image, or the gradient is NaN or infinite.
    ParameterError
        If there is no such layer or cell.

    Examples
    --------
    >>> import pellucid.nn as nn
    >>> net = nn.Conv2d(1, 1, 3, padding=1)
    >>> net.load_state_dict({"weight": [[[[1, 2, 1], [2, 4, 2], [1, 2, 1]]]], "bias": [0]})
    >>> found = effective_field(net, np.zeros((1, 1, 5, 5), np.float32))
    >>> found.map.astype(int).tolist()
    [[0, 0, 0, 0, 0], [0, 1, 2, 1, 0], [0, 2, 4, 2, 0], [0, 1, 2, 1, 0], [0, 0, 0, 0, 0]]
    >>> found.box, found.side
    ((1, 1, 4, 4), 3)
    """
    images = np.asarray(images)
    if images.ndim != 4:
        raise ShapeError(f"An effective field needs images (N, C, H, W); got an array of shape {images.shape}.")
    if not len(images):
        raise DataError("An effective field needs at least one image; got none.")
    with net.evaluating():
        graph = net.graph((1, *images.shape[1:]))
    value = _find(graph, layer)
    name = value.node.name if value.node is not None else value.name
    cell = _checked_cell(graph, value, cell)
    box = input_box(graph, value, *cell) if cell is not None else (0, 0, *images.shape[2:])
    field = fields(graph).get(value.name, WHOLE)
    size = field.size and (float(field.size[0]), float(field.size[1]))
    centre = _centre(field, cell, images.shape[2:])
    slopes = _gradients(net, value, cell, plane_axes(graph).get(value.name), images, np.random.default_rng(seed))
    return EffectiveField(name, cell, slopes, size, box, centre, _side(slopes, centre))


def _find(graph: Graph, layer: str | None) -> Value:
    """Look a layer's result up; without a name, that of the last layer that does not see all."""
    results = {node.name: node.outputs[0] for node in graph.nodes}
    if layer is None:
        found = fields(graph)
        seeing = [value for value in results.values() if value.name in found and found[value.name].reaches is not None]
        if not seeing:
            raise ParameterError("Every layer of the network sees the whole image; name one to measure.")
        return seeing[-1]
    return graph.layer(layer)


def _checked_cell(graph: Graph, value: Value, cell: Pair | None) -> Pair | None:
    axes = plane_axes(graph).get(value.name)
    if axes is None:
        if cell is not None:
            raise ParameterError(f"The layer '{value.name}' has no rows and columns, so no cell {cell}; leave it out.")
        return None
    size = value.shape[axes[0]], value.shape[axes[1]]
    cell = (size[0] // 2, size[1] // 2) if cell is None else cell
    if not all(0 <= place < extent for place, extent in zip(cell, size, strict=True)):
        raise ParameterError(
            f"The 'cell' parameter must lie in the {size[0]} × {size[1]} cells of '{value.name}'; got {cell}."
        )
    return cell


def _centre(field: Field, cell: Pair | None, image: Shape) -> tuple[float, float]:
    """Return the middle of a cell's theoretical field, in pixels; that of the image where the field is all of it."""
    if cell is None or field.reaches is None:
        return (image[0] - 1) / 2, (image[1] - 1) / 2
    rows, columns = field.reaches
    return float(rows.centre + cell[0] * rows.jump), float(columns.centre + cell[1] * columns.jump)


def _gradients(
    net: Module, value: Value, cell: Pair | None, axes: Pair | None, images: Array, generator: np.random.Generator
) -> Array:
    """Return the mean magnitude of the signed cell's gradient by each pixel, (H, W), one image after the other."""
    differentiable = Differentiable(net, images.shape[1:], value.name)
    place: list[slice | int] = [slice(None)] * value.ndim
    for axis, index in zip(axes or (), cell or (), strict=True):
        place[axis] = index
    total = np.zeros(images.shape[2:])
    for image in images:
        signs = np.zeros(value.shape, value.dtype)
        signs[tuple(place)] = generator.choice(np.array([-1, 1], value.dtype), signs[tuple(place)].shape)
        with PRECISION.during("strict"):  # what transforms round off would lie outside the field
            slopes = differentiable(image[None].astype(value.dtype), signs)
        total += abs(slopes.image[0].astype(np.float64)).sum(axis=0)
    if not np.isfinite(total).all():
        raise DataError(
            f"The gradient of '{value.name}' must be finite; got NaN or infinity; check images and weights."
        )
    return total / len(images)


def _side(slopes: Array, centre: tuple[float, float]) -> int:
    """Return the side of the smallest square about the centre that holds 95 % of the gradient."""
    rows, columns = np.indices(slopes.shape)
    reach = np.maximum(abs(rows - centre[0]), abs(columns - centre[1])).ravel()
    order = np.argsort(reach, kind="stable")
    held = slopes.ravel()[order].cumsum()
    if not held[-1] > 0:
        return 0
    needed = float(reach[order][np.searchsorted(held, SHARE * held[-1])])
    return math.ceil(2 * needed + 1)
