"""The rooms as widgets: the module that a notebook loads, on a page that gives it what a notebook gives."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.driving import PAGE, window

pytest.importorskip("anywidget")
if not (PAGE / "widget" / "widget.js").is_file():
    pytest.skip("the page is not built here (make page)", allow_module_level=True)

from pellucid.studio.widgets import Inspect, Playground, Stepper, Widget

HOST = """async ([code, state]) => {
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const heard = [];
  const model = {
    get: (name) => state[name],
    on: (event, hear) => heard.push(hear),
    send: async (content) => { const told = await python(content); heard.forEach((hear) => hear(told)); },
  };
  document.body.append(Object.assign(document.createElement("h1"), { textContent: "A notebook" }));
  const el = document.body.appendChild(document.createElement("div"));
  (await import(url)).default.render({ model, el });
}"""


@pytest.fixture
def notebook(browser: Browser) -> Iterator[Page]:
    """A page like a notebook's, with a style of its own."""
    context = window(browser)
    page = context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.set_content("<!doctype html><title>Notebook</title><style>h1 { color: rgb(1, 2, 3) }</style><body></body>")
    yield page
    context.close()
    assert not page.complaints


def show(page: Page, widget: Widget) -> None:
    """Show a widget; its questions go to Python and back, as a kernel's messages do."""
    told: list[dict[str, Any]] = []
    widget.send = told.append

    def python(content: dict[str, Any]) -> dict[str, Any]:
        widget._handle_custom_msg(content, [])
        return told.pop()

    page.expose_function("python", python)
    code = (PAGE / "widget" / "widget.js").read_text("utf-8")
    page.evaluate(HOST, [code, {"room": widget.room, "place": widget.place}])


def test_the_stepper_walks_its_lesson(notebook: Page) -> None:
    show(notebook, Stepper([[0, 9, 0]] * 3, [[1, -1]], pool="none"))

    expect(notebook.get_by_text(re.compile(r"Step 0 of \d+"))).to_be_visible()
    notebook.keyboard.press("Tab")
    notebook.get_by_role("slider").first.press("End")

    expect(notebook.get_by_text(re.compile(r"Step (\d+) of \1\b"))).to_be_visible()


def test_a_drawing_given_in_python_is_answered(notebook: Page) -> None:
    drawing = [[float(3 <= column < 5) for column in range(8)] for _ in range(8)]
    show(notebook, Playground(drawing, ["vertical-edge"]))

    pad = notebook.get_by_role("application").nth(1)
    pad.focus()
    pad.press("ArrowDown")
    pad.press("ArrowRight")
    pad.press("ArrowRight")

    expect(pad).to_contain_text("−3")  # the kernel's right column, three times −1, lies on the bar's first column


def test_its_style_and_the_notebooks_stay_apart(notebook: Page) -> None:
    show(notebook, Inspect("fashion", "fashion-mnist-mini:0"))

    expect(notebook.get_by_role("heading", name="Inspect")).to_be_visible()
    colours = [
        notebook.get_by_role("heading", name=name).evaluate("it => getComputedStyle(it).color")
        for name in ("A notebook", "Inspect")
    ]

    assert colours[0] == "rgb(1, 2, 3)"
    assert colours[1] != colours[0]
