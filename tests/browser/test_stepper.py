"""The stepper, driven as a person would: by keys, by mouse, on a phone."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

Open = Callable[..., Page]


def grid(page: Page, name: str) -> Locator:
    """Return a map on the stage by its title and size."""
    return page.get_by_role("application", name=name, exact=True)


def reads(page: Page, name: str, presses: str = "") -> str:
    """Move over a map by keys from its first cell; return what is said aloud of the cell."""
    place = grid(page, name)
    place.evaluate("element => element.blur()")
    place.focus()
    for key in presses.split():
        place.press(key)
    said = place.locator("[aria-live]")
    expect(said).to_have_text(re.compile("Row"))
    return said.inner_text()


def test_the_lesson_by_keys_alone(open_page: Open) -> None:
    page = open_page("stepper")
    step, sentence = page.get_by_role("slider", name="Step"), page.locator(".said p").first
    expect(sentence).to_have_text("The 3×3 window of the kernel has 4×4 places on the 6×6 image.")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(step).to_have_value("3")
    expect(sentence).to_have_text(re.compile(r"^Row 0, column 2: .* = 18\.$"))
    page.keyboard.press("ArrowLeft")
    expect(sentence).to_have_text(re.compile(r"^Row 0, column 1: .* = −18\.$"))
    page.keyboard.press("End")
    expect(step).to_have_value("36")
    assert reads(page, "Max pooling, 2×2") == "Row 0, column 0: 0"
    assert reads(page, "Max pooling, 2×2", "ArrowRight") == "Row 0, column 1: 27"
    assert reads(page, "Max pooling, 2×2", "ArrowDown") == "Row 1, column 1: 27"
    assert reads(page, "Max pooling, 2×2", "ArrowLeft") == "Row 1, column 0: 0"
    page.get_by_role("heading", name="Stepper").click()
    page.keyboard.press("Home")
    expect(step).to_have_value("0")
    assert reads(page, "ReLU, 4×4") == "Row 0, column 0: still empty"


def test_it_plays_to_the_end(open_page: Open) -> None:
    page = open_page("stepper?speed=8&step=20")
    expect(page.get_by_role("slider", name="Step")).to_have_value("20")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    expect(page.get_by_role("slider", name="Step")).to_have_value("36")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    expect(page.locator(".said p").first).to_have_text("Row 1, column 1: the largest of 27, 27, 18 and 18 is 27.")


def test_without_motion_a_step_is_there_at_once(open_page: Open) -> None:
    page = open_page("stepper?step=16", reduced_motion="reduce")
    page.get_by_role("button", name="One step on").click()
    expect(page.locator(".said p").first).to_have_text("Row 0, column 0: −18 is negative, so ReLU makes it 0.")


def test_the_kernel_is_edited_and_comes_back_with_the_address(open_page: Open) -> None:
    page = open_page("stepper?step=1")
    grid(page, "Kernel, 3×3").focus()
    page.keyboard.type("-2")
    page.keyboard.press("Enter")
    expect(page.locator(".said p").first).to_have_text(re.compile(r"^Row 0, column 0: 0·\(−2\) \+"))
    page.get_by_label("Pattern").select_option("ramp")
    page.get_by_role("radio", name="same").check(force=True)
    expect(grid(page, "Convolution, 8×8")).to_be_visible()
    expect(page).to_have_url(re.compile("padding=same"))
    page.reload()
    expect(grid(page, "Convolution, 8×8")).to_be_visible()
    assert reads(page, "Kernel, 3×3") == "Row 0, column 0: −2"


def test_drawing_changes_the_maps(open_page: Open) -> None:
    page = open_page("stepper?step=36")
    image = grid(page, "Image, 6×6")
    box = image.bounding_box()
    cell = box["width"] / 6
    page.mouse.move(box["x"] + cell / 2, box["y"] + cell / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + cell / 2, box["y"] + 2.5 * cell, steps=8)
    page.mouse.up()
    expect(page).to_have_url(re.compile("image=9"))
    assert reads(page, "Convolution, 4×4") == "Row 0, column 0: 9"  # 3·9 on the left, 2·9 on the right


def test_the_way_back(open_page: Open) -> None:
    page = open_page("stepper?backward=1")
    expect(page.get_by_text("Step 0 of 115")).to_be_visible()
    page.keyboard.press("End")
    expect(page.get_by_text("to the image").first).to_be_visible()
    # The cells that won are (1, 2) and (2, 2); the first weight met the pixels there, 9 and 9.
    gradients = page.get_by_role("application", name="Gradient, 3×3", exact=True)
    gradients.focus()
    expect(gradients.locator("[aria-live]")).to_have_text("Row 0, column 0: 18")


def test_what_cannot_be_is_said_and_passes(open_page: Open) -> None:
    page = open_page("stepper?dilation=3")
    expect(page.get_by_role("alert")).to_contain_text("it does not fit")
    page.get_by_role("slider", name="Dilation").fill("2")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(grid(page, "Convolution, 2×2")).to_be_visible()


def test_the_film_is_kept(open_page: Open) -> None:
    page = open_page("stepper")
    with page.expect_download() as download:
        page.get_by_role("button", name="SVG").click()
    assert download.value.suggested_filename == "steps.svg"
    assert "[" not in download.value.path().read_text("utf-8")[:1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_can_use_it(scheme: str, open_page: Open, axe: Callable[[Page], None]) -> None:
    page = open_page(
        "stepper?step=30&backward=1&padding=1", color_scheme=scheme, viewport={"width": 360, "height": 780}
    )
    expect(page.get_by_label("Filter")).to_be_visible()
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
