"""PNG files as they are written, read by Pillow and, for 16-bit colours, by the format's definition."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.data.png import write_png
from pellucid.errors import FileError

SHAPES = [(1, 1), (5, 7), (127, 3), (128, 3), (129, 3), (257, 40)]


def numbers(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)


def chunks(path: Path) -> dict[bytes, bytes]:
    """Read the chunks of a file, those of one kind joined, each checked by its checksum."""
    data, found = path.read_bytes(), {}
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    place = 8
    while place < len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        body = data[place + 8 : place + 8 + length]
        assert struct.unpack(">I", data[place + 8 + length : place + 12 + length])[0] == zlib.crc32(kind + body)
        found[kind] = found.get(kind, b"") + body
        place += 12 + length
    return found


def decoded(path: Path) -> np.ndarray:
    """Undo the packing and the filters by the standard's words; only the filter "up" is known here."""
    found = chunks(path)
    width, height, bits, kind = struct.unpack(">IIBB", found[b"IHDR"][:10])
    channels = {0: 1, 4: 2, 2: 3, 6: 4}[kind]
    rows = np.frombuffer(zlib.decompress(found[b"IDAT"]), np.uint8).reshape(height, -1)
    assert (rows[:, 0] == 2).all()
    values = np.cumsum(rows[:, 1:], axis=0, dtype=np.uint8).view(">u2" if bits == 16 else "u1")
    return values.reshape((height, width) if channels == 1 else (height, width, channels))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("size", SHAPES)
def test_bytes_come_back_through_pillow(size: tuple[int, int], channels: int, tmp_path: Path) -> None:
    pixels = numbers(size if channels == 1 else (*size, channels), "uint8")
    write_png(tmp_path / "a.png", pixels)
    image = Image.open(tmp_path / "a.png")
    assert image.mode == {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]
    assert np.array_equal(np.asarray(image), pixels)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("size", SHAPES)
def test_16_bits_come_back_by_the_definition(size: tuple[int, int], channels: int, tmp_path: Path) -> None:
    pixels = numbers(size if channels == 1 else (*size, channels), "uint16")
    write_png(tmp_path / "a.png", pixels)
    assert np.array_equal(decoded(tmp_path / "a.png"), pixels)
    if channels == 1:
        assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), pixels)


def test_words_and_a_profile_are_kept(tmp_path: Path) -> None:
    text = {"Title": "a × b", "Description": "−289 to +289"}
    write_png(tmp_path / "a.png", numbers((4, 5), "uint8"), profile=b"profile", text=text)
    image = Image.open(tmp_path / "a.png")
    assert image.text == text
    assert image.info["icc_profile"] == b"profile"


def test_views_of_other_arrays_are_written_as_they_look(tmp_path: Path) -> None:
    pixels = numbers((40, 50, 4), "uint16")[::2, ::-3, :3]
    write_png(tmp_path / "a.png", pixels)
    assert np.array_equal(decoded(tmp_path / "a.png"), pixels)


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be written"):
        write_png(tmp_path / "none" / "a.png", numbers((4, 5), "uint8"))
    assert list(tmp_path.iterdir()) == []
