"""From no network to a number inside a trained one, by nothing but the keys of a keyboard."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Open

LONG = 60_000
"""Milliseconds that a training may take, its process and its first steps included."""
MOST = 150
"""Times that Tab may be pressed from one control to another."""


def reach(page: Page, control: Locator) -> None:
    """Press Tab until a control has the focus."""
    expect(control).to_be_visible()
    for _ in range(MOST):
        page.keyboard.press("Tab")
        if control.evaluate("it => it === document.activeElement"):
            return
    raise AssertionError(f"Tab does not reach {control}")


def press(page: Page, control: Locator) -> None:
    reach(page, control)
    page.keyboard.press("Enter")


def write(page: Page, field: Locator, text: str) -> None:
    reach(page, field)
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


def test_a_network_is_built_trained_and_opened_by_keyboard_alone(open_page: Open) -> None:
    page = open_page("architect?design=1x28x28to10")
    for name in ("Max pooling", "Flatten", "Dense"):
        press(page, page.get_by_role("button", name=name, exact=True))
    write(page, page.get_by_label("Numbers out"), "0")
    expect(page.get_by_text("1,970 parameters").first).to_be_visible()  # 10 · (14·14 + 1)

    press(page, page.get_by_role("link", name="Train it"))
    write(page, page.get_by_label("Epochs", exact=True), "1")
    press(page, page.get_by_role("button", name="Start training"))
    expect(page.get_by_text(re.compile(r"^Finished: \d\d"))).to_be_visible(timeout=LONG)

    press(page, page.get_by_role("link", name="Look inside"))
    expect(page.get_by_role("heading", name="Inspect", level=1)).to_be_visible()
    press(page, page.get_by_role("button", name=re.compile("^pool:")))
    expect(page.get_by_role("heading", name="pool, map 0")).to_be_visible()
