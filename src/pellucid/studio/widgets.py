"""Rooms of the studio as widgets of a notebook: the same components, answered by the notebook's own Python.

Where no widget can run (a page on GitHub, a printed notebook) a picture stands in its place. Needs the extra
``widgets``.
"""

from __future__ import annotations

import base64
import io
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import anywidget
import numpy as np
import traitlets

from pellucid.data.registry import picture
from pellucid.errors import ParameterError
from pellucid.explain.kernels import gallery
from pellucid.explain.kernels.exhibits import exhibit
from pellucid.explain.kernels.matrices import checked_picture
from pellucid.explain.numbers import number
from pellucid.explain.steps.frame import pipeline
from pellucid.interop.native import save
from pellucid.interop.target import find_network
from pellucid.studio.answers import answer
from pellucid.studio.messages.base import Message
from pellucid.studio.studio import Studio
from pellucid.studio.work import sentence
from pellucid.types import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pellucid.nn import Module

LESSON = {
    "image": [[9 if 0 < row < 5 and column in (2, 3) else 0 for column in range(6)] for row in range(6)],
    "kernel": [[1, 0, -1]] * 3,
}
"""What the stepper begins with."""
FIRST_KERNELS = ("vertical-edge", "horizontal-edge", "laplacian", "sharpen")
_WHITE = 50
"""Shades of a drawing in the page's address."""
_FEW = 32
"""Maps of a layer that the picture of a network shows."""


@cache
def _studio() -> Studio:
    """Return the studio behind all widgets of this Python."""
    return Studio(Path("runs"))


