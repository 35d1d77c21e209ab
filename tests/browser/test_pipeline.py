"""The pipeline, driven as a person would."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

Open = Callable[..., Page]


def grid(page: Page, name: str) -> Locator:
    """Return a map by its name."""
    return page.get_by_role("application", name=name, exact=True)


def test_a_cell_is_the_sum_of_its_channels(open_page: Open) -> None:
    page = open_page("pipeline?picture=colour-bars")
    cells = grid(page, "Convolution of filter 1")
    cells.focus()
    for _ in range(8):
        cells.press("ArrowRight")
    # Columns 8 to 10 of red, green, blue and white bars: blue on the left, white on the right.
    expect(cells.locator("[aria-live]")).to_have_text("Row 0, column 8: −54")
    said = page.locator(".cell")
    expect(said).to_contain_text("Convolution of filter 1, row 0, column 8: (−27) + (−27) + 0 = −54")
    parts = said.locator(".part")
    expect(parts).to_have_count(3)
    expect(parts.nth(0).get_by_role("table", name="patch").locator("tr").first).to_have_text(re.compile(r"0\s*9\s*9"))
    expect(parts.nth(1)).to_contain_text("= −27")


def test_a_pressed_cell_stays(open_page: Open) -> None:
    page = open_page("pipeline?picture=bar")
    pool = grid(page, "Pooling of filter 1")
    box = pool.bounding_box()
    pool.click(position={"x": 0.75 * box["width"], "y": 0.25 * box["height"]})
    page.mouse.move(2, 2)
    expect(page.locator(".cell p")).to_have_text("Pooling of filter 1, row 0, column 1: 27")
    expect(page.get_by_role("table", name="patch")).to_have_text(re.compile(r"18\s*18\s*27\s*27"))


def test_drawing_and_settings_come_back_with_the_address(open_page: Open) -> None:
    page = open_page("pipeline?picture=bar&stride=2")
    image = grid(page, "Picture")
    expect(image).to_be_visible()
    image.focus()
    image.press("Enter")
    conv = grid(page, "Convolution of filter 1")
    expect(page).to_have_url(re.compile("picture=drawn"))
    page.reload()
    conv.focus()
    expect(conv.locator("[aria-live]")).to_have_text("Row 0, column 0: −9")  # 9 on the left, 2·9 on the right


def test_filters_come_and_go_and_are_edited(open_page: Open) -> None:
    page = open_page("pipeline?picture=bar")
    page.get_by_role("button", name="One more filter").click()
    expect(page.get_by_role("button", name="Filter 4")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("combobox", name="Filter", exact=True).select_option("sobel-x")
    conv = grid(page, "Convolution of filter 4")
    conv.focus()
    expect(conv.locator("[aria-live]")).to_have_text("Row 0, column 0: 27")
    expect(page.get_by_text("4·(1·3·3 + 1) = 40")).to_be_visible()
    page.get_by_role("button", name="Remove").click()
    expect(conv).to_have_count(0)


def test_two_kernels_are_one_until_relu_stands_between(open_page: Open) -> None:
    page = open_page("pipeline?picture=disc")
    expect(page.get_by_text("Both ways give exactly the same numbers.")).to_be_visible()
    page.get_by_label("ReLU between the two").check()
    expect(page.get_by_text(re.compile(r"With ReLU between them, .* of the cells change"))).to_be_visible()


def test_a_photo_is_taken(open_page: Open, tmp_path: Path) -> None:
    Image.fromarray(np.full((60, 40, 3), (255, 0, 0), np.uint8)).save(tmp_path / "red.png")
    page = open_page("pipeline")
    page.get_by_label("Take a photo").first.set_input_files(tmp_path / "red.png")
    expect(page.get_by_text("3×32×21")).to_be_visible()
    expect(page).to_have_url(re.compile("picture=upload"))


def test_a_large_window_is_refused_in_words(open_page: Open) -> None:
    page = open_page("pipeline?picture=bar&dilation=3")
    expect(page.get_by_role("alert")).to_contain_text("does not fit")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_can_use_it(scheme: str, open_page: Open, axe: Callable[[Page], None]) -> None:
    page = open_page("pipeline?padding=1", color_scheme=scheme, viewport={"width": 360, "height": 780})
    expect(page.get_by_role("heading", name="Two in a row are one")).to_be_visible()
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
