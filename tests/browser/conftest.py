"""A real browser on a real studio: what the tests of the page drive.

Own fixtures rather than pytest-playwright's: that plugin looks for a browser that Playwright downloaded, and none of
its options is needed.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.browser.driving import PAGE, address, chromium, running_studio, window

AXE = Path(__file__).resolve().parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
CHECKED = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE_RUN = r"""async tags => (await axe.run(document, {runOnly: tags, resultTypes: ["violations"]})).violations
    .filter(rule => ["serious", "critical"].includes(rule.impact))
    .map(rule => `${rule.impact}: ${rule.help}\n  ` + rule.nodes.map(node => node.html.slice(0, 200)).join("\n  "))"""

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for each worker of the suite."""
    with sync_playwright() as playwright:
        found = chromium(playwright)
        if found is None:
            pytest.skip("the tests of the page need Chromium (on Debian: apt-get install chromium)")
        yield found
        found.close()


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One studio for each worker of the suite: its address, with the token."""
    if not (PAGE / "index.html").is_file() or not AXE.is_file():
        pytest.skip("the page is not built here (make page)")
    with running_studio(tmp_path_factory.mktemp("studio")) as address:
        yield address


@pytest.fixture
def open_page(browser: Browser, studio: str) -> Iterator[Open]:
    """Return a function that opens a page of the studio in a window of its own; no window may have complained.

    ``open_page("stepper?step=3", viewport=…, color_scheme="dark", …)``: a place in the studio, and what Playwright's
    ``new_context`` takes. ``page.complaints`` are the errors of its console so far; whoever provokes one clears it.
    """
    windows = []
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def open_page(place: str = "", **options: object) -> Page:
        windows.append(window(browser, **options))
        page = windows[-1].new_page()
        page.complaints = complaints
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address(studio, place))
        return page

    yield open_page
    for each in windows:
        each.close()
    assert not complaints, "the page's console has errors:\n" + "\n".join(complaints)


@pytest.fixture
def page(open_page: Open) -> Page:
    """Return a page of the studio's start, on a desktop."""
    return open_page()


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """Return a function that fails where axe-core finds a serious or critical violation on a page."""

    def check(page: Page) -> None:
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate(AXE_RUN, CHECKED)
        assert not found, f"{page.url} is not accessible:\n" + "\n".join(found)

    return check
