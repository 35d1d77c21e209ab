"""All that shows steps shows the same frames: animation, strip, drawing, page."""

import base64
import hashlib
import io
import json
import re
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from pellucid.errors import FileError, ParameterError
from pellucid.explain.steps.frame import Scene, Slopes, frame, pipeline, scene, slopes
from pellucid.explain.trace import Trace
from pellucid.views.stepper import save as stepper
from pellucid.views.stepper.colours import GONE, on, ramps
from pellucid.views.stepper.draw import maps, poster
from pellucid.views.stepper.layout import layout
from pellucid.views.stepper.marks import AMBER, Box, Drawing, Words, measure
from pellucid.views.stepper.page import data
from pellucid.views.stepper.raster import pictures

BAR = np.zeros((6, 6))
BAR[1:5, 2:4] = 9
EDGE = [[1, 0, -1]] * 3


@pytest.fixture(scope="module")
def bar() -> Trace:
    return pipeline(BAR, EDGE)


@pytest.fixture(scope="module")
def back(bar: Trace) -> Slopes:
    return slopes(bar)


def cases() -> dict[str, Trace]:
    rng = np.random.default_rng(0)
    return {
        "bar": pipeline(BAR, EDGE),
        "decimals": pipeline(
            rng.standard_normal((7, 9)), rng.standard_normal((3, 2)), bias=-1.25, stride=2, pool="average"
        ),
        "border": pipeline(rng.integers(0, 256, (8, 8)), EDGE, padding=2, border="reflect", dilation=2, pool="none"),
        "large": pipeline(rng.integers(0, 256, (16, 16)), np.ones((7, 7)) / 49, padding="same"),
        "one": pipeline([[5]], [[-1]], pool="none"),
    }


def last(t: Trace, found: Slopes | None = None) -> Drawing:
    stage = scene(t, found)
    return poster(stage, frame(t, len(stage) - 1, found))


def written(drawing: Drawing) -> list[str]:
    return [mark.text for mark in drawing.marks if isinstance(mark, Words)]


def numbers_in(stage: Scene, drawing: Drawing, name: str) -> list[list[str]]:
    """What is written into the cells of a map."""
    place = layout(stage).places[name]
    words = {
        (mark.x, mark.y): mark.text for mark in drawing.marks if isinstance(mark, Words) and mark.align == "middle"
    }
    half = (place.cell - 1) / 2
    corners = [[place.corner(y, x) for x in range(place.size[1])] for y in range(place.size[0])]
    return [[words.get((x + half, y + half), "") for x, y in row] for row in corners]


def test_the_last_frame_reads_as_in_the_lesson(bar: Trace) -> None:
    stage, drawing = scene(bar), last(bar)

    assert numbers_in(stage, drawing, "pool") == [["0", "27"], ["0", "27"]]
    assert numbers_in(stage, drawing, "conv")[0] == ["−18", "−18", "18", "18"]
    assert {"⌊(6 − 3 + 2·0)/1⌋ + 1 = 4", "step 36 of 36", "made 0 by ReLU", "−27", "+27"} <= set(written(drawing))


def test_cells_fill_one_by_one_and_negative_ones_turn_grey(bar: Trace) -> None:
    stage = scene(bar)
    place = layout(stage).places["relu"]
    before, after = (maps(stage, frame(bar, step)) for step in (16, 17))

    assert numbers_in(stage, before, "relu") == [[""] * 4] * 4
    assert numbers_in(stage, after, "relu")[0] == ["0", "", "", ""]
    assert Box(0, place.x, place.y, place.cell - 1, place.cell - 1, GONE) in after.still
    assert set(before.still) - {mark for mark in before.still if isinstance(mark, Box) and mark.face == "soft"} <= set(
        after.still
    )


