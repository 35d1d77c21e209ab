"""The playground, driven as a person would: drawn on, pointed at, edited, linked to."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from playwright.sync_api import Locator, Page, expect

VERTICAL = [[1, 0, -1]] * 3
Open = Callable[..., Page]


def pad(page: Page) -> Locator:
    return page.get_by_role("application", name=re.compile("^Drawing"))


def map_of(page: Page, name: str) -> Locator:
    return page.get_by_role("application", name=f"Map of {name}", exact=True)


def middle(grid: Locator, row: int, column: int, size: int) -> tuple[float, float]:
    box = grid.bounding_box()
    assert box is not None
    return box["x"] + box["width"] * (column + 0.5) / size, box["y"] + box["height"] * (row + 0.5) / size


def walk(page: Page, rows: int, columns: int) -> None:
    """Go from the first cell of the grid in focus to another."""
    for key, steps in (("ArrowDown", rows), ("ArrowRight", columns)):
        for _ in range(steps):
            page.keyboard.press(key)


def numbers(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"-?\d+(?:\.\d+)?", text.replace("−", "-"))]


def test_a_stroke_of_the_mouse_changes_all_maps_and_a_cell_shows_its_sum(open_page: Open) -> None:
    page = open_page("playground?drawing=8.QAA")  # 64 black cells
    expect(page.get_by_text("Nobody: nothing is drawn.")).to_be_visible()
    page.mouse.move(*middle(pad(page), 1, 3, 8))
    page.mouse.down()
    page.mouse.move(*middle(pad(page), 6, 3, 8))
    page.mouse.up()

    expect(page.get_by_role("main").get_by_role("listitem").first).to_contain_text("Vertical edge")
    page.mouse.move(*middle(map_of(page, "Vertical edge"), 3, 4, 8))
    heading = page.get_by_role("heading", name="Vertical edge: row 3, column 4")
    expect(heading).to_be_visible()
    section = page.locator("section").filter(has=heading)
    tables = [np.reshape(numbers(table.inner_text()), (3, 3)) for table in section.get_by_role("table").all()]
    assert np.array_equal(tables[0], [[1, 0, 0]] * 3)  # the line lies at the left of the window
    assert np.array_equal(tables[1], VERTICAL)
    assert np.array_equal(tables[2], tables[0] * tables[1])
    expect(section).to_contain_text("Sum = 3")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Nobody: nothing is drawn.")).to_be_visible()


def test_all_of_it_by_keyboard_and_a_reload_finds_the_same(open_page: Open) -> None:
    page = open_page("playground?drawing=8.QAA")
    pad(page).focus()
    walk(page, 4, 4)
    page.keyboard.press(" ")
    grid = map_of(page, "Laplacian")
    grid.focus()
    walk(page, 4, 4)
    expect(grid).to_contain_text("Row 4, column 4: −4")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Let go")).to_be_visible()
    page.get_by_role("switch", name="Turn kernels by 180° first").press(" ")
    expect(page).to_have_url(re.compile("pin=2.4.4.*flip=1|flip=1.*pin=2.4.4"))

    page.reload()

    expect(page.get_by_role("heading", name="Laplacian: row 4, column 4")).to_be_visible()
    expect(page.get_by_role("switch", name="Turn kernels by 180° first")).to_be_checked()
    page.get_by_role("button", name="Let go").press("Enter")
    expect(page.get_by_role("heading", name="Laplacian: row 4, column 4")).to_be_hidden()


def test_a_kernel_is_named_as_it_is_typed(page: Page, open_page: Open) -> None:
    page = open_page("playground?kernels=vertical-edge")
    fields = page.get_by_role("group", name="Kernel Vertical edge").get_by_role("textbox")
    fields.nth(3).fill("2")
    fields = page.get_by_role("group", name="Kernel Your own").get_by_role("textbox")
    fields.nth(5).fill("-2")

    expect(page.get_by_role("heading", name="−1 × Sobel’s vertical edge")).to_be_visible()
    page.get_by_text("Add a kernel").click()
    page.get_by_role("button", name="Gabor stripes 45°").click()
    expect(map_of(page, "Gabor stripes 45°")).to_be_visible()
    page.get_by_role("button", name="Remove −1 × Sobel’s vertical edge").click()
    expect(page).to_have_url(re.compile(r"kernels=gabor%3Asize%3D7%2Cangle%3D45($|&)"))


def test_a_pixel_lights_the_cells_that_it_reaches(open_page: Open) -> None:
    page = open_page("playground?kernels=laplacian|1,2,1")
    page.get_by_role("radio", name="Look").check(force=True)
    page.mouse.move(*middle(pad(page), 0, 10, 20))

    def lit(name: str) -> Any:
        rects = map_of(page, name).locator("rect.window")
        expect(rects).to_have_count(1)
        return [int(rects.get_attribute(key) or 0) for key in ("x", "y", "width", "height")]

    assert lit("Laplacian") == [9, 0, 3, 2]
    assert lit("Your own") == [9, 0, 3, 1]


def test_shapes_digits_and_real_pictures_can_be_begun_with(open_page: Open) -> None:
    page = open_page("playground")
    page.get_by_role("button", name="Fill", exact=True).click()
    expect(page).to_have_url(re.compile("drawing=cross.20"))
    page.get_by_role("combobox", name="Digit").select_option("7")
    expect(page).to_have_url(re.compile("drawing=sign-7.20"))
    page.get_by_role("slider", name="Grid").fill("28")
    expect(pad(page)).to_have_accessible_name("Drawing, 28 by 28")
    page.get_by_role("button", name="Real clothing").click()
    expect(page).to_have_url(re.compile(r"drawing=28\."))


def test_how_fast_it_is_can_be_read(open_page: Open) -> None:
    page = open_page("playground")
    expect(map_of(page, "Sharpen")).to_be_visible()
    page.mouse.move(*middle(pad(page), 1, 1, 20))
    page.mouse.down()
    page.mouse.move(*middle(pad(page), 10, 18, 20), steps=20)
    page.mouse.up()
    page.get_by_text("How fast is this?").click()
    expect(page.get_by_text(re.compile("last .* their maps drawn within"))).to_be_visible()


def test_a_phone_shows_it_without_scrolling_sideways(open_page: Open, axe: Callable[[Page], None]) -> None:
    page = open_page("playground", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    expect(map_of(page, "Sharpen")).to_be_visible()
    x, y = middle(pad(page), 10, 10, 20)
    page.touchscreen.tap(x, y)
    expect(page).to_have_url(re.compile(r"drawing=20\."))
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    axe(page)


def test_it_is_accessible_in_the_dark(open_page: Open, axe: Callable[[Page], None]) -> None:
    page = open_page("playground?pin=0.5.5&colours=own", color_scheme="dark")
    expect(page.get_by_role("heading", name="Vertical edge: row 5, column 5")).to_be_visible()
    page.get_by_text("Add a kernel").click()
    axe(page)
