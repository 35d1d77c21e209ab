"""The patches of a data set that excite a channel most: what a unit answers to, shown by pictures, not guessed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.analysis.fields import WHOLE, fields
from pellucid.analysis.receptive_field import Box, input_box, plane_axes
from pellucid.errors import DataError, ParameterError
from pellucid.explain.inputs import mixes_images
from pellucid.explain.maps import chosen_channels, in_channels
from pellucid.graph import Graph, Plan, Value
from pellucid.nn import Module
from pellucid.nn.settings import is_integer
from pellucid.types import Array, Pair

if TYPE_CHECKING:
    from pellucid.data import Dataset


@dataclass(frozen=True, slots=True)
class Patch:
    """One cell of a channel and what it sees: ``index`` counts the data set's images, ``label`` is the image's class.

    ``place`` is (row, column) of the cell, None in a layer without places. ``box`` is (y0, x0, y1, x1) of the pixels
    behind the cell, ends excluded; ``frame`` is the same with what hangs over the image's border, at most as high and
    as wide as the image.
    """

    channel: int
    value: float
    index: int
    label: str
    place: Pair | None
    box: Box
    frame: Box

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self) | {
            "place": self.place and list(self.place),
            "box": list(self.box),
            "frame": list(self.frame),
        }


def exciting_patches(
    net: Module,
    dataset: Dataset,
    layer: str,
    channels: Sequence[int] | None = None,
    top: int = 9,
    *,
    batch_size: int = 64,
    progress: Callable[[int, int], None] | None = None,
) -> dict[int, list[Patch]]:
    """Find, for channels of a layer, the cells with the largest values on a data set, at most one of each image.

    Images pass in batches and only the best cells are kept. Of equal values the one of the earlier image comes first,
    and in an image the first in reading order. A network that normalises by the statistics of what it is given gets
    one image at a time, as in a trace.

    Parameters
    ----------
    net
        A network of one input, used as after training.
    dataset
        Images that fit it.
    layer
        Its name: a layer of maps or of numbers.
    channels
        By default all of the layer's.
    top
        Patches of each channel; fewer where the data set has fewer images.
    batch_size
        Images computed at once.
    progress
        Called with the number of images done, and of all.

    Raises
    ------
    ParameterError
        If there is no such layer or channel, or ``top`` or ``batch_size`` is no whole number of at least 1.
    ShapeError
        If the images do not fit the network.
    DataError
        If a value is NaN or infinite.

    Examples
    --------
    >>> import pellucid as pel
    >>> from pellucid.data import Dataset
    >>> images = np.zeros((3, 1, 4, 4), np.float32)
    >>> images[1, 0, 2, 3] = 5
    >>> net = pel.nn.Sequential({"pool": pel.nn.MaxPool2d(2)})
    >>> (best,) = exciting_patches(net, Dataset.from_arrays(images, [0, 1, 0]), "pool", top=1)[0]
    >>> best.index, best.label, best.place, best.box
    (1, '1', (1, 1), (2, 2, 4, 4))
    """
    for name, number in (("top", top), ("batch_size", batch_size)):
        if not is_integer(number) or number < 1:
            raise ParameterError(
                f"The '{name}' parameter of exciting_patches must be a whole number of at least 1; got {number!r}."
            )
    best, done, chosen = None, 0, tuple[int, ...]()
    for values in _results(net, dataset, layer, batch_size):
        chosen = chosen or chosen_channels(layer, values.shape[1], channels)
        if not np.isfinite(values).all():
            raise DataError(f"The results of '{layer}' must be finite; got NaN or infinity; train the network anew.")
        found = _Best.of(values[:, list(chosen)], done)
        best = (found if best is None else best.joined(found)).first(top)
        done += len(values)
        if progress is not None:
            progress(done, len(dataset))
    assert best is not None  # a data set has images
    return _patches(net, dataset, layer, chosen, best)


@dataclass(frozen=True, slots=True)
class _Best:
    """Cells of C channels: values, indices of images, and places in reading order, each (C, K)."""

    values: Array
    indices: Array
    places: Array

    @classmethod
    def of(cls, values: Array, first: int) -> _Best:
        """Take the largest cell of each image, (N, C, …); the first image's index is ``first``."""
        count, channels = values.shape[:2]
        flat = values.reshape(count, channels, -1)
        places = flat.argmax(axis=2)
        largest = np.take_along_axis(flat, places[:, :, None], 2)[:, :, 0]
        indices = np.broadcast_to(np.arange(first, first + count), (channels, count))
        return cls(largest.T, indices, places.T)

    def joined(self, later: _Best) -> _Best:
        """Put cells of later images behind these."""
        pairs = ((self.values, later.values), (self.indices, later.indices), (self.places, later.places))
        return _Best(*(np.concatenate(pair, axis=1) for pair in pairs))

    def first(self, count: int) -> _Best:
        """Keep the largest of each channel, in order; equal ones in the images' order."""
        order = np.argsort(-self.values, axis=1, kind="stable")[:, :count]
        return _Best(*(np.take_along_axis(part, order, 1) for part in (self.values, self.indices, self.places)))


