"""Photos at full depth: against Pillow where it keeps all bits, tifffile and a PNG writer of our own where not."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from pellucid.data.photos import Photo, open_photo, reduced, save_photo
from pellucid.errors import DataError, FileError
from tests.data.test_images import NOISE, VALID, encoded
from tests.data.writers import outcome

RANDOM = np.random.default_rng(0)
DEEP = RANDOM.integers(0, 65536, (9, 14, 4)).astype(np.uint16)


def png(pixels: np.ndarray, extra: bytes = b"") -> io.BytesIO:
    """Write a 16-bit PNG without filters; ``extra`` are chunks before the pixels."""
    height, width = pixels.shape[:2]
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[pixels.shape[2] if pixels.ndim == 3 else 1]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0))
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + header + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def tiff(pixels: np.ndarray, **settings: Any) -> io.BytesIO:
    file = io.BytesIO()
    alpha = {"extrasamples": ["unassalpha"]} if pixels.ndim == 3 and pixels.shape[2] == 4 else {}
    tifffile.imwrite(file, pixels, photometric="rgb" if pixels.ndim == 3 else "minisblack", **alpha, **settings)
    return file


def joined(photo: Photo) -> np.ndarray:
    return photo.pixels if photo.alpha is None else np.dstack([photo.pixels, photo.alpha])


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bit_pngs_keep_every_bit(channels: int) -> None:
    pixels = DEEP[:, :, 0] if channels == 1 else DEEP[:, :, :channels]
    photo = open_photo(png(pixels))
    assert photo.pixels.dtype == np.uint16
    assert (photo.alpha is not None) == (channels in (2, 4))
    assert np.array_equal(joined(photo), pixels)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packing", [{}, {"compression": "zlib"}, {"tile": (16, 16)}, {"rowsperstrip": 2}])
def test_16_bit_tiffs_keep_every_bit(channels: int, order: str, packing: dict[str, Any]) -> None:
    pixels = DEEP[:, :, 0] if channels == 1 else DEEP[:, :, :channels]
    photo = open_photo(tiff(pixels, byteorder=order, **packing))
    assert photo.pixels.dtype == np.uint16
    assert np.array_equal(joined(photo), pixels)


@pytest.mark.parametrize("mode", ["L", "RGB", "LA", "RGBA"])
def test_8_bits_and_alpha_are_as_pillow_reads_them(mode: str) -> None:
    channels = len(mode)
    pixels = RANDOM.integers(0, 256, (6, 5, channels)).astype(np.uint8).squeeze()
    for kind in ("png", "tiff"):
        photo = open_photo(encoded(Image.fromarray(pixels), kind))
        assert photo.pixels.dtype == np.uint8
        assert photo.pixels.shape == ((6, 5) if mode[0] == "L" else (6, 5, 3))
        assert np.array_equal(joined(photo), pixels)


def test_other_modes_become_8_bit_colours() -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([9, 8, 7, 200, 100, 0])
    palette.putpixel((1, 0), 1)
    photo = open_photo(encoded(palette, "png"))
    assert photo.pixels.tolist() == [[[9, 8, 7], [200, 100, 0]]]
    assert photo.alpha is None
    seen = open_photo(encoded(palette, "png", transparency=0))
    assert seen.pixels.tolist() == photo.pixels.tolist()
    assert seen.alpha is not None
    assert seen.alpha.tolist() == [[0, 255]]
    assert open_photo(encoded(Image.new("1", (3, 2), 1), "png")).pixels.tolist() == [[255] * 3] * 2
    cmyk = open_photo(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "jpeg"))
    assert np.allclose(cmyk.pixels, (255, 0, 0), atol=3)
    keyed = open_photo(encoded(Image.fromarray(np.array([[7, 8]], np.uint8)), "png", transparency=7))
    assert keyed.alpha is not None
    assert keyed.alpha.tolist() == [[0, 255]]


def test_a_16_bit_colour_that_stands_for_nothing_is_transparent() -> None:
    pixels = np.array([[[1, 2, 3], [1, 2, 259]]], np.uint16)  # 259: the low byte of 3
    photo = open_photo(png(pixels, chunk(b"tRNS", struct.pack(">3H", 1, 2, 3))))
    assert photo.alpha is not None
    assert photo.alpha.tolist() == [[0, 65535]]
    grey = open_photo(png(pixels[:, :, 2], chunk(b"tRNS", struct.pack(">H", 259))))
    assert grey.alpha is not None
    assert grey.alpha.tolist() == [[65535, 0]]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_are_turned_upright(orientation: int) -> None:
    """As Pillow turns 8-bit ones, at every depth."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    small = (DEEP[:, :, :3] >> 8).astype(np.uint8)
    file = encoded(Image.fromarray(small), "png", exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(file)))
    assert np.array_equal(open_photo(file).pixels, upright)

    exif_chunk = chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
    for channels in (1, 2, 3, 4):
        pixels = DEEP[:, :, 0] if channels == 1 else DEEP[:, :, :channels]
        found = joined(open_photo(png(pixels, exif_chunk)))
        grey = upright[:, :, 0] if channels <= 2 else upright
        assert np.array_equal(
            found.reshape(*found.shape[:2], -1)[:, :, : np.atleast_3d(grey).shape[2]] >> 8, np.atleast_3d(grey)
        )


