import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from pellucid.data.photos import open_photo
from pellucid.explain.kernels.gallery import NAMES, kernel
from tests.cli.conftest import Command


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "cat.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.uint8)).save(path)
    return path


def listed(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_each_kernel_makes_a_file(photo: Path, tmp_path: Path, command: Command) -> None:
    rows = tmp_path / "mine.txt"
    rows.write_text("0 1\n1 0\n")
    kernels = ["sobel-x", "gaussian-blur:sigma=1.5", str(rows), "-1,0,1;-2,0,2;-1,0,1", "0,1,0;0,1,0"]
    status, out, err = command(
        "filter", photo, *(word for text in kernels for word in ("--kernel", text)), "--out", tmp_path / "out", "--json"
    )
    (record,) = json.loads(out)

    assert (status, err) == (0, "")
    names = ["sobel-x", "gaussian-blur-sigma-1.5", "mine", "kernel", "kernel-2"]
    assert listed(tmp_path / "out") == sorted(f"cat--{name}.png" for name in names)
    assert {key: record[key] for key in ("file", "height", "width", "bits", "colour", "alpha")} == {
        "file": str(photo), "height": 40, "width": 60, "bits": 8, "colour": True, "alpha": False,
    }  # fmt: skip
    made = {entry["kernel"]: entry for entry in record["filtered"]}
    assert list(made) == ["sobel-x", "gaussian-blur:sigma=1.5", "mine", "kernel", "kernel-2"]
    assert [entry["result"] for entry in made.values()] == ["signed", "clip", "scale", "signed", "scale"]
    pixels = np.asarray(Image.open(photo)).astype(float)
    blurred = np.stack([ndimage.gaussian_filter(pixels[:, :, c], 1.5, mode="mirror") for c in range(3)], 2)
    found = np.asarray(Image.open(made["gaussian-blur:sigma=1.5"]["file"]))
    assert abs(found - blurred).max() < 0.51


@pytest.mark.parametrize("border", ["zeros", "replicate", "reflect", "circular"])
def test_borders_and_results_are_as_asked(border: str, photo: Path, tmp_path: Path, command: Command) -> None:
    arguments = ["--border", border, "--result", "absolute", "--kernel", "laplacian", "--out", tmp_path / "out"]
    status, out, _ = command("filter", photo, *arguments, "--json")
    ((made,),) = (record["filtered"] for record in json.loads(out))
    mode = {"zeros": "constant", "replicate": "nearest", "reflect": "mirror", "circular": "wrap"}[border]
    pixels = np.asarray(Image.open(photo)).astype(float)
    sums = np.stack([ndimage.correlate(pixels[:, :, c], kernel("laplacian"), mode=mode) for c in range(3)], 2)

    assert status == 0
    assert (made["border"], made["result"], made["low"]) == (border, "absolute", 0)
    assert made["extremes"] == [sums.min(), sums.max()]
    expected = (255 * abs(sums) / made["high"]).clip(0, 255)
    assert abs(np.asarray(Image.open(made["file"])) - expected).max() < 0.51


def test_text_says_what_was_done(photo: Path, tmp_path: Path, command: Command) -> None:
    out_folder = tmp_path / "out"
    arguments = ["--kernel", "sharpen", "--kernel", "sobel-x", "--edges", "scharr", "--out", out_folder]
    status, out, err = command("filter", photo, *arguments)
    lines = out.splitlines()

    assert (status, err) == (0, "")
    assert lines[0] == f"{photo}: 60×40, 8 bits, colour"
    assert lines[1] == f"  sharpen: as they are, clipped; {out_folder / 'cat--sharpen.png'}"
    assert lines[2].startswith("  sobel-x: signed, −")
    assert lines[3].startswith("  scharr: magnitude, 0 to ")
    assert listed(out_folder) == [
        "cat--scharr-direction.png", "cat--scharr-magnitude.png", "cat--sharpen.png", "cat--sobel-x.png",
    ]  # fmt: skip


def test_16_bits_alpha_and_orientation_are_respected(tmp_path: Path, command: Command) -> None:
    deep = np.random.default_rng(0).integers(0, 65536, (6, 9)).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    clear = np.random.default_rng(0).integers(0, 256, (6, 9, 4)).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(clear).save(tmp_path / "clear.webp", lossless=True, exact=True, exif=exif)
    status, out, _ = command(
        "filter",
        tmp_path / "deep.png",
        tmp_path / "clear.webp",
        "--kernel",
        "identity",
        "--out",
        tmp_path / "o",
        "--json",
    )
    first, second = json.loads(out)

    assert status == 0
    assert (first["bits"], first["colour"], second["bits"], second["alpha"]) == (16, False, 8, True)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "o" / "deep--identity.png")), deep)
    upright = np.rot90(clear, -1)
    assert (second["height"], second["width"]) == upright.shape[:2]
    assert np.array_equal(np.asarray(Image.open(tmp_path / "o" / "clear--identity.png")), upright)