def _graph(net: Module, dataset: Dataset, count: int) -> Graph:
    with net.evaluating():
        return net.graph((count, *dataset.images.shape[1:]))


def _results(net: Module, dataset: Dataset, layer: str, batch_size: int) -> Iterator[Array]:
    """Yield the layer's results on the images, batch by batch, channels first; nothing else is computed."""
    plan: Plan | None = None
    arrays, size = net.arrays(), 0
    if mixes_images(_graph(net, dataset, 1)):
        batch_size = 1  # else a value would depend on the images beside its own
    for start in range(0, len(dataset), batch_size):
        inputs = dataset.inputs(slice(start, start + batch_size))
        if plan is None or size != len(inputs):  # the last batch may be smaller
            size = len(inputs)
            graph = _graph(net, dataset, size)
            x, value = next(iter(graph.inputs.values())), graph.layer(layer)
            graph.outputs, graph.updates = {"value": value}, {}
            plan = Plan(graph)
        yield in_channels(graph, value, plan.run({**arrays, x.name: inputs.astype(x.dtype)}, 0)[value.name])


def _patches(
    net: Module, dataset: Dataset, layer: str, channels: tuple[int, ...], best: _Best
) -> dict[int, list[Patch]]:
    graph = _graph(net, dataset, 1)
    value, image = graph.layer(layer), dataset.images.shape[2:]
    boxes = dict[int, tuple[Pair | None, Box, Box]]()
    found = dict[int, list[Patch]]()
    for row, channel in enumerate(channels):
        found[channel] = []
        columns = (part[row].tolist() for part in (best.values, best.indices, best.places))
        for number, index, flat in zip(*columns, strict=True):
            if flat not in boxes:
                boxes[flat] = _boxes(graph, value, flat, image)
            label = dataset.classes[dataset.labels[index]]
            found[channel].append(Patch(channel, number, index, label, *boxes[flat]))
    return found


def _boxes(graph: Graph, value: Value, flat: int, image: Pair) -> tuple[Pair | None, Box, Box]:
    """Return place, box and frame of a cell, counted in reading order."""
    whole, axes = (0, 0, *image), plane_axes(graph).get(value.name)
    if axes is None:
        return None, whole, whole
    place = divmod(flat, value.shape[axes[1]])
    box = input_box(graph, value, *place)
    reaches = fields(graph).get(value.name, WHOLE).reaches
    if reaches is None:
        return place, box, whole
    spans = [
        _span(float(reach.centre + cell * reach.jump), float(reach.size), extent, (box[axis], box[axis + 2]))
        for axis, (reach, cell, extent) in enumerate(zip(reaches, place, image, strict=True))
    ]
    return place, box, (spans[0][0], spans[1][0], spans[0][1], spans[1][1])


def _span(centre: float, size: float, extent: int, box: Pair) -> Pair:
    """Return first and last pixel, the end excluded, of a field along an axis, border included."""
    first, last = math.floor(centre - (size - 1) / 2), math.ceil(centre + (size - 1) / 2) + 1
    if last - first >= extent:
        return 0, extent
    first, last = min(first, box[0]), max(last, box[1])  # borders that repeat the image lead back into it
    return (first, last) if last - first <= extent else (0, extent)