def test_the_amber_window_lies_over_the_border_and_on_the_cell_that_is_filled() -> None:
    t = pipeline(BAR, EDGE, padding=1)
    stage = scene(t)
    image, conv = (layout(stage).places[name] for name in ("image", "conv"))
    windows = [mark for mark in maps(stage, frame(t, 1)).moving if isinstance(mark, Box) and mark.edge == "amber"]

    assert (image.x, image.y, 3 * image.cell - 1) in {(mark.x, mark.y, mark.width) for mark in windows}
    assert (conv.x, conv.y, conv.cell - 1) in {(mark.x, mark.y, mark.width) for mark in windows}


def test_the_products_and_their_sum_are_written_out(bar: Trace) -> None:
    drawing = maps(scene(bar), frame(bar, 7))

    assert numbers_in(scene(bar), drawing, "products") == [["9", "0", "0"]] * 3
    assert "sum 27" in written(drawing)
    assert written(drawing).count("×−1") == 3


@pytest.mark.parametrize("name", list(cases()))
@pytest.mark.parametrize("with_back", [False, True])
def test_drawings_are_legible(name: str, with_back: bool) -> None:
    t = cases()[name]
    found = slopes(t) if with_back else None
    stage = scene(t, found)
    for step in stepper.key_steps(t, found):
        drawing = poster(stage, frame(t, step, found))
        boxes = []
        for mark in drawing.marks:
            if isinstance(mark, Words) and mark.text.strip() and not mark.text.startswith("×"):
                width = measure(mark.text, mark.size, mark.bold)
                left = mark.x - {"left": 0, "middle": width / 2, "right": width}[mark.align]
                boxes.append((mark.text, left, mark.y - mark.size / 2, left + width, mark.y + mark.size / 2))
        for words, x0, y0, x1, y1 in boxes:
            left, top = drawing.origin
            inside = x0 >= left and y0 >= top and x1 <= left + drawing.width and y1 <= top + drawing.height
            assert inside, f"{words!r} leaves the drawing"
        if name != "large":  # quadratic in the number of cells
            for (one, *a), (other, *b) in combinations(boxes, 2):
                apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
                assert apart, f"{one!r} lies on {other!r}"


def test_numbers_are_told_from_their_ground() -> None:
    def light(colour: str) -> float:
        parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
        return sum(
            w * (p / 12.92 if p <= 0.04 else ((p + 0.055) / 1.055) ** 2.4)
            for w, p in zip((0.2126, 0.7152, 0.0722), parts, strict=True)
        )

    for ramp in ramps(scene(pipeline(BAR, EDGE), slopes(pipeline(BAR, EDGE)))):
        for face in ramp.samples:
            pair = sorted((light(face), light(on(face))))
            assert (pair[1] + 0.05) / (pair[0] + 0.05) > 4, face


def test_the_animation_has_a_frame_for_each_step(bar: Trace, tmp_path: Path) -> None:
    done = []
    stepper.save(bar, tmp_path / "bar.gif", progress=lambda *numbers: done.append(numbers))

    with Image.open(tmp_path / "bar.gif") as picture:
        assert picture.n_frames == len(scene(bar)) == 37
        assert picture.info["loop"] == 0
        about = picture.info["comment"].decode()
        durations = []
        for index in range(picture.n_frames):
            picture.seek(index)
            durations.append(picture.info["duration"])
        shown = np.asarray(picture.convert("RGB")).astype(int)
    expected = np.asarray(next(pictures([last(bar)]))).astype(int)
    assert "Max pool, 2×2: 0 27; 0 27." in about
    assert tuple(durations) == stepper.durations(scene(bar))
    assert abs(shown - expected).max() < 64  # the rims of letters have the nearest of 255 colours
    assert (shown == expected).all(axis=2).mean() > 0.98
    assert done == [(index, 37) for index in range(1, 38)]
    assert (tmp_path / "bar.gif").stat().st_size < 300_000