def test_the_colour_profile_is_kept_where_it_still_holds() -> None:
    assert open_photo(encoded(NOISE, "jpeg", icc_profile=b"some profile")).profile == b"some profile"
    assert open_photo(encoded(NOISE, "png")).profile is None
    assert open_photo(encoded(NOISE.convert("CMYK"), "jpeg", icc_profile=b"some profile")).profile is None


def test_depths_that_would_be_lost_are_refused() -> None:
    with pytest.raises(DataError, match=r"must have 8 bits a channel, or 16 in a PNG or a TIFF of one plane.*PNG\.$"):
        open_photo(io.BytesIO(b"P6 2 1 65535 " + bytes(12)))
    planes = np.ascontiguousarray(DEEP[:, :, :3].transpose(2, 0, 1))
    for packing in ({}, {"compression": "zlib"}):
        with pytest.raises(DataError, match="or 16 in a PNG or a TIFF of one plane"):
            open_photo(tiff(planes, planarconfig="separate", **packing))
    with pytest.raises(DataError, match="must have 8 or 16 bits a channel; got Pillow's mode 'F'"):
        open_photo(encoded(Image.fromarray(np.zeros((2, 2), np.float32)), "tiff"))


def test_bad_files_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no image")
    with pytest.raises(DataError, match=r"a\.png' must be an image"):
        open_photo(tmp_path / "a.png")
    with pytest.raises(FileError, match=r"gone\.png' must be readable"):
        open_photo(tmp_path / "gone.png")
    data = png(DEEP).getvalue()
    with pytest.raises(DataError, match="must be whole"):
        open_photo(io.BytesIO(data[: len(data) // 2]))


FILES = {**VALID, "deep png": png(DEEP).getvalue(), "deep tiff": tiff(DEEP[:, :, :3]).getvalue()}


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    kind=st.sampled_from(sorted(FILES)),
    changes=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=6),
    cut=st.none() | st.integers(0, 10**6),
)
def test_damaged_bytes_bring_out_nothing_but_documented_errors(
    kind: str, changes: list[tuple[int, int]], cut: int | None
) -> None:
    data = bytearray(FILES[kind])
    for place, value in changes:
        data[place % len(data)] = value
    if cut is not None:
        data = data[: cut % len(data)]
    result = outcome(open_photo, io.BytesIO(data))
    assert isinstance(result, Photo) or "the given image" in str(result)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("shape", [(1, 1), (5, 4), (5, 4, 3)])
@pytest.mark.parametrize("has_alpha", [False, True])
def test_saved_photos_come_back(shape: tuple[int, ...], dtype: str, has_alpha: bool, tmp_path: Path) -> None:
    white = np.iinfo(dtype).max
    pixels, alpha = (RANDOM.integers(0, white + 1, size).astype(dtype) for size in (shape, shape[:2]))
    photo = Photo(pixels, alpha if has_alpha else None, b"profile")
    save_photo(photo, tmp_path / "a.png")
    found = open_photo(tmp_path / "a.png")
    assert photo.white == found.white == white
    assert found.profile == b"profile"
    assert np.array_equal(joined(found), joined(photo))


def test_brightness_is_pillows() -> None:
    pixels = RANDOM.integers(0, 256, (30, 40, 3)).astype(np.uint8)
    assert abs(Photo(pixels).grey - np.asarray(Image.fromarray(pixels).convert("L"))).max() < 0.51
    assert np.array_equal(Photo(pixels[:, :, 0]).grey, pixels[:, :, 0])


def test_reduced_photos_are_means() -> None:
    photo = Photo(DEEP[:8, :, :3], DEEP[:8, :, 3])
    small = reduced(photo, (4, 7))
    means = (photo.pixels >> 8).reshape(4, 2, 7, 2, 3).mean(axis=(1, 3))
    assert small.pixels.dtype == np.uint8
    assert abs(small.pixels - means).max() <= 1  # rounded across, then down
    assert small.alpha is not None
    assert small.alpha.shape == (4, 7)
