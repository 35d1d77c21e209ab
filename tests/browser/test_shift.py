"""The shift lab, driven as a person would."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

Open = Callable[..., Page]
BOOT = "shift?net=fashion&from=sample&sample=fashion-mnist-mini:0"


def test_a_picture_is_dragged_and_the_answer_follows(open_page: Open, axe: Callable[[Page], None]) -> None:
    page = open_page(BOOT)
    answer = page.locator(".answer strong")
    expect(answer).to_have_text("Ankle boot")
    hand = page.get_by_role("application", name="Picture that can be moved")
    box = hand.bounding_box()
    assert box is not None
    unit = box["width"] / 28
    page.mouse.move(box["x"] + 10 * unit, box["y"] + 14 * unit)
    page.mouse.down()
    page.mouse.move(box["x"] + 15 * unit, box["y"] + 14 * unit, steps=5)
    page.mouse.up()
    expect(page.get_by_role("slider", name="To the right")).to_have_value("5")
    expect(page.get_by_text("what it said of the picture as it was")).to_be_visible()
    expect(page).to_have_url(re.compile(r"change=right\*5"))
    page.get_by_role("button", name="As it was").click()
    expect(page.get_by_role("slider", name="To the right")).to_have_value("0")
    axe(page)


def test_all_changes_by_keys(open_page: Open) -> None:
    page = open_page(BOOT)
    hand = page.get_by_role("application", name="Picture that can be moved")
    hand.focus()
    for key in ("ArrowLeft", "Shift+ArrowUp", ",", ",", "+"):
        page.keyboard.press(key)
    for name, value in (("To the right", "-1"), ("Down", "-5"), ("Turn", "10"), ("Scale", "1.05")):
        expect(page.get_by_role("slider", name=name)).to_have_value(value)
    page.keyboard.press("0")
    expect(page.get_by_role("slider", name="Turn")).to_have_value("0")


def test_a_turned_boot_is_no_boot_any_more(open_page: Open) -> None:
    page = open_page(f"{BOOT}&change=rotation*90")
    answer = page.locator(".answer strong")
    expect(answer).to_be_visible()
    expect(answer).not_to_have_text("Ankle boot")


def test_curves_layers_and_remedies_are_measured(open_page: Open) -> None:
    page = open_page(f"{BOOT}&curve=translation")
    curve = page.get_by_role("table", name=re.compile("Accuracy when the picture is changed"))
    expect(curve.get_by_role("row", name=re.compile("^0 "))).to_contain_text("%", timeout=30_000)
    follow = page.get_by_role("table", name="Which layers follow a shift")
    # Behind one pooling: 1 pixel is not followed, 2 are.
    row = {shift: follow.get_by_role("row", name=re.compile(f"^{shift} ")).get_by_role("cell") for shift in (1, 2)}
    expect(row[2].nth(2)).to_have_text(re.compile(r"^(0|\d.*e−\d)$"), timeout=30_000)  # but for rounding
    assert float(row[1].nth(2).inner_text()) > 0.1
    remedies = page.get_by_role("table", name="What helps")
    expect(remedies.get_by_role("row", name=re.compile("^90 "))).to_have_text(re.compile("2%.*69%.*2%.*87%", re.DOTALL))


def test_it_fits_a_phone(open_page: Open, axe: Callable[[Page], None]) -> None:
    page = open_page(BOOT, viewport={"width": 360, "height": 740})
    expect(page.locator(".answer strong")).to_have_text("Ankle boot")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    axe(page)
