"""Inspect, driven as a person would: draw, open a map, open a cell, and come back to the same place."""

import re
from collections.abc import Callable

import numpy as np
from playwright.sync_api import Locator, Page, expect

import pellucid as pel

Open = Callable[..., Page]


def answer(page: Page) -> Locator:
    return page.locator(".answer strong")


def layer(page: Page, name: str) -> Locator:
    """Return a layer's button in the overview."""
    return page.get_by_role("button", name=re.compile(rf"^{name}:"))


def shown(text: str) -> float:
    return float(text.replace("−", "-"))


def test_a_stroke_drawn_by_mouse_is_answered_at_once(open_page: Open, axe: Callable[[Page], None]) -> None:
    page = open_page("inspect")
    expect(answer(page)).to_have_text("3")
    page.get_by_role("button", name="Clear").click()
    pad = page.get_by_role("application", name="Drawing").locator("canvas")
    box = pad.bounding_box()
    assert box is not None
    x, top, bottom = box["x"] + box["width"] / 2, box["y"] + 0.15 * box["height"], box["y"] + 0.85 * box["height"]
    page.mouse.move(x, top)
    page.mouse.down()
    page.mouse.move(x - 4, bottom, steps=12)
    page.mouse.up()
    expect(answer(page)).to_have_text("1")
    page.get_by_role("button", name="Undo stroke").click()
    expect(page.get_by_text("Draw here")).to_be_visible()
    axe(page)


def test_from_all_maps_to_one_numbers_arithmetic_by_keys_alone(open_page: Open) -> None:
    page = open_page("inspect?net=fashion&from=sample&sample=fashion-mnist-mini:3")
    conv2 = layer(page, "conv2")
    expect(conv2).to_have_accessible_name(re.compile("Numbers from"))
    conv2.focus()
    for _ in range(5):
        page.keyboard.press("ArrowDown")
    expect(conv2).to_have_accessible_name(re.compile("Map 5 is marked"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="conv2, map 5")).to_be_visible()
    grid = page.get_by_role("application", name="conv2, map 5")
    grid.focus()
    for key in ["ArrowDown"] * 10 + ["ArrowRight"] * 12 + ["Enter"]:
        page.keyboard.press(key)
    expect(page.get_by_role("heading", name="Where the number in row 10, column 12 comes from")).to_be_visible()
    told = page.locator(".sum").inner_text()

    net = pel.pretrained("fashion")
    _, test = pel.datasets.load("fashion-mnist-mini")
    preprocessing = pel.data.Preprocessing.from_dict(net.metadata["preprocessing"])
    cell = pel.trace(net, preprocessing.normalise(test.images[3])).cell("conv2", 5, 10, 12)
    engine = re.search(r"The engine computed ([−\d.e]+),", told)
    assert engine is not None
    assert np.isclose(shown(engine[1]), cell.value, rtol=1e-7)
    y0, x0, y1, x1 = cell.box
    assert f"rows {y0} to {y1 - 1}, columns {x0} to {x1 - 1}" in told
    totals = [shown(text) for text in page.locator(".cell .sign b").all_inner_texts()]
    rest = shown(page.locator(".line b").inner_text())
    assert np.isclose(sum(totals) + rest + cell.bias, cell.explained, atol=2e-3)


def test_a_link_brings_the_same_back(open_page: Open) -> None:
    page = open_page("inspect")
    page.get_by_role("group", name="Begin with a digit").get_by_role("button", name="7").click()
    expect(answer(page)).to_have_text("7")
    layer(page, "relu1").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="relu1, map 1")).to_be_visible()
    expect(page).to_have_url(re.compile("at=relu1"))
    page.reload()
    expect(answer(page)).to_have_text("7")
    expect(page.get_by_role("heading", name="relu1, map 1")).to_be_visible()
    page.get_by_role("button", name="All layers").click()
    expect(page.get_by_role("heading", name="relu1, map 1")).to_be_hidden()


def test_words_light_up_the_layers_that_they_name(open_page: Open) -> None:
    page = open_page("inspect?at=conv3*2")
    paragraph = page.get_by_role("listitem").filter(has_text="conv3 reads pool1")
    expect(paragraph).to_have_class(re.compile("current"))
    page.get_by_role("listitem").filter(has_text="pool2 reads").get_by_role("button", name="pool2").hover()
    expect(page.get_by_role("listitem").filter(has_text="pool2 reads")).to_have_class(re.compile("current"))
    expect(paragraph).not_to_have_class(re.compile("current"))


def test_which_pixels_and_what_excites(open_page: Open) -> None:
    page = open_page("inspect?net=fashion&from=sample&look=pixels&method=grad-cam&at=relu3*9")
    expect(page.get_by_role("application", name=re.compile("What speaks for “Ankle boot”"))).to_be_visible()
    page.get_by_role("button", name="Does the map depend on what was learned?").click()
    expect(page.locator("strong").filter(has_text="Grad-CAM")).to_be_visible(timeout=20_000)
    page.get_by_role("radio", name="What excites it").check()
    page.get_by_label("Data set").last.select_option("fashion-mnist-mini")
    page.get_by_role("button", name="Find them").click()
    expect(page.get_by_text("The best of 1,000 test pictures")).to_be_visible()


def test_it_fits_a_phone(open_page: Open, axe: Callable[[Page], None]) -> None:
    page = open_page("inspect?at=conv2*4*12*13", viewport={"width": 360, "height": 740}, color_scheme="dark")
    expect(page.get_by_role("heading", name=re.compile("Where the number"))).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    axe(page)
