"""The course as a reader and a pupil use it: words light pictures, answers are graded, a teacher gets a sheet."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from pellucid.lessons.chapters import chapter
from pellucid.lessons.exercises.kinds import grade, nth
from tests.browser.driving import settled


def grid(page, name):
    return page.get_by_role("application", name=name, exact=True)


def test_words_light_the_picture_and_the_picture_its_words(open_page):
    page = open_page("lessons/convolution")
    first = page.locator("section").first
    word = first.get_by_role("button", name="kernel", exact=True)
    lit = first.locator(".part.lit")
    expect(lit).to_have_count(0)
    word.hover()
    expect(lit.get_by_role("img", name="Weights of vertical-edge")).to_be_visible()
    page.get_by_role("heading", name="The convolution").hover()
    expect(lit).to_have_count(0)
    grid(first, "Map").hover()
    expect(first.get_by_role("button", name="map", exact=True)).to_have_class(re.compile(r"\blit\b"))
    word.focus()
    expect(lit.get_by_role("img", name="Weights of vertical-edge")).to_be_visible()
    word.press("Enter")
    expect(word).to_have_attribute("aria-pressed", "true")


def test_a_cell_is_worked_out_by_keyboard_and_changes_with_the_picture(open_page):
    page = open_page("lessons/convolution")
    first = page.locator("section").first
    expect(first.get_by_text("2·1 + 3·(−1) + 0·1 + 1·(−1) + 1·1 + 2·(−1) = −3")).to_be_visible()
    cells = grid(first, "Map")
    cells.focus()
    cells.press("ArrowRight")
    expect(first.get_by_text("= −1")).to_be_visible()
    picture = grid(first, "Picture, to draw on")
    picture.focus()
    for key in ("ArrowRight", "ArrowDown", "Enter"):  # row 1, column 1 is under the kernel's left column
        picture.press(key)
    expect(first.get_by_text("1·1 + 0·(−1) + 0·1 + 3·(−1) + 0·1 + 1·(−1) = −3")).to_be_visible()


def test_chapters_lead_on_and_into_rooms_with_their_state(open_page):
    page = open_page("lessons")
    page.get_by_role("link", name="Pixels and dense layers").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pixels and dense layers")
    expect(page.get_by_text("19,668,992").first).to_be_visible()
    page.get_by_role("link", name="Next → The convolution").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The convolution")
    page.get_by_role("link", name="All chapters").click()
    expect(page.get_by_role("link", name=re.compile("Pixels and dense layers.*opened"))).to_be_visible()
    page.get_by_role("link", name="Receptive fields", exact=False).first.click()
    page.get_by_role("link", name=re.compile("Build a stack")).click()
    expect(page).to_have_url(re.compile(r"/geometry\?part=fields"))


def test_a_number_is_answered_wrongly_then_rightly_by_keyboard(open_page):
    page = open_page("lessons/exercises?kinds=size&seed=7")
    made = nth(7, 0, ["size"])
    wrong = next(mistake for mistake in made.form.mistakes if mistake.value.denominator == 1)
    field = page.get_by_role("textbox", name="Your answer")
    expect(page.get_by_text(made.question)).to_be_visible()
    field.fill("many")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("The answer must be a number")
    field.fill(str(wrong.value))
    field.press("Enter")
    expect(page.get_by_text("Not right")).to_be_visible()
    expect(page.get_by_text(wrong.why)).to_be_visible()
    expect(page.get_by_text("0 of 1 right")).to_be_visible()
    page.keyboard.press("Enter")  # the way on has the focus
    expect(page.get_by_role("heading", name="Exercise 2")).to_be_visible()
    field.fill(str(nth(7, 1, ["size"]).form.solved))
    field.press("Enter")
    expect(page.get_by_text("1 of 2 right")).to_be_visible()
    expect(page).to_have_url(re.compile("n=2"))
    page.reload()
    expect(page.get_by_text(nth(7, 1, ["size"]).question)).to_be_visible()
    expect(page.get_by_text("1 of 2 right")).to_be_visible()


@pytest.mark.parametrize("kind", ["choice", "which-kernel", "rotation"])
def test_a_choice_is_made_by_its_letter(open_page, kind):
    page = open_page(f"lessons/exercises?kinds={kind}&seed=7")
    made = nth(7, 0, [kind])
    expect(page.get_by_text(made.question)).to_be_visible()
    page.keyboard.press("abcd"[made.form.solved])
    expect(page.get_by_role("radio").nth(made.form.solved)).to_be_checked()
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text("✓ Right")).to_be_visible()
    expect(page.get_by_text(made.form.working)).to_be_visible()


def test_terms_are_matched_by_keyboard_and_by_drag(open_page):
    page = open_page("lessons/exercises?kinds=match&seed=7")
    form = nth(7, 0, ["match"]).form
    lists = [page.get_by_role("combobox", name=f"Definition of {term}", exact=True) for term in form.terms]
    for place, definition in list(enumerate(form.order))[:3]:
        lists[place].select_option("abcde"[definition])
    dragged, pressed = form.order[3:]
    page.get_by_role("button", name=form.definitions[dragged]).drag_to(page.get_by_text(form.terms[3], exact=True))
    expect(lists[3]).to_have_value(str(dragged))
    page.get_by_role("button", name=form.definitions[pressed]).click()
    page.get_by_text(form.terms[4], exact=True).click()
    expect(lists[4]).to_have_value(str(pressed))
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text("All 5 belong together.")).to_be_visible()


def test_a_kernel_is_designed_while_its_maps_are_watched(open_page):
    place = next(n for n in range(99) if nth(7, n, ["design"]).form.goal.name == "upright")
    page = open_page(f"lessons/exercises?kinds=design&seed=7&n={place + 1}")
    kernel = page.get_by_role("group", name="Your kernel")
    expect(page.get_by_text("2 of 4 tests pass")).to_be_visible()
    for row in (1, 2, 3):
        for column, value in enumerate((-1, 2, -1), 1):
            kernel.get_by_role("textbox", name=f"Row {row}, column {column}").fill(str(value))
    expect(page.get_by_text("4 of 4 tests pass")).to_be_visible()
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text(grade(nth(7, place, ["design"]), [[-1, 2, -1]] * 3).why)).to_be_visible()


def test_a_teacher_saves_a_sheet_and_sends_a_bare_link(open_page, tmp_path):
    page = open_page("lessons")
    page.get_by_role("spinbutton", name="How many").fill("4")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the sheet").click()
    assert saved.value.suggested_filename == "pellucid-exercises-7.html"
    saved.value.save_as(tmp_path / "sheet.html")
    sheet = Path(tmp_path / "sheet.html").read_text(encoding="utf-8")
    assert all(nth(7, place).question.split(". ")[0].replace("'", "&#39;") in sheet for place in range(4))
    bare = open_page("lessons/exercises?seed=7&hide=controls")
    expect(bare.get_by_text(nth(7, 0).question)).to_be_visible()
    expect(bare.get_by_role("combobox")).to_have_count(0)
    expect(bare.get_by_role("navigation")).to_have_count(0)


@pytest.mark.parametrize(
    "place", ["lessons", "lessons/pooling", "lessons/architectures", "lessons/exercises?kinds=match", "lessons/sizes"]
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible_and_fits_a_phone(open_page, axe, place, scheme):
    page = open_page(place, color_scheme=scheme, viewport={"width": 360, "height": 740})
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    axe(page)


def test_prose_is_shown_as_it_is_written(open_page):
    page = open_page("lessons/edges")
    shown = page.locator(".prose").first.inner_text().split("\n\n")
    section = chapter("edges").sections[0]
    assert [" ".join(one.replace("\u00a0→", "").split()) for one in shown] == [block.text for block in section.blocks]
