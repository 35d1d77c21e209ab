"""Drawings of the steps as pixels: an animated GIF, a PNG of key frames."""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from pellucid.types import Array, Pair
from pellucid.views.stepper.marks import THEME, Box, Drawing, Line, Mark, font

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

_ONE_BELOW_THE_OTHER, _PIXELS = 3, 20_000_000
_COLOURS = 255
"""One more is left for "as in the frame before", without which an animation would be ten times as large."""
_ANCHORS = {"left": "ls", "middle": "ms", "right": "rs"}


def pictures(drawings: Iterable[Drawing], scale: int = 1) -> "Iterator[Image]":
    """Paint drawings of one scene in their order; what stays is painted once."""
    from PIL import Image, ImageDraw

    base = None
    painted: set[Mark] = set()
    for drawing in drawings:
        if base is None:
            base = Image.new("RGB", (drawing.width * scale, drawing.height * scale), THEME["paper"])
        new = [mark for mark in drawing.still if mark not in painted]
        painted.update(new)
        brush = _Brush(ImageDraw.Draw(base), drawing.origin, scale)
        brush.paint(new)
        picture = base.copy()
        brush.canvas = ImageDraw.Draw(picture)
        brush.paint(drawing.moving)
        yield picture


@dataclass(slots=True)
class _Brush:
    """Paints marks on a canvas, ``scale`` pixels for each of theirs."""

    canvas: "ImageDraw"
    origin: Pair
    scale: int

    def paint(self, marks: Sequence[Mark]) -> None:
        for mark in sorted(marks, key=lambda mark: mark.layer):
            if isinstance(mark, Box):
                self._box(mark)
            elif isinstance(mark, Line):
                ends = (*self._at(mark.x0, mark.y0), *self._at(mark.x1, mark.y1))
                self.canvas.line(ends, fill=_colour(mark.colour), width=max(1, round(self.scale * mark.width)))
            else:
                face, place = font(self.scale * mark.size, mark.bold), self._at(mark.x, mark.y + 0.36 * mark.size)
                self.canvas.text(place, mark.text, fill=_colour(mark.colour), font=face, anchor=_ANCHORS[mark.align])

    def _at(self, x: float, y: float) -> Pair:
        return round(self.scale * (x - self.origin[0])), round(self.scale * (y - self.origin[1]))

    def _box(self, box: Box) -> None:
        (left, top), (right, bottom) = self._at(box.x, box.y), self._at(box.x + box.width, box.y + box.height)
        if right <= left or bottom <= top:
            return
        if box.face != "none":
            self.canvas.rectangle((left, top, right - 1, bottom - 1), fill=_colour(box.face))
        if box.edge != "none":
            line = round(self.scale * box.line)
            around = left - line, top - line, right - 1 + line, bottom - 1 + line
            self.canvas.rectangle(around, outline=_colour(box.edge), width=line)


@lru_cache(1024)
def _colour(name: str) -> str:
    return THEME.get(name, name)


def gif(drawings: Iterable[Drawing], samples: Iterable[Drawing], times: Sequence[int], about: tuple[str, str]) -> bytes:
    """Return an animation that repeats, in the colours of the samples; its comment says in words what is shown."""
    frames = _in_palette(pictures(drawings), _Palette.of(list(samples)))
    first, file = next(frames), io.BytesIO()
    comment = "\n".join(about).encode()
    first.save(file, "gif", save_all=True, append_images=frames, duration=list(times), loop=0, comment=comment)
    return file.getvalue()


def _in_palette(frames: "Iterator[Image]", palette: "_Palette") -> "Iterator[Image]":
    """Bring frames to a palette; of each only what changed since the one before."""
    from PIL import ImageChops

    before = next(frames)
    found = palette.bring(before)
    yield found
    for picture in frames:
        box = ImageChops.difference(picture, before).getbbox() or (0, 0, 1, 1)
        found = found.copy()
        found.paste(palette.bring(picture.crop(box)), box)
        yield found
        before = picture


class _Palette:
    """A fixed set of colours; Pillow's own way to them is not exact, so that white paper would not stay white."""

    def __init__(self, colours: Array) -> None:
        self._colours = colours  # (K, 3)
        self._known = np.full(1 << 24, -1, np.int16)

    @classmethod
    def of(cls, samples: Sequence[Drawing]) -> "_Palette":
        """Take the colours of all areas, and the commonest of what lies between them and the text."""
        areas = {mark.face for drawing in samples for mark in drawing.marks if isinstance(mark, Box)} - {"none"}
        exact = dict.fromkeys([*THEME.values(), *(_colour(area) for area in sorted(areas))])
        packed, counts = np.unique([_packed(next(pictures([one]))).ravel() for one in samples], return_counts=True)
        common = packed[np.argsort(-counts, kind="stable")].tolist()
        chosen = list(dict.fromkeys([*(int(colour[1:], 16) for colour in exact), *common]))[:_COLOURS]
        return cls(np.array([(one >> 16, one >> 8 & 255, one & 255) for one in chosen]))

    def bring(self, picture: "Image") -> "Image":
        """Return a picture in these colours, each pixel in the nearest."""
        from PIL import Image

        packed = _packed(picture)
        indices = self._known[packed]
        if indices.min() < 0:
            for one in np.unique(packed[indices < 0]).tolist():
                away = self._colours - (one >> 16, one >> 8 & 255, one & 255)
                self._known[one] = (away**2).sum(axis=1).argmin()
            indices = self._known[packed]
        found = Image.fromarray(indices.astype(np.uint8))
        found.putpalette(self._colours.astype(np.uint8).tobytes())
        return found


def _packed(picture: "Image") -> Array:
    """Return red, green and blue as one number, (H, W)."""
    pixels = np.asarray(picture).astype(np.int32)
    packed: Array = pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]
    return packed


def strip(drawings: Sequence[Drawing], about: tuple[str, str]) -> bytes:
    """Return frames as a PNG, one below the other, or in two columns where they are many."""
    from PIL import Image, ImageDraw, PngImagePlugin

    columns = 1 if len(drawings) <= _ONE_BELOW_THE_OTHER else 2
    rows = -(-len(drawings) // columns)
    width, height = drawings[0].width, drawings[0].height
    scale = 2 if 4 * columns * rows * width * height <= _PIXELS else 1
    gap = 2 * scale
    size = columns * (width * scale + gap) - gap, rows * (height * scale + gap) - gap
    picture = Image.new("RGB", size, THEME["paper"])
    ImageDraw.Draw(picture).rectangle((0, 0, size[0], (rows - 1) * (height * scale + gap) - 1), fill=THEME["rule"])
    for index, drawing in enumerate(drawings):
        place = (index % columns) * (width * scale + gap), (index // columns) * (height * scale + gap)
        picture.paste(next(pictures([drawing], scale)), place)
    texts = PngImagePlugin.PngInfo()
    for name, text in zip(("Title", "Description"), about, strict=True):
        texts.add_itxt(name, text)
    file = io.BytesIO()
    picture.save(file, "png", optimize=True, pnginfo=texts, dpi=(96 * scale, 96 * scale))
    return file.getvalue()
