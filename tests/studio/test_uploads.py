"""What is kept of a user's files, and what is refused."""

import io
import os
import stat
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pellucid as pel
from pellucid.studio.uploads import Uploads


def picture(width: int = 3, height: int = 2, kind: str = "png", mode: str = "RGB", **settings: object) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (width, height), "red").save(file, kind, **settings)
    return file.getvalue()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    pel.save(pel.pretrained("digits"), path)
    return path.read_bytes()


def test_a_picture_is_kept() -> None:
    uploads = Uploads()
    kept = uploads.keep("holiday.png", picture())

    assert (kept.kind, kept.name, kept.width, kept.height) == ("image", "holiday.png", 3, 2)
    image = uploads.image(kept.id)
    assert (image.mode, image.size, image.getpixel((2, 1))) == ("RGB", (3, 2), (255, 0, 0))
    assert uploads.path(kept.id).read_bytes() == picture()
    again = Image.open(io.BytesIO(uploads.png(kept.id)))
    assert (again.format, again.getpixel((2, 1))) == ("PNG", (255, 0, 0))


def test_a_picture_stands_upright() -> None:
    exif = Image.Exif()
    exif[274] = 6  # turned by a quarter
    kept = Uploads().keep("phone.jpg", picture(kind="jpeg", exif=exif))

    assert (kept.width, kept.height) == (2, 3)


def test_a_model_is_kept(model: bytes) -> None:
    uploads = Uploads()
    kept = uploads.keep("digits.safetensors", model)

    assert (kept.kind, kept.name, kept.width, kept.height) == ("model", "digits.safetensors", None, None)
    image = np.ones((1, 1, 28, 28), np.float32)
    np.testing.assert_array_equal(pel.load(uploads.path(kept.id))(image), pel.pretrained("digits")(image))
    with pytest.raises(pel.DataError, match=r"'digits\.safetensors' must be a picture; got a model"):
        uploads.image(kept.id)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.png", b"", "must be an image"),
        ("a.png", b"nonsense", "must be an image"),
        ("a.png", picture()[:45], "must be whole"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "must be an image"),
        ("a.safetensors", b"nonsense", "not a readable safetensors file"),
        ("a.safetensors", picture(), "not a readable safetensors file"),
        ("a.pt", b"\x80\x04.", "must be an image"),
        ("a.png", b"x" * 10_001, "at most 0 MiB"),
    ],
)
def test_what_is_refused_leaves_nothing_behind(name: str, content: bytes, reason: str) -> None:
    uploads = Uploads(most_bytes=10_000)

    with pytest.raises(pel.PellucidError, match=reason) as caught:
        uploads.keep(name, content)
    assert str(uploads.folder) not in str(caught.value)
    assert list(uploads.folder.iterdir()) == []


def test_too_many_pixels_are_refused_before_they_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.data.images.MAX_PIXELS", 5)

    with pytest.raises(pel.DataError, match="must have at most 0 million pixels; got 3×2"):
        Uploads().keep("bomb.png", picture())


@pytest.mark.parametrize(
    ("name", "known"),
    [("../../etc/passwd.png", "passwd.png"), ("C:\\a\nb.png", "C:\\ab.png"), ("", "file"), ("n" * 300, "n" * 100)],
)
def test_names_are_only_shown(name: str, known: str) -> None:
    uploads = Uploads()
    kept = uploads.keep(name, picture())

    assert kept.name == known
    assert uploads.path(kept.id).parent == uploads.folder


@pytest.mark.parametrize("upload", ["", "nonsense", "../x", "/etc/passwd"])
def test_there_is_no_such_upload(upload: str) -> None:
    with pytest.raises(pel.FileError, match="There is no uploaded file"):
        Uploads().path(upload)


def test_the_oldest_is_forgotten_when_there_are_too_many() -> None:
    uploads = Uploads(most_files=2)
    first, second, third = (uploads.keep(f"{number}.png", picture()).id for number in range(3))

    with pytest.raises(pel.FileError, match="or it was forgotten; upload it again"):
        uploads.image(first)
    assert uploads.image(second).size == uploads.image(third).size
    assert len(list(uploads.folder.iterdir())) == 2


def test_the_oldest_is_forgotten_when_there_is_too_much() -> None:
    uploads = Uploads(most_kept=2 * len(picture()))
    kept = [uploads.keep(f"{number}.png", picture()).id for number in range(3)]

    assert {path.stem for path in uploads.folder.iterdir()} == set(kept[1:])
    assert Uploads(most_kept=1).keep("large.png", picture()).kind == "image"


def test_the_folder_is_private_and_ends_with_the_uploads() -> None:
    uploads = Uploads()
    uploads.keep("a.png", picture())
    folder = uploads.folder

    if os.name == "posix":
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    uploads.close()
    assert not folder.exists()
    uploads.close()


def test_a_forgotten_folder_ends_too() -> None:
    folder = Uploads().folder

    assert not Path(folder).exists()


def test_threads_may_share_it() -> None:
    uploads, failed = Uploads(most_files=5), []

    def keep(number: int) -> None:
        try:
            for _ in range(10):
                uploads.keep(f"{number}.png", picture(width=number + 1))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=keep, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(list(uploads.folder.iterdir())) == 5