def test_folders_are_filtered_with_their_shape_and_without_earlier_results(tmp_path: Path, command: Command) -> None:
    image = Image.new("L", (5, 4), 9)
    for name in ("a.png", "b/a.png", "b/c/a.jpg", "a.jpg", ".hidden.png", "notes.txt"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, "png" if path.suffix != ".jpg" else "jpeg")
    out_folder = tmp_path / "photos" / "filtered"
    for _ in range(2):
        status, out, err = command("filter", tmp_path / "photos", "--kernel", "box-blur", "--out", out_folder, "--json")
        assert (status, err) == (0, "")
        assert len(json.loads(out)) == 4
        assert listed(out_folder) == [
            "a--box-blur.png",
            "a-2--box-blur.png",
            "b/a--box-blur.png",
            "b/c/a--box-blur.png",
        ]


def test_a_bad_photo_does_not_stop_the_others(photo: Path, tmp_path: Path, command: Command) -> None:
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "empty").mkdir()
    bad = [tmp_path / "text.png", tmp_path / "missing.png", tmp_path / "empty"]
    arguments = ["--kernel", "sharpen", "--out", tmp_path / "out"]
    status, out, err = command("filter", bad[0], bad[1], photo, bad[2], *arguments, "--json")

    assert status == 1
    assert [record["file"] for record in json.loads(out)] == [str(photo)]
    assert len(err.splitlines()) == 3
    assert all(line.startswith("pellucid: ") for line in err.splitlines())
    assert all(any(str(path) in line for line in err.splitlines()) for path in bad)
    assert listed(tmp_path / "out") == ["cat--sharpen.png"]


def test_names_that_are_no_text_do_not_stop_a_photo(photo: Path, tmp_path: Path, command: Command) -> None:
    strange = photo.rename(tmp_path / os.fsdecode(b"c\xff\n.png"))
    results = ["--kernel", "sobel-x", "--out", tmp_path / "out", "--sheet", tmp_path / "sheet.svg"]
    status, _, err = command("filter", strange, *results, "--json")

    assert (status, err) == (0, "")
    (made,) = (tmp_path / "out").iterdir()
    assert Image.open(made).text["Title"] == "c??.png filtered by sobel-x"


def test_a_photo_is_never_written_over(tmp_path: Path, command: Command) -> None:
    """Not even one that is called as a result would be, or is the same file by another name."""
    image, folder = Image.new("L", (5, 4), 9), tmp_path / "photos"
    folder.mkdir()
    image.save(folder / "a.png")
    image.save(folder / "a--sharpen.png")
    os.symlink(folder / "a.png", folder / "a--box-blur.png")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    arguments = ["--kernel", "sharpen", "--kernel", "box-blur", "--out", folder]
    status, _, err = command("filter", folder / "a.png", folder / "a--sharpen.png", *arguments)
    assert status == 1
    assert "a--sharpen.png' is one of the photos, which are never written over" in err
    assert {path: path.read_bytes() for path in before} == before

    status, _, err = command("filter", folder / "a.png", "--kernel", "sharpen", "--sheet", folder / "a.png")
    assert status == 1
    assert "is one of the photos" in err
    assert (folder / "a.png").read_bytes() == before[folder / "a.png"]


