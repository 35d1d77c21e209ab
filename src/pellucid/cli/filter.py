"""``pellucid filter``: kernels slid over photos."""

from __future__ import annotations

import re
import sys
from collections.abc import Container, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli.options import Border, Json, print_json
from pellucid.errors import FileError, PellucidError

if TYPE_CHECKING:
    from pellucid.data.photos import Photo
    from pellucid.types import Array

EXAMPLE = "Example: pellucid filter photo.jpg --kernel sobel-x --kernel sharpen --out filtered"


class Result(StrEnum):
    """How answers become a picture."""

    clip = "clip"
    scale = "scale"
    signed = "signed"
    absolute = "absolute"


class Pair(StrEnum):
    """Kernels that find edges together."""

    sobel = "sobel"
    prewitt = "prewitt"
    scharr = "scharr"


@dataclass(frozen=True)
class _Work:
    """What is to be done to each photo, and where results go."""

    kernels: dict[str, tuple[str, Array]]
    """By how the names of their results end; the names that people read, and the kernels."""
    edges: Pair | None
    border: Border
    result: Result | None
    out: Path | None
    sheet: Path | None


@dataclass(frozen=True)
class _Source:
    """A photo, and how the names of its results begin: its place in its folder, and its name without the suffix."""

    path: Path
    start: Path

    @property
    def name(self) -> str:
        """The file's name for people, a question mark for each letter that is none."""
        return "".join(letter if letter.isprintable() else "?" for letter in self.path.name)


