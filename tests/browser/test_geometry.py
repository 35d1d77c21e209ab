"""Geometry, as a person uses it."""

import re

from playwright.sync_api import expect


def test_a_size_is_written_out_and_what_is_never_read_is_named(open_page, axe):
    page = open_page("geometry")
    expect(page.get_by_text("⌊(8 + 2·0 − 3) / 2⌋ + 1 = 3")).to_be_visible()
    expect(page.get_by_text("Row 7 and column 7 are never read.")).to_be_visible()
    axe(page)
    page.get_by_label("Image side (W)").fill("7")
    expect(page.get_by_text("⌊(7 + 2·0 − 3) / 2⌋ + 1 = 3")).to_be_visible()
    expect(page.get_by_text("Every cell of the image is read.")).to_be_visible()
    page.get_by_role("radio", name="same").check()
    expect(page.get_by_role("alert")).to_contain_text("The padding 'same' needs stride 1")
    page.get_by_role("slider", name="Stride").press("ArrowLeft")
    expect(page.get_by_text("⌊(7 + 2·1 − 3) / 1⌋ + 1 = 7")).to_be_visible()
    expect(page).to_have_url(re.compile("stride=1"))
    page.reload()
    expect(page.get_by_text("⌊(7 + 2·1 − 3) / 1⌋ + 1 = 7")).to_be_visible()


def test_results_are_walked_through_by_keyboard_and_add_up(open_page):
    page = open_page("geometry?size=4&kernel=2&stride=2&border=circular&cells=1")
    image = page.get_by_role("application", name=re.compile("4 × 4 image"))
    expect(image).to_be_visible()
    numbers = [float(text) for text in image.locator("text").all_text_contents()]
    assert len(numbers) == 36
    side = [numbers[6 * row : 6 * row + 6] for row in range(6)]
    assert side[0][1:5] == side[4][1:5]  # the row above the image is its last one
    sums = page.get_by_role("application", name=re.compile("3 × 3 stops"))
    sums.focus()
    sums.press("ArrowDown")
    sums.press("ArrowRight")
    expected = sum(side[row][column] for row in (2, 3) for column in (2, 3))
    expect(sums.locator("[aria-live]")).to_have_text(f"Row 1, column 1: {expected:g}")


def test_a_stack_is_edited_and_its_cone_pointed_at(open_page, axe):
    page = open_page("geometry?part=fields")
    table = page.get_by_role("table")
    expect(table.get_by_role("row", name=re.compile("^conv3")).get_by_text("7", exact=True)).to_be_visible()
    axe(page)
    page.get_by_role("button", name="Dilation").click()
    expect(page.get_by_text("7 + (9 − 1)·1 = 15")).to_be_visible()
    page.get_by_role("button", name="+ Pooling").click()
    expect(table.get_by_role("row", name=re.compile("^pool"))).to_contain_text("16")
    page.get_by_role("button", name="Remove conv1").click()
    expect(table.get_by_role("row", name=re.compile("^conv1"))).to_contain_text("1 + (5 − 1)·1 = 5")
    cone = page.get_by_role("application", name=re.compile("The stack from the side"))
    cone.focus()
    cone.press("ArrowDown")
    cone.press("ArrowDown")
    expect(cone).to_contain_text(re.compile(r"of conv1 sees 3 pixels across, from \d+ to \d+"))
    page.get_by_role("switch", name="Measure it by gradients").check()
    expect(page.get_by_text(re.compile(r"95 % of what moves the middle cell .* its field is 14 × 14"))).to_be_visible()


def test_a_layer_that_does_not_fit_says_so_where_it_stands(open_page):
    page = open_page("geometry?part=fields&image=4&layers=c5.1.0.1_c3.1.1.1")
    expect(page.get_by_role("listitem", name="conv1")).to_contain_text("it does not fit")
    expect(page.get_by_role("row", name=re.compile("^conv2"))).to_contain_text("1 + (3 − 1)·1 = 3")


def test_the_group_slider_counts_and_times(open_page, axe):
    page = open_page("geometry?part=groups&map=14")
    expect(page.get_by_text("36,864 parameters")).to_be_visible()
    slider = page.get_by_role("slider", name="Kind")
    for _ in range(7):
        slider.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "Depthwise-separable")
    expect(page.get_by_text("4,672 parameters ÷ 7.89")).to_be_visible()
    expect(page.get_by_text(re.compile(r"It takes [\d.]+ ms an image here"))).to_be_visible(timeout=30_000)
    expect(page.get_by_text(re.compile("What binds is"))).to_be_visible()
    axe(page)


def test_both_readings_of_the_dense_equivalent(open_page, axe):
    page = open_page("geometry?part=dense")
    for text in ("288 parameters", "25,088 parameters", "19,668,992 parameters", "× 68,295", "225,792 multiply-adds"):
        expect(page.get_by_text(text).first).to_be_visible()
    page.get_by_role("radio", name="FLOPs").check()
    expect(page.get_by_text("451,584 FLOPs for 1 image")).to_be_visible()
    axe(page)
