"""The photo room's answers: whole photos against `filter_photo` and SciPy, previews by their size and colours."""

import io
import json
from base64 import b64decode
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from pellucid.errors import FileError, ParameterError, ShapeError
from pellucid.explain.kernels.gallery import GALLERY, kernel
from pellucid.explain.photo import filter_photo
from pellucid.studio.answers import answer
from pellucid.studio.rooms.photo.landscape import landscape
from pellucid.studio.studio import Studio
from pellucid.studio.tensors import to_array, to_tensor
from pellucid.types import Array

LANDSCAPE = {"kind": "drawn", "name": "landscape"}


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("studio"))


def upload(studio: Studio, pixels: Array) -> dict[str, Any]:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return {"kind": "upload", "id": studio.uploads.keep("me.png", file.getvalue()).id}


def opened(file: str) -> Image.Image:
    return Image.open(io.BytesIO(b64decode(file)))


def named(name: str, strength: float = 1.0, **settings: float) -> dict[str, Any]:
    return {"kind": "named", "name": name, "settings": settings, "strength": strength}


def test_the_landscape_is_a_picture_and_always_the_same(studio: Studio) -> None:
    shown = answer("photo.show", {"photo": LANDSCAPE}, studio)

    assert (shown.height, shown.width, shown.bits, shown.colour, shown.alpha) == (800, 1200, 8, True, False)
    assert opened(shown.preview).size == (1200, 800)
    assert landscape().std() > 30
    assert not landscape().flags.writeable


def test_a_large_photo_is_shown_small_and_saved_whole(studio: Studio) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (1500, 900, 3)).astype(np.uint8)
    photo = upload(studio, pixels)
    asked = {"photo": photo, "effect": named("sharpen")}

    shown = answer("photo.show", {"photo": photo}, studio)
    preview = answer("photo.preview", asked, studio)
    saved = answer("photo.save", asked, studio)

    assert (shown.preview_height, shown.preview_width) == opened(preview.preview).size[::-1] == (1290, 774)
    assert (preview.result, preview.adjustable) == ("clip", True)
    assert np.array_equal(np.asarray(opened(saved.file)), filter_photo(pixels, kernel("sharpen")).values)
    assert saved.name == "photo--sharpen.png"
    assert saved.seconds > 0


def test_strength_mixes_the_photo_with_the_filtered_one(studio: Studio) -> None:
    pixels = np.random.default_rng(1).integers(80, 180, (24, 32)).astype(np.uint8)
    photo = upload(studio, pixels)
    blurred = ndimage.uniform_filter(pixels.astype(np.float64), 3, mode="mirror")
    for strength in (0.0, 0.5, 2.0):
        effect = named("box-blur", strength, size=3)
        saved = answer("photo.save", {"photo": photo, "effect": effect}, studio)
        expected = pixels + strength * (blurred - pixels)
        assert abs(np.asarray(opened(saved.file)) - expected).max() <= 0.5 + 1e-3


def test_a_typed_kernel_is_used_as_it_stands(studio: Studio) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (20, 20, 3)).astype(np.uint8)
    values = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 0]], np.float32)  # takes what is on the right
    effect = {"kind": "typed", "kernel": json.loads(to_tensor(values).model_dump_json())}
    asked = {"photo": upload(studio, pixels), "effect": effect, "border": "circular"}

    saved = answer("photo.save", asked, studio)

    assert np.array_equal(np.asarray(opened(saved.file)), np.roll(pixels, -1, axis=1))
    assert np.array_equal(to_array(answer("photo.preview", asked, studio).kernel, 3, 3), values)


def test_signed_answers_are_blue_below_zero_and_red_above(studio: Studio) -> None:
    pixels = np.zeros((30, 60), np.uint8)
    pixels[:, 20:40] = 200
    told = answer("photo.preview", {"photo": upload(studio, pixels), "effect": named("sobel-x")}, studio)
    red, _, blue = np.asarray(opened(told.preview).convert("RGB"))[15, [19, 40]].astype(int).T

    assert told.result == "signed"
    assert told.low == -told.high
    assert red[0] > blue[0] + 50  # grows to the right
    assert blue[1] > red[1] + 50


@pytest.mark.parametrize("shows", ["magnitude", "direction"])
def test_edges_are_shown_by_strength_and_by_direction(studio: Studio, shows: str) -> None:
    pixels = np.zeros((30, 60), np.uint8)
    pixels[:, 30:] = 200
    asked = {"photo": upload(studio, pixels), "effect": {"kind": "edges", "pair": "scharr", "shows": shows}}
    told, saved = answer("photo.preview", asked, studio), answer("photo.save", asked, studio)
    flat, edge = np.asarray(opened(told.preview).convert("L"))[15, [5, 30]].astype(int)

    assert told.result is told.kernel is None
    assert (flat < 5 and edge > 250) if shows == "magnitude" else (flat > 250 and edge < 200)
    assert saved.name == f"photo--scharr-{shows}.png"
    assert opened(saved.file).size[0] >= 60


def test_alpha_is_white_in_the_preview_and_kept_in_the_file(studio: Studio) -> None:
    pixels = np.zeros((12, 12, 4), np.uint8)
    pixels[:, 6:, 3] = 255
    photo = upload(studio, pixels)
    shown = answer("photo.show", {"photo": photo}, studio)
    saved = answer("photo.save", {"photo": photo, "effect": named("gaussian-blur")}, studio)

    assert shown.alpha
    assert opened(shown.preview).getpixel((1, 6))[0] > 250  # type: ignore[index]
    assert np.array_equal(np.asarray(opened(saved.file))[:, :, 3], pixels[:, :, 3])


def test_every_kernel_works_with_what_its_settings_are_at_first_and_at_their_ends(studio: Studio) -> None:
    told = answer("photo.kernels", {}, studio)

    assert [one.name for one in told.kernels] == list(GALLERY)
    assert len(told.directions) == 12
    for one in told.kernels:
        for end in ("low", "first", "high"):
            values = kernel(one.name, **{setting.name: getattr(setting, end) for setting in one.settings})
            assert np.isfinite(values).all()


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"effect": named("sharpem")}, ParameterError, "There is no kernel 'sharpem'"),
        ({"effect": named("sharpen", size=5)}, ParameterError, "has no parameter 'size'"),
        ({"effect": named("sharpen", strength=9)}, ParameterError, "less than or equal to 4"),
        ({"photo": {"kind": "upload", "id": "gone"}}, FileError, "upload it again"),
        ({"photo": {"kind": "drawn", "name": "../x"}}, ParameterError, "is not right"),
        (
            {"effect": {"kind": "typed", "kernel": json.loads(to_tensor(np.zeros((8, 1))).model_dump_json())}},
            ShapeError,
            "1 to 7 rows and columns; got 8×1",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    studio: Studio, change: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        answer("photo.preview", {"photo": LANDSCAPE, "effect": named("sharpen"), **change}, studio)
