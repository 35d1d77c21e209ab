import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pellucid.data import images
from pellucid.errors import DataError, FileError

from .writers import outcome


def encoded(image: Image.Image, kind: str, **options: Any) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, kind, **options)
    file.seek(0)
    return file


def png_header(width: int, height: int) -> io.BytesIO:
    """Return a PNG that announces a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + body)


RAMP = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5


@pytest.mark.parametrize("kind", ["png", "bmp", "tiff", "ppm", "gif", "webp", "jpeg"])
def test_grey_images_of_every_format(kind: str) -> None:
    image = images.open_image(encoded(Image.fromarray(RAMP), kind, **({"lossless": True} if kind == "webp" else {})))
    assert image.mode in ("L", "RGB")
    assert np.allclose(np.asarray(image.convert("L"), int), RAMP, atol=12 if kind == "jpeg" else 0)


def test_16_bit_grey_is_scaled_not_clipped() -> None:
    image = Image.fromarray(RAMP.astype(np.uint16) * 257)
    assert np.array_equal(images.to_array(images.open_image(encoded(image, "png")))[0], RAMP)
    assert images.header(encoded(image, "png")) == ((6, 8), True)


def test_float_images_are_refused_with_a_remedy() -> None:
    with pytest.raises(DataError, match="must have 8 or 16 bits a channel; got Pillow's mode 'F'; save it as an 8-bit"):
        images.open_image(encoded(Image.fromarray(RAMP.astype(np.float32)), "tiff"))


@pytest.mark.parametrize(("mode", "expected"), [("RGBA", "RGB"), ("LA", "L")])
def test_transparency_shows_white(mode: str, expected: str) -> None:
    image = Image.new(mode, (2, 1))
    image.putpixel((1, 0), (0, 0, 0, 255)[-len(mode) :])
    opened = images.open_image(encoded(image, "png"))
    assert opened.mode == expected
    assert opened.convert("L").tobytes() == b"\xff\x00"


def test_a_transparent_palette_entry_shows_white() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([0, 0, 0, 9, 9, 9])
    image.putpixel((1, 0), 1)
    assert images.open_image(encoded(image, "png", transparency=0)).tobytes() == b"\xff\xff\xff\x09\x09\x09"
    grey = Image.new("L", (2, 1), 7)
    assert images.open_image(encoded(grey, "png", transparency=7)).tobytes() == b"\xff\xff"


def test_cmyk_and_bilevel_are_converted() -> None:
    red = images.open_image(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "jpeg")).getpixel((0, 0))
    assert np.allclose(red, (255, 0, 0), atol=3)
    assert images.open_image(encoded(Image.new("1", (3, 3), 1), "png")).tobytes() == b"\xff" * 9


def test_an_animation_gives_its_first_frame() -> None:
    frames = [Image.new("L", (3, 3), value) for value in (10, 200)]
    file = encoded(frames[0], "gif", save_all=True, append_images=frames[1:])
    assert images.open_image(file).convert("L").getpixel((0, 0)) == 10


def test_a_sideways_photo_is_turned_upright() -> None:
    photo = Image.fromarray(np.repeat(np.array([[0, 255]], np.uint8), 8, axis=0).repeat(8, axis=1))  # dark, light
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    upright = np.asarray(images.open_image(encoded(photo.resize((24, 8)), "jpeg", exif=exif)))
    assert upright.shape == (24, 8)
    assert upright[0].mean() < 10
    assert upright[-1].mean() > 245
    assert images.header(encoded(photo.resize((24, 8)), "jpeg", exif=exif)) == ((24, 8), True)


@pytest.mark.parametrize(("width", "height"), [(10_000, 10_000), (8_001, 8_000), (60_000, 60_000)])
def test_huge_images_are_refused_from_their_header(width: int, height: int) -> None:
    for function in (images.open_image, images.header):
        with pytest.raises(DataError, match="must have at most 64 million pixels; got"):
            function(png_header(width, height))


def test_an_image_just_within_the_limit_is_not_refused_for_its_size() -> None:
    assert images.header(png_header(8_000, 8_000)) == ((8_000, 8_000), True)


def test_a_pillow_image_in_memory_is_held_to_the_limit_too() -> None:
    with pytest.raises(DataError, match="must have at most 64 million pixels; got 8001×8000"):
        images.simplify(Image.open(png_header(8_001, 8_000)), "the drawing")


def test_other_files_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "notes.png"
    path.write_text("not an image")
    with pytest.raises(DataError, match=r"notes\.png' must be an image \(PNG, JPEG"):
        images.open_image(path)
    with pytest.raises(FileError, match=r"gone\.png' must be readable; got: No such file"):
        images.open_image(tmp_path / "gone.png")
    with pytest.raises(FileError, match="must be readable; got: Is a directory"):
        images.open_image(tmp_path)


def test_a_refused_image_prints_nothing_of_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    tiff = bytearray(VALID["tiff"])
    place = tiff.index(struct.pack("<HHI", 277, 3, 1))  # TIFF tag "SamplesPerPixel": a short, one of it
    tiff[place + 8 : place + 10] = b"\xff\xff"
    program = "import io, sys; from pellucid.data import images; images.open_image(io.BytesIO(sys.stdin.buffer.read()))"
    subprocess.run([sys.executable, "-c", program], input=bytes(tiff), check=False)
    printed = capfd.readouterr().err
    assert "DataError" in printed
    assert "More samples per pixel" not in printed


def test_postscript_is_never_given_to_its_interpreter() -> None:
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n"
    with pytest.raises(DataError, match="must be an image"):
        images.open_image(io.BytesIO(eps))


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "webp", "bmp", "tiff"])
def test_a_truncated_file_is_refused(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), kind).getvalue()
    # A decoder may forgive the loss of its last few bytes, but not of a half.
    with pytest.raises(DataError, match=r"must be (whole|an image)"):
        images.open_image(io.BytesIO(data[: len(data) // 2]))


NOISE = Image.fromarray(np.random.default_rng(1).integers(0, 256, (12, 12, 3), dtype=np.uint8))
VALID = {
    kind: encoded(NOISE.convert("RGBA") if kind == "png" else NOISE, kind).getvalue()
    for kind in ("png", "jpeg", "gif", "webp", "bmp", "tiff", "ppm")
}


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    kind=st.sampled_from(sorted(VALID)),
    changes=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=6),
    cut=st.none() | st.integers(0, 10**6),
)
def test_damaged_bytes_bring_out_nothing_but_documented_errors(
    kind: str, changes: list[tuple[int, int]], cut: int | None
) -> None:
    data = bytearray(VALID[kind])
    for place, value in changes:
        data[place % len(data)] = value
    if cut is not None:
        data = data[: cut % len(data)]
    for function in (images.open_image, images.header):
        result = outcome(function, io.BytesIO(data))
        assert isinstance(result, Image.Image | tuple) or "the given image" in str(result)


def test_list_images_is_sorted_recursive_and_leaves_out_hidden_and_other_files(tmp_path: Path) -> None:
    for name in ("b.PNG", "a.jpg", "sub/c.webp", ".hidden.png", ".git/d.png", "notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    listed = [path.relative_to(tmp_path).as_posix() for path in images.list_images(tmp_path)]
    assert listed == ["a.jpg", "b.PNG", "sub/c.webp"]
    with pytest.raises(FileError, match="must exist; got nothing there"):
        images.list_images(tmp_path / "gone")


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_the_transparent_grey_of_any_depth_becomes_white(bits: int) -> None:
    """Written by hand, as Pillow writes no such file: the greys 0, 1 and 0, of which 1 is transparent."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = (1 << bits) << (-3 * bits % 8)
    header = struct.pack(">IIBBBBB", 3, 1, bits, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0" + row.to_bytes(-(-3 * bits // 8), "big"))
    pieces = ((b"IHDR", header), (b"tRNS", struct.pack(">H", 1)), (b"IDAT", pixels), (b"IEND", b""))
    file = io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*piece) for piece in pieces))

    assert np.asarray(images.open_image(file)).tolist() == [[0, 255, 0]]