def test_painting_frames_one_after_the_other_is_painting_each(bar: Trace, back: Slopes) -> None:
    stage = scene(bar, back)
    drawings = [poster(stage, frame(bar, step, back)) for step in range(0, len(stage), 5)]

    for together, drawing in zip(pictures(drawings), drawings, strict=True):
        assert together.tobytes() == next(pictures([drawing])).tobytes()


def test_the_animation_has_the_colours_of_the_scales(bar: Trace, tmp_path: Path) -> None:
    stepper.save(bar, tmp_path / "bar.gif")
    place = layout(scene(bar)).places["image"]
    with Image.open(tmp_path / "bar.gif") as picture:
        picture.seek(1)
        pixels = picture.convert("RGB")
        left, top = poster(scene(bar), frame(bar, 1)).origin
        corner = pixels.getpixel((place.x - left - 1, place.y - top - 1))

    assert "#{:02x}{:02x}{:02x}".format(*corner) == AMBER
    assert pixels.getpixel((2, 2)) == (255, 255, 255)


def test_no_animation_lasts_too_long() -> None:
    large = scene(cases()["large"])

    assert 18_000 < sum(stepper.durations(scene(pipeline(BAR, EDGE)))) < 40_000
    assert sum(stepper.durations(large)) < 80_000
    assert len(stepper.durations(large)) == len(large)
    assert min(stepper.durations(large)) >= 40


def test_an_animation_of_very_many_steps_leaves_some_out_and_takes_as_long() -> None:
    t = pipeline(np.ones((16, 16)), np.ones((7, 7)), padding="full")
    for stage in (scene(pipeline(BAR, EDGE)), scene(t, slopes(t))):
        steps, times = stepper.animated(stage)
        few = len(stage) <= 600
        assert (steps == list(range(len(stage)))) == few
        assert len(steps) < 650
        assert sum(times) == sum(stepper.durations(stage))
        assert steps == sorted(set(steps))
        for phase in stage.phases:
            assert {phase.first, phase.first + phase.count - 1} <= set(steps)


def test_the_strip_shows_key_frames(bar: Trace, back: Slopes, tmp_path: Path) -> None:
    stepper.save(bar, tmp_path / "bar.png")
    stepper.save(bar, tmp_path / "back.png", back)

    assert stepper.key_steps(bar) == [7, 21, 36]
    assert stepper.key_steps(bar, back) == [7, 21, 34, 38, 60, 70, 115]
    one = poster(scene(bar), frame(bar, 7))
    with Image.open(tmp_path / "bar.png") as picture:
        assert picture.size == (2 * one.width, 3 * (2 * one.height + 4) - 4)
        assert picture.text["Title"] == "A 6×6 image and a 3×3 kernel, step by step: convolution, ReLU, max pool"
        assert "Convolution, 4×4: −18 −18 18 18;" in picture.text["Description"]
    with Image.open(tmp_path / "back.png") as picture:
        assert picture.width > 2 * one.width
        assert "Gradient of the kernel, 3×3: 18 18 0;" in picture.text["Description"]


def test_the_drawing_is_the_last_frame_and_says_so(bar: Trace, tmp_path: Path) -> None:
    stepper.save(bar, tmp_path / "bar.svg")
    root = ElementTree.parse(tmp_path / "bar.svg").getroot()
    svg = "{http://www.w3.org/2000/svg}"
    texts = [element.text for element in root.iter(f"{svg}text")]

    assert root.find(f"{svg}title").text.startswith("A 6×6 image")
    assert "Max pool, 2×2: 0 27; 0 27." in root.find(f"{svg}desc").text
    assert texts == written(last(bar))
    assert "var(" not in (tmp_path / "bar.svg").read_text(encoding="utf-8")