def test_a_contact_sheet_shows_the_gallery(photo: Path, tmp_path: Path, command: Command) -> None:
    sheet = tmp_path / "sheet.svg"
    status, out, _ = command("filter", photo, "--gallery", "--sheet", sheet)
    assert status == 0
    assert f"Drawn: {sheet}" in out
    drawn = sheet.read_text()
    assert "<desc>" in drawn
    assert all(f">{name}<" in drawn for name in NAMES)
    assert listed(tmp_path) == ["cat.png", "sheet.svg"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--out", "out"], "Give a --kernel, --gallery or --edges"),
        (["--kernel", "sharpen"], "Give --out"),
        (["--edges", "sobel", "--sheet", "a.png"], "Give --out"),
        (["--edges", "sobel", "--sheet", "a.png", "--out", "out"], "--sheet shows one photo"),
        (["--kernel", "sharpen", "--border", "mirror", "--out", "out"], "'mirror' is not one of"),
        (["--kernel", "sharpen", "--result", "best", "--out", "out"], "'best' is not one of"),
    ],
)
def test_wrong_usage_ends_with_status_2(arguments: list[str], words: str, photo: Path, command: Command) -> None:
    status, _, err = command("filter", photo, *arguments)
    assert status == 2
    assert words in " ".join(err.replace("│", " ").split())


def test_a_sheet_of_several_photos_and_a_folder_written_into_itself_are_refused(
    photo: Path, tmp_path: Path, command: Command
) -> None:
    for photos in ([photo, photo], [tmp_path]):
        status, _, err = command("filter", *photos, "--kernel", "sharpen", "--sheet", tmp_path / "a.png")
        assert status == 2
        assert "--sheet shows one photo" in err
    status, _, err = command("filter", tmp_path, "--kernel", "sharpen", "--out", tmp_path)
    assert status == 2
    assert "--out must be another folder" in err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sobelx", "There is no kernel 'sobelx'; the nearest are sobel-x"),
        ("1,2;3", "must have rows of equal length; got 2 in row 1 and 1 in row 2"),
        ("gone.txt", "must be a readable file"),
        ("1,nan", "must hold finite numbers"),
        ("1e39,1", "largest magnitude of the kernel must be from 1e-15 to 1e+15"),
    ],
)
def test_what_is_no_kernel_is_one_sentence(
    text: str, words: str, photo: Path, tmp_path: Path, command: Command
) -> None:
    status, _, err = command("filter", photo, "--kernel", text, "--out", tmp_path / "out")
    assert status == 1
    assert err.count("\n") == 1
    assert words in err


def test_a_folder_that_cannot_be_made_is_one_sentence(photo: Path, tmp_path: Path, command: Command) -> None:
    (tmp_path / "taken").write_text("")
    status, _, err = command("filter", photo, "--kernel", "sharpen", "--out", tmp_path / "taken")
    assert status == 1
    assert err.count("\n") == 1
    assert "taken' must be one that can be written; got: File exists" in err


def test_edges_of_a_16_bit_photo_keep_their_depth(tmp_path: Path, command: Command) -> None:
    ramp = np.tile(np.arange(20, dtype=np.uint16) * 1000, (6, 1))
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    status, out, _ = command("filter", tmp_path / "ramp.png", "--edges", "sobel", "--out", tmp_path / "out", "--json")
    (record,) = json.loads(out)
    assert status == 0
    assert record["edges"]["largest"] == 8000
    assert open_photo(record["edges"]["magnitude"]).pixels[3].tolist() == [0, *[65535] * 18, 0]
    direction = open_photo(record["edges"]["direction"])
    assert direction.pixels.dtype == np.uint8
    assert len(np.unique(direction.pixels[:6, 1:19].reshape(-1, 3), axis=0)) == 1