class Widget(anywidget.AnyWidget):
    """A room. ``place`` is its state as the studio's address has it."""

    _esm = Path(__file__).parent / "page" / "widget" / "widget.js"
    room = traitlets.Unicode().tag(sync=True)
    place = traitlets.Unicode().tag(sync=True)

    def __init__(self, room: str, **state: Any) -> None:
        texts = {name: _text(value) for name, value in state.items() if value is not None}
        super().__init__(room=room, place=urlencode(texts))
        self.on_msg(self._asked)

    def picture(self) -> bytes:
        """Return the picture, as PNG, that stands where no widget can run."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **settings: Any) -> Any:
        shown = super()._repr_mimebundle_(**settings)
        data = shown[0] if isinstance(shown, tuple) else shown
        if data is not None:
            data["image/png"] = self.picture()
        return shown

    def _asked(self, _: Any, content: dict[str, Any], buffers: Sequence[Any]) -> None:
        """Answer a question, or keep a file, whose bytes come beside the message."""
        which = content.get("id") if isinstance(content, dict) else None
        try:
            told: Message
            if "upload" in content:
                told = _studio().uploads.keep(str(content["upload"]), bytes(buffers[0]))
            else:
                told = answer(content["ask"], content["with"], _studio())
            self.send({"id": which, "tells": told.model_dump(mode="json")})
        except Exception as error:  # or who asked would wait for ever
            self.send({"id": which, "error": sentence(error)})


class Playground(Widget):
    """Draw, and watch kernels answer.

    ``drawing`` is a square grid of 8 to 64 numbers from 0 to 1 (a ring by default), ``kernels`` are names of the
    gallery or matrices of at most 7×7. Raises ParameterError or ShapeError where they cannot be.

    >>> Playground(kernels=["sobel-x", [[-1, 1]]]).place.partition("&kernels=")[2]
    'sobel-x%7C-1%2C1'
    """

    def __init__(self, drawing: Any = None, kernels: Sequence[Any] = FIRST_KERNELS) -> None:
        self._drawing = _ring() if drawing is None else _square(drawing)
        texts = [kernel if isinstance(kernel, str) else _text(kernel) for kernel in kernels]
        self._kernels = [(text, gallery.read_kernel(text)) for text in texts]
        super().__init__("playground", drawing=_packed(self._drawing), kernels="|".join(texts))

    def picture(self) -> bytes:
        """Return the kernels and their answers to the drawing."""
        from pellucid.views.kernels import gallery as draw

        return _png(draw([exhibit(name, kernel, self._drawing) for name, kernel in self._kernels]))


class Stepper(Widget):
    """Convolve → ReLU → pool, step by step; the arguments are those of :func:`explain.steps.frame.pipeline`.

    >>> Stepper(stride=2).place
    'stride=2'
    """

    def __init__(self, image: Any = None, kernel: Any = None, **settings: Any) -> None:
        chosen = {
            name: LESSON[name] if given is None else given for name, given in zip(LESSON, (image, kernel), strict=True)
        }
        self._trace = pipeline(chosen["image"], chosen["kernel"], **settings)
        super().__init__("stepper", image=image, kernel=kernel, **settings)

    def picture(self) -> bytes:
        """Return the key steps as a strip."""
        from pellucid.views.stepper.save import save as save_steps

        with tempfile.TemporaryDirectory() as folder:
            save_steps(self._trace, Path(folder) / "steps.png")
            return (Path(folder) / "steps.png").read_bytes()


class Architect(Widget):
    """Put a network together: one of the zoo by its name, or a listing such as "1x28x28to10-conv8-relu-flatten-linear".

    >>> Architect("lenet5").place
    'design=lenet5'
    """

    def __init__(self, design: str = "pooled28") -> None:
        self._design = design
        self._net, self._shape = find_network(design, None)
        super().__init__("architect", design=design)

    def picture(self) -> bytes:
        """Return the network as a diagram."""
        from pellucid.views.anatomy import funnel

        with self._net.evaluating():
            return _png(funnel(self._net.graph((1, *self._shape)), self._design))


class Inspect(Widget):
    """Open a network down to a single number.

    ``net`` is a network with weights, or the name of one; ``image`` is "DATA:INDEX", an image file, or a Pillow image.
    Raises ParameterError where the network does not say which images it takes, DataError or FileError where the image
    cannot be used.
    """

    def __init__(self, net: Module | str = "fashion", image: Any = "fashion-mnist-mini:0") -> None:
        studio = _studio()
        target = net if isinstance(net, str) else f"upload:{_keep_network(net, studio)}"
        self._opened = studio.networks.open(target)
        sample = picture(image) if isinstance(image, str) else None
        state = {"from": "sample", "sample": image} if sample is not None else _keep_image(image, studio)
        self._pixels = self._opened.preprocessing.to_array(image if sample is None else sample)
        super().__init__("inspect", net=target, **state)

    def picture(self) -> bytes:
        """Return the maps of all layers."""
        from pellucid.explain.maps import feature_maps
        from pellucid.explain.trace import trace
        from pellucid.views.maps import maps_sheet

        opened = self._opened
        found = feature_maps(trace(opened.net, opened.preprocessing.normalise(self._pixels)))
        return _png(maps_sheet(found, self._pixels, classes=opened.classes, most=_FEW))


def _keep_network(net: Module, studio: Studio) -> str:
    place = studio.uploads.new_place()
    save(net, place)
    return studio.uploads.adopt("network.safetensors", place).id


def _keep_image(image: Any, studio: Studio) -> dict[str, str]:
    from pellucid.data.images import open_image

    file = io.BytesIO()
    (open_image(Path(image)) if isinstance(image, (str, Path)) else image).save(file, "png")
    return {"from": "upload", "file": studio.uploads.keep("image.png", file.getvalue()).id}


def _ring() -> Array:
    y, x = np.indices((20, 20)) - 9.5
    return np.asarray(abs(np.hypot(y, x) - 7) < 0.8, np.float32)


def _square(drawing: Any) -> Array:
    """Check a drawing of the playground."""
    values = checked_picture(drawing)
    size = len(values)
    if values.shape != (size, size) or not 8 <= size <= 64 or values.min() < 0 or values.max() > 1:
        raise ParameterError(
            f"The 'drawing' parameter of Playground must be a square of 8×8 to 64×64 numbers from 0 to 1; got "
            f"{values.shape[0]}×{values.shape[1]} from {number(values.min())} to {number(values.max())}."
        )
    return values


def _text(value: Any) -> str:
    """Write a setting as the page's address has it; a matrix as rows."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, (str, int, float)):
        return str(value)
    return ";".join(",".join(f"{cell:.6g}" for cell in row) for row in np.atleast_2d(np.asarray(value, np.float64)))


def _packed(drawing: Array) -> str:
    """Write a drawing as the page's address has it: its size, and runs of equal shades."""
    shades = np.rint(drawing * _WHITE).astype(np.uint8).ravel()
    starts = np.flatnonzero(np.diff(shades, prepend=-1 - int(shades[0])))
    runs = bytearray()
    for start, end in zip(starts, [*starts[1:], len(shades)], strict=True):
        for first in range(start, end, 255):
            runs += bytes((min(255, end - first), shades[start]))
    return f"{len(drawing)}.{base64.urlsafe_b64encode(runs).decode().rstrip('=')}"


def _png(figure: Figure) -> bytes:
    from pellucid.views.sheet import save as save_figure

    with tempfile.TemporaryDirectory() as folder:
        save_figure(figure, Path(folder) / "picture.png")
        return (Path(folder) / "picture.png").read_bytes()