class Page(HTMLParser):
    """What a page holds: the text of its data, its scripts and styles, its tags, its tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, Any]]] = []
        self.inside: dict[str, str] = {}
        self.tables: list[list[list[str]]] = []
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = "data" if dict(attrs).get("id") == "data" else tag
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])

    def handle_data(self, data: str) -> None:
        if self._open == "td" and data.strip():
            self.tables[-1][-1].append(data)
        self.inside[self._open] = self.inside.get(self._open, "") + data


@pytest.fixture(scope="module")
def page(bar: Trace, back: Slopes, tmp_path_factory: pytest.TempPathFactory) -> Page:
    path = tmp_path_factory.mktemp("page") / "bar.html"
    stepper.save(bar, path, back)
    return Page(path.read_text(encoding="utf-8"))


def test_the_player_holds_what_the_trace_holds(page: Page, bar: Trace, back: Slopes) -> None:
    told = json.loads(page.inside["data"])
    stage = scene(bar, back)
    shown: set[int] = set()

    assert len(told["frames"]) == len(stage)
    assert told["times"] == list(stepper.durations(stage))
    for step, one in enumerate(told["frames"]):
        expected = frame(bar, step, back)
        shown = shown - set(one["drop"]) | set(one["add"])
        assert one["sentence"] == expected.sentence
        texts = sorted(told["marks"][number].get("text", "") for number in shown)
        assert texts == sorted(getattr(mark, "text", "") for mark in set(maps(stage, expected).marks))
    assert told == json.loads(json.dumps(data(bar, stepper.durations(stage), back)))
    assert page.tables[4] == [["0", "27"], ["0", "27"]]
    assert len(page.tables) == len(stage.grids)


def test_the_player_loads_nothing_and_runs_only_its_own_script(page: Page) -> None:
    policy = next(attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy")

    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    for inside in ("style", "script"):
        own = base64.b64encode(hashlib.sha256(page.inside[inside].strip("\n").encode()).digest()).decode()
        exact = base64.b64encode(hashlib.sha256(page.inside[inside].encode()).digest()).decode()
        assert own in policy or exact in policy
    assert not [attrs for _, attrs in page.tags if "src" in attrs or "href" in attrs or "style" in attrs]
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page.inside["script"])


def test_the_player_can_be_used_by_everybody(page: Page) -> None:
    buttons = {attrs["id"] for tag, attrs in page.tags if tag == "button"}
    by_id = {attrs["id"]: (tag, attrs) for tag, attrs in page.tags if "id" in attrs}

    assert buttons == {"start", "back", "play", "step", "end", "turn"}
    assert by_id["sentence"][1]["aria-live"] == "polite"
    assert by_id["seek"][1]["max"] == "115"
    assert by_id["stage"][1]["role"] == "img"
    assert by_id["turn"][1]["data-step"] == "37"


def test_without_gradients_there_is_no_way_back(bar: Trace, tmp_path: Path) -> None:
    stepper.save(bar, tmp_path / "bar.html")

    assert "turn" not in {attrs.get("id") for _, attrs in Page((tmp_path / "bar.html").read_text("utf-8")).tags}


def test_the_same_steps_give_the_same_bytes(bar: Trace, tmp_path: Path) -> None:
    for suffix in stepper.FORMATS:
        one, other = tmp_path / f"one{suffix}", tmp_path / f"other{suffix}"
        stepper.save(bar, one)
        stepper.save(pipeline(BAR, EDGE), other)
        assert one.read_bytes() == other.read_bytes()


def test_files_that_cannot_be_are_refused(bar: Trace, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"must end in \.gif, \.png, \.svg or \.html; got 'a\.mp4'"):
        stepper.save(bar, "a.mp4")
    with pytest.raises(FileError, match="cannot be written"):
        stepper.save(bar, tmp_path / "none" / "a.svg")


def test_pictures_scale_by_whole_pixels(bar: Trace) -> None:
    small, large = (next(pictures([last(bar)], scale)) for scale in (1, 2))

    assert large.size == (2 * small.width, 2 * small.height)
    file = io.BytesIO()
    large.save(file, "png")
    assert len(file.getvalue()) > 10_000
