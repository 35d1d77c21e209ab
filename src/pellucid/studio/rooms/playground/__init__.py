"""Answers of the playground: maps of a drawing, a cell's arithmetic, what a pixel reaches, kernels and their names."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from pellucid import nn
from pellucid.analysis.receptive_field import border_source
from pellucid.data import registry
from pellucid.errors import PellucidError
from pellucid.explain.kernels.describe import is_balanced
from pellucid.explain.kernels.gallery import read_kernel
from pellucid.explain.trace import Trace, trace
from pellucid.geometry import Axis, TransposedAxis, Window, named_padding
from pellucid.nn.random import skip_init
from pellucid.studio.messages import playground as messages
from pellucid.studio.messages.base import Nothing
from pellucid.studio.rooms.playground.filtering import drawing_of, maps_together
from pellucid.studio.rooms.playground.naming import named
from pellucid.studio.tensors import to_kernel, to_tensor
from pellucid.types import Array

if TYPE_CHECKING:
    from pellucid.studio.studio import Studio

SHOWN = (
    "vertical-edge",
    "horizontal-edge",
    "diagonal-edge",
    "antidiagonal-edge",
    "sobel-x",
    "sobel-y",
    "prewitt-x",
    "prewitt-y",
    "scharr-x",
    "scharr-y",
    "vertical-line",
    "horizontal-line",
    "laplacian",
    "laplacian-diagonal",
    "log:size=7",
    "blob",
    "gabor:size=7",
    "gabor:size=7,angle=45",
    "gabor:size=7,angle=90",
    "gabor:size=7,angle=135",
    "gaussian-derivative:size=5",
    "sharpen",
    "sharpen-diagonal",
    "unsharp",
    "emboss",
    "identity",
    "box-blur",
    "gaussian-blur",
    "motion-blur:size=5",
)
"""Kernels of the gallery that a person may lay beside a drawing, as `read_kernel` reads them."""


def maps(asked: messages.PlaygroundMapsAsked, studio: "Studio") -> messages.PlaygroundMaps:
    """Filter the drawing by all kernels, those of one size at once."""
    [told] = maps_together([asked], studio)
    if isinstance(told, PellucidError):
        raise told
    return told


def cell(asked: messages.PlaygroundCellAsked, studio: "Studio") -> messages.PlaygroundCell:
    """Take one cell of a map apart."""
    drawing, kernel = drawing_of(asked.drawing), to_kernel(asked.kernel)
    found = _trace(drawing, kernel, asked.border, asked.flip).cell("conv", 0, asked.y, asked.x)
    _, rows, columns = found.operands[0].where
    window = _window(kernel.shape)
    return messages.PlaygroundCell(
        patch=to_tensor(found.patch[0]),
        weights=to_tensor(found.weights[0]),
        products=to_tensor(found.products[0]),
        top=window.rows.inputs(asked.y)[0],
        left=window.columns.inputs(asked.x)[0],
        rows=rows.ravel().tolist(),
        columns=columns.ravel().tolist(),
        value=found.value,
        explained=found.explained,
        bound=found.bound,
    )


def reach(asked: messages.PlaygroundReachAsked, studio: "Studio") -> messages.PlaygroundReach:
    """Find the cells that read a pixel, for kernels of several sizes."""
    windows = [_window(size) for size in asked.kernels]
    return messages.PlaygroundReach(
        maps=[
            messages.PlaygroundReached(
                rows=_readers(window.rows, asked.y, asked.height, asked.border),
                columns=_readers(window.columns, asked.x, asked.width, asked.border),
            )
            for window in windows
        ]
    )


def kernel(asked: messages.PlaygroundKernelAsked, studio: "Studio") -> messages.PlaygroundKernel:
    """Name a kernel, or say what it does."""
    return named(to_kernel(asked.kernel))


@cache
def _gallery() -> messages.PlaygroundGallery:
    return messages.PlaygroundGallery(
        kernels=[
            messages.PlaygroundExhibit(name=text.partition(":")[0], text=text, kernel=to_tensor(_shown(text)))
            for text in SHOWN
        ]
    )


def _shown(text: str) -> Array:
    """Return a kernel of the gallery; of formulas for edges and lines, whose strength is arbitrary, 1 is the largest.

    Hundredths of it are enough, and can be read.
    """
    values = read_kernel(text)
    is_formula = ":" in text and is_balanced(values)
    return (values / abs(values).max()).round(2) if is_formula else values


def gallery(asked: Nothing, studio: "Studio") -> messages.PlaygroundGallery:
    """List the kernels that may be added."""
    return _gallery()


def picture(asked: messages.PlaygroundPictureAsked, studio: "Studio") -> messages.PlaygroundPicture:
    """Reduce a picture to the grid: its middle, grey, each cell the mean of what it covers."""
    from PIL import Image, ImageOps

    from pellucid.data.images import as_bytes, from_array
    from pellucid.studio.pictures import pixels

    grey = from_array(as_bytes(pixels(asked.picture, studio))).convert("L")
    small = ImageOps.fit(grey, (asked.size, asked.size), Image.Resampling.BOX)
    return messages.PlaygroundPicture(drawing=to_tensor(np.asarray(small, np.float32) / 255))


def samples(asked: Nothing, studio: "Studio") -> messages.PlaygroundSamples:
    """List the data sets whose pictures may be drawn."""
    return messages.PlaygroundSamples(data={name: registry.info(name).test for name in registry.at_hand()})


def _trace(drawing: Array, kernel: Array, border: str, flip: bool) -> Trace:
    """Record the convolution of a drawing by one kernel."""
    with skip_init():
        conv = nn.Conv2d(1, 1, kernel.shape, padding="same", bias=False, padding_mode=border)
    conv.op = replace(conv.op, flip=flip)
    net = nn.Sequential({"conv": conv})
    net.load_state_dict({"conv.weight": kernel[None, None]})
    return trace(net, drawing[None])


def _window(kernel: Sequence[int]) -> Window:
    """Return where a kernel's windows lie if the map is as large as the drawing."""
    size = (kernel[0], kernel[1])
    return Window.of(size, padding=named_padding("same", size, (1, 1), (1, 1)))


def _readers(axis: Axis | TransposedAxis, place: int, size: int, border: str) -> list[int]:
    """Return the rows of a map whose windows read a row of the drawing; or the columns."""
    return [at for at in range(size) if any(border_source(one, size, border) == place for one in axis.inputs(at))]
