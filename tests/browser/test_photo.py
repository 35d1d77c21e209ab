"""The photo room, driven as a person would: a photo opened, filtered, compared, downloaded."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from pellucid.explain.kernels.gallery import kernel
from pellucid.explain.photo import filter_photo

Open = Callable[..., Page]


def a_photo() -> tuple[np.ndarray, FilePayload]:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return pixels, {"name": "me.png", "mimeType": "image/png", "buffer": file.getvalue()}


def test_a_photo_is_opened_filtered_and_downloaded(open_page: Open) -> None:
    page = open_page("photo")
    pixels, file = a_photo()
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_text("80 × 60 pixels, 8 bits")).to_be_visible()
    page.get_by_role("button", name="Emboss").click()
    expect(page.get_by_role("img", name="The photo, filtered: Emboss")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download in full size").click()

    assert download.value.suggested_filename == "photo--emboss.png"
    saved = np.asarray(Image.open(Path(download.value.path())))
    assert np.array_equal(saved, filter_photo(pixels, kernel("emboss")).values)
    expect(page.get_by_text(re.compile("photo--emboss.png: filtered in"))).to_be_visible()


def test_before_and_after_are_compared_by_keys(open_page: Open) -> None:
    page = open_page("photo?effect=laplacian")
    slider = page.get_by_role("slider", name="Show how much of the filtered photo")
    expect(slider).to_have_attribute("aria-valuetext", "50% filtered")
    slider.press("Home")
    expect(slider).to_have_attribute("aria-valuenow", "100")
    slider.press("ArrowRight")
    slider.press("PageUp")
    expect(slider).to_have_attribute("aria-valuenow", "88")
    expect(page).to_have_url(re.compile("split=0.12"))


def test_strength_mixes_and_a_typed_number_makes_it_ones_own(open_page: Open) -> None:
    page = open_page("photo?effect=sharpen")
    fields = page.get_by_role("group", name="Kernel").get_by_role("textbox")
    expect(fields.nth(4)).to_have_value("5")
    page.get_by_role("slider", name="Strength").fill("2")
    expect(fields.nth(4)).to_have_value("9")
    fields.nth(4).fill("8")
    expect(page.get_by_role("heading", name="Kernel of your own")).to_be_visible()
    expect(page).to_have_url(re.compile("effect=typed"))
    page.reload()
    expect(page.get_by_role("group", name="Kernel").get_by_role("textbox").nth(4)).to_have_value("8")


def test_settings_shape_a_kernel(open_page: Open) -> None:
    page = open_page("photo?effect=motion-blur")
    page.get_by_role("slider", name="Angle").fill("45")
    page.get_by_role("slider", name="Size").fill("3")
    fields = page.get_by_role("group", name="Kernel").get_by_role("textbox")
    expect(fields).to_have_count(9)
    upper_right, lower_right = float(fields.nth(2).input_value()), float(fields.nth(8).input_value())
    assert upper_right > lower_right == 0


def test_a_picture_that_was_forgotten_is_said(open_page: Open) -> None:
    page = open_page("photo?photo=gone")
    expect(page.get_by_text("upload it again")).to_be_visible()
    expect(page.get_by_role("img", name="The photo, filtered: Sharpen")).to_be_visible()


def test_it_is_accessible_on_a_phone_and_in_the_dark(open_page: Open, axe: Callable[[Page], None]) -> None:
    phone = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True, "color_scheme": "dark"}
    page = open_page("photo?effect=direction", **phone)
    expect(page.get_by_role("img", name="The photo, filtered: Edges: direction")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    axe(page)