class _Places:
    """Where results go: into a folder, and never over one of the photos."""

    def __init__(self, out: Path | None, sources: Sequence[_Source]) -> None:
        self.out = out
        self.originals = {_identity(source.path) for source in sources if source.path.exists()}

    def of(self, source: _Source, name: str) -> Path:
        """Return the file of a photo's result, its folder made."""
        assert self.out is not None
        path = self.out / source.start.parent / f"{source.start.name}--{name}.png"
        self.spare(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(
                f"The folder '{path.parent}' must be one that can be written; got: {error.strerror}."
            ) from None
        return path

    def spare(self, path: Path) -> None:
        """Raise FileError where a photo lies there."""
        if path.exists() and _identity(path) in self.originals:
            raise FileError(f"'{path}' is one of the photos, which are never written over; choose another place.")


def _identity(path: Path) -> tuple[int, int]:
    """Tell a file whatever it is called."""
    status = path.stat()
    return status.st_dev, status.st_ino


def filter_photos(
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO", help="Image files, or folders of them.")],
    kernel: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|FILE|ROWS",
            help="A kernel: its name, perhaps with settings (gabor:size=11,angle=30), a text file, or its rows "
            "('1,0,-1; 2,0,-2; 1,0,-1'). May be given several times.",
        ),
    ] = None,
    gallery: Annotated[bool, typer.Option("--gallery", help="Take all kernels that have a name.")] = False,
    edges: Annotated[
        Pair | None, typer.Option(help="Find edges by a pair of kernels: their magnitude and direction.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for the results, PHOTO--KERNEL.png.")] = None,
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Contact sheet of one photo and all kernels, .svg or .png.")
    ] = None,
    border: Annotated[
        Border, typer.Option(help="What surrounds a photo; reflect is its mirror image.")
    ] = Border.reflect,
    result: Annotated[
        Result | None,
        typer.Option(
            help="How answers become a picture: cut off at black and white, stretched to them, in colours by their "
            "sign, or their magnitude in grey.",
            show_default="clip if the kernel's sum is 1, signed if it is 0, else scale",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Filter photos by kernels.

    Grey or in colour, of 8 or 16 bits; transparency is kept, and photos are turned upright. One that cannot be read is
    named on stderr; the others are filtered, and the status is 1.
    """
    work = _Work(_kernels(kernel or [], gallery), edges, border, result, out, sheet)
    _check_usage(photos, work)
    records, failures = _filter_all(photos, work)
    if json:
        print_json(records)
    else:
        _print(records)
    if failures:
        raise typer.Exit(1)


def _filter_all(photos: Sequence[Path], work: _Work) -> tuple[list[dict[str, Any]], list[PellucidError]]:
    """Filter all photos; return what was done to each, and what went wrong with others, which is also printed."""
    from pellucid.views import text
    from pellucid.views.progress import counting

    records: list[dict[str, Any]] = []
    failures: list[PellucidError] = []
    sources = _find(photos, work.out, failures)
    places = _Places(work.out, sources)
    with counting(text.console(error=True), "photos") as show:
        for index, source in enumerate(sources):
            show(index, len(sources), source.name)
            try:
                records.append(_filter(source, work, places))
            except PellucidError as error:
                failures.append(error)
        show(len(sources), len(sources))
    for failure in failures:
        print(f"pellucid: {failure}", file=sys.stderr)
    return records, failures


def _check_usage(photos: Sequence[Path], work: _Work) -> None:
    from pellucid.views.sheet import check_picture

    if not work.kernels and work.edges is None:
        raise typer.BadParameter("Give a --kernel, --gallery or --edges.")
    if work.out is None and (work.sheet is None or work.edges is not None):
        raise typer.BadParameter("Give --out, a folder for the results.")
    if work.sheet is not None:
        check_picture(work.sheet)
        if not work.kernels or len(photos) > 1 or photos[0].is_dir():
            raise typer.BadParameter("--sheet shows one photo and what kernels make of it; give one file, and kernels.")
    for photo in photos:
        if work.out is not None and photo.is_dir() and photo.resolve() == work.out.resolve():
            raise typer.BadParameter("--out must be another folder than that of the photos; it may lie within.")


def _kernels(texts: Sequence[str], gallery: bool) -> dict[str, tuple[str, Array]]:
    """Read kernels, by names that differ and can be part of a file's."""
    from pellucid.explain.kernels.gallery import NAMES, read_kernel

    found: dict[str, tuple[str, Array]] = {}
    for text in [*(NAMES if gallery else ()), *(text.strip() for text in texts)]:
        kernel = read_kernel(text)
        is_file, is_name = text.lower().endswith((".txt", ".csv")), text[0].isalpha()
        label = Path(text).stem if is_file else text if is_name else "kernel"
        name = _unused(re.sub(r"[^\w.]+", "-", label).strip("-."), found)
        found[name] = name if label == "kernel" else label, kernel
    return found


def _unused(name: str, taken: Container[str]) -> str:
    """Return a name, with a number after it where it is taken."""
    count, free = 1, name
    while free in taken:
        count += 1
        free = f"{name}-{count}"
    return free


def _find(photos: Sequence[Path], out: Path | None, failures: list[PellucidError]) -> list[_Source]:
    """List the photos, each once; those of a folder without earlier results, which may lie within."""
    from pellucid.data.images import list_images

    found: dict[Path, _Source] = {}
    starts: set[str] = set()
    for given in photos:
        folder = given if given.is_dir() else given.parent
        try:
            paths = list_images(given) if given.is_dir() else [given]
        except PellucidError as error:
            failures.append(error)
            continue
        if given.is_dir() and out is not None:
            paths = [path for path in paths if not path.resolve().is_relative_to(out.resolve())]
        if not paths:
            failures.append(FileError(f"The folder '{given}' must hold images; got none."))
        for path in paths:
            if path.resolve() not in found:
                start = _unused(str(path.relative_to(folder).with_suffix("")), starts)
                starts.add(start)
                found[path.resolve()] = _Source(path, Path(start))
    return list(found.values())


def _filter(source: _Source, work: _Work, places: _Places) -> dict[str, Any]:
    """Filter one photo by all kernels; return what was done."""
    from pellucid.data.photos import open_photo
    from pellucid.explain.photo import filter_photo
    from pellucid.views.photos import save_filtered

    photo = open_photo(source.path)
    height, width = photo.pixels.shape[:2]
    record: dict[str, Any] = {"file": str(source.path), "height": height, "width": width}
    record |= {"bits": 8 * photo.pixels.itemsize, "colour": photo.pixels.ndim == 3, "alpha": photo.alpha is not None}
    record["filtered"] = []
    for name, (label, kernel) in work.kernels.items() if work.out is not None else ():
        made = filter_photo(photo, kernel, border=work.border, result=work.result)
        path = places.of(source, name)
        save_filtered(made, path, label, source.name)
        record["filtered"].append({"kernel": label, **made.as_dict(), "file": str(path)})
    if work.edges is not None:
        record["edges"] = _find_edges(photo, source, work, places)
    if work.sheet is not None:
        _draw_sheet(photo, source, work, places)
        record["sheet"] = str(work.sheet)
    return record


def _find_edges(photo: Photo, source: _Source, work: _Work, places: _Places) -> dict[str, Any]:
    from pellucid.explain.photo import edges
    from pellucid.views.photos import save_edges

    assert work.edges is not None
    found = edges(photo, work.edges, border=work.border)
    magnitude, direction = (places.of(source, f"{work.edges}-{what}") for what in ("magnitude", "direction"))
    save_edges(found, magnitude, direction, source.name)
    return {**found.as_dict(), "magnitude": str(magnitude), "direction": str(direction)}


def _draw_sheet(photo: Photo, source: _Source, work: _Work, places: _Places) -> None:
    from pellucid.data.photos import reduced
    from pellucid.explain.photo import filter_photo
    from pellucid.views.contact import contact_sheet, size
    from pellucid.views.sheet import save

    assert work.sheet is not None
    places.spare(work.sheet)
    small = reduced(photo, size(photo, 1 + len(work.kernels)))
    frames = [
        (label, kernel, filter_photo(small, kernel, border=work.border, result=work.result))
        for label, kernel in work.kernels.values()
    ]
    height, width = photo.pixels.shape[:2]
    note = f"reduced from {width}×{height} before it was filtered" if small.pixels.shape[:2] != (height, width) else ""
    save(contact_sheet(source.name, small, frames, note), work.sheet)


def _print(records: Sequence[dict[str, Any]]) -> None:
    from pellucid.explain.numbers import number
    from pellucid.views.photos import caption

    for record in records:
        kind = f"{record['bits']} bits, {'colour' if record['colour'] else 'grey'}{', alpha' * record['alpha']}"
        typer.echo(f"{record['file']}: {record['width']}×{record['height']}, {kind}")
        for made in record["filtered"]:
            said = caption(made["result"], made["low"], made["high"])
            typer.echo(f"  {made['kernel']}: {said}; {made['file']}")
        if "edges" in record:
            found = record["edges"]
            said = f"magnitude, 0 to {number(found['limit'], 3)}; {found['magnitude']}"
            typer.echo(f"  {found['pair']}: {said}; direction: {found['direction']}")
        if "sheet" in record:
            typer.echo(f"  Drawn: {record['sheet']}")
