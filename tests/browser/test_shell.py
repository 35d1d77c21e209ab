"""What all rooms share: ways in, theme, language, the line to Python, accessibility, the size of the first load."""

import re

import pytest
from playwright.sync_api import expect

from pellucid.studio.answers import ROOMS
from tests.browser.driving import settled

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
NARROWEST = {"width": 360, "height": 740}
MOST_BYTES = 400_000
"""Compressed, headers included, until a room stands there."""
PLACES = ["", *ROOMS, "lessons/pooling", "lessons/exercises"]


def rests_on(page):
    """The words on what has the keyboard's focus."""
    return page.evaluate("document.activeElement.innerText || document.activeElement.ariaLabel || ''").strip()


def tab_to(page, words):
    for _ in range(40):
        page.keyboard.press("Tab")
        if rests_on(page) == words:
            return
    pytest.fail(f"no way to {words!r} by the Tab key; it ends at {rests_on(page)!r}")


def test_rooms_are_entered_by_keyboard(page):
    tab_to(page, "Stepper")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/stepper$"))
    expect(page).to_have_title("Stepper · Pellucid")
    expect(page.get_by_role("heading", level=1)).to_have_text("Stepper")
    expect(page.get_by_role("main")).to_be_focused()
    expect(page.get_by_role("navigation").get_by_role("link", name="Stepper")).to_have_attribute("aria-current", "page")
    page.go_back()
    expect(page).to_have_url(re.compile(r":\d+/$"))


def test_the_menu_can_be_skipped(page):
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the room")
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def test_the_menu_opens_on_a_phone(open_page):
    page = open_page(viewport=PHONE)
    menu = page.get_by_role("navigation")
    expect(menu).to_be_hidden()
    tab_to(page, "Rooms")
    page.keyboard.press("Enter")
    expect(menu).to_be_visible()
    menu.get_by_role("link", name="Playground").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Playground")
    expect(menu).to_be_hidden()


def background(page):
    return page.evaluate("getComputedStyle(document.documentElement).backgroundColor")


def test_the_theme_is_the_systems_until_one_is_chosen_and_stays(open_page):
    page = open_page(color_scheme="dark")
    dark = background(page)
    page.emulate_media(color_scheme="light")
    light = background(page)
    assert light != dark
    theme = page.get_by_label("Colours")
    theme.select_option("dark")
    assert background(page) == dark
    page.reload()
    expect(theme).to_have_value("dark")
    assert background(page) == dark
    theme.select_option("system")
    assert background(page) == light


def test_the_language_is_the_browsers_until_one_is_chosen_and_stays(open_page):
    page = open_page(locale="de-AT")
    menu = page.get_by_role("navigation")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    german = menu.inner_text()
    page.get_by_label("Sprache").select_option("en")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert menu.inner_text() != german
    page.reload()
    expect(page.get_by_label("Language")).to_have_value("en")


def test_a_room_that_is_not_there_is_said(page):
    page.evaluate("history.pushState(null, '', '/attic'); dispatchEvent(new PopStateEvent('popstate'))")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such room")
    page.get_by_role("main").get_by_role("link").click()
    expect(page).to_have_url(re.compile(r":\d+/$"))


def test_a_broken_line_is_told_and_mended(page):
    lines = []

    def through(line):
        lines.append(line)
        line.connect_to_server()

    page.route_web_socket("**/socket", through)
    page.reload()
    page.wait_for_function("document.querySelector('h1')")
    told = page.get_by_role("status")
    expect(told).to_be_empty()
    page.route_web_socket("**/socket", lambda line: line.close())
    lines[-1].close()
    expect(told).not_to_be_empty()
    page.route_web_socket("**/socket", through)
    expect(told).to_be_empty()


@pytest.mark.parametrize("place", PLACES)
def test_a_room_is_accessible_in_light_and_dark_and_on_a_phone(open_page, axe, place):
    page = open_page(place, viewport=DESKTOP)
    settled(page)
    axe(page)
    page.emulate_media(color_scheme="dark")
    axe(page)
    page.set_viewport_size(PHONE)
    settled(page)
    axe(page)


@pytest.mark.parametrize("place", PLACES)
def test_a_room_fits_the_narrowest_phone(open_page, place):
    page = open_page(place, viewport=NARROWEST)
    settled(page)
    wide = "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
    over = page.evaluate(f"{wide}.map(e => e.outerHTML.slice(0, 120)).slice(0, 3)")
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROWEST["width"], over


@pytest.mark.parametrize("place", PLACES)
def test_a_room_is_small_to_load(open_page, place):
    page = open_page(place)
    wire = page.context.new_cdp_session(page)
    sizes = []
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    wire.send("Network.enable")
    wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
    page.reload()
    settled(page)
    assert len(sizes) > 2
    assert sum(sizes) < MOST_BYTES


@pytest.mark.parametrize("place", PLACES)
def test_a_room_is_the_same_after_a_reload(open_page, place):
    page = open_page(place)
    settled(page)
    before = page.url, page.get_by_role("heading", level=1).inner_text()
    page.reload()
    settled(page)
    assert (page.url, page.get_by_role("heading", level=1).inner_text()) == before
