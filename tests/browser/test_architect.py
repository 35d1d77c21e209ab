"""Architect, as a person uses it."""

import re

from playwright.sync_api import expect

LENET = "3x32x32to10-conv6.k5-relu-pool-conv16.k5-relu-pool-flatten-linear120-relu-linear84-relu-linear"


def block(page, name):
    return page.get_by_role("list", name="The network's blocks").locator(f"[data-block={name}]")


def opener(page, name):
    return (
        block(page, name)
        .get_by_role("button", expanded=False)
        .or_(block(page, name).get_by_role("button", expanded=True))
    )


def test_lenet_is_counted_block_by_block_and_its_head_replaced(open_page, axe):
    page = open_page(f"architect?design={LENET}")
    expect(page.get_by_text("62,006 parameters").first).to_be_visible()
    for name, count in (("conv1", "456"), ("conv2", "2,416"), ("fc1", "48,120"), ("fc2", "10,164"), ("fc3", "850")):
        expect(block(page, name)).to_contain_text(count)
    expect(page.get_by_role("row", name=re.compile("^Linear"))).to_contain_text("95.4%")
    axe(page)
    page.get_by_role("button", name="Replace the dense head").click()
    expect(page.get_by_text("3,042 parameters").first).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("62,006 parameters").first).to_be_visible()


def test_a_network_is_built_by_keyboard_alone(open_page):
    page = open_page("architect?design=1x28x28to10")
    for name in ("Convolution", "ReLU", "Max pooling", "Flatten", "Dense"):
        page.get_by_role("button", name=name, exact=True).press("Enter")
    expect(block(page, "fc")).to_contain_text("200,768")  # 64·(16·14·14 + 1)
    page.get_by_label("Numbers out").fill("0")
    expect(block(page, "fc")).to_contain_text("31,370")
    opener(page, "relu").press("Alt+ArrowDown")
    expect(block(page, "relu")).to_contain_text("16×14×14")
    opener(page, "pool").press("Delete")
    expect(block(page, "fc")).to_contain_text("125,450")
    page.keyboard.press("Control+z")
    expect(block(page, "fc")).to_contain_text("31,370")
    expect(page).to_have_url(re.compile("conv16.p1-pool-relu-flatten-linear$"))
    page.reload()
    expect(page.get_by_text("31,530 parameters").first).to_be_visible()
    expect(page.get_by_role("link", name="Train it")).to_have_attribute(
        "href", "/train?design=1x28x28to10-conv16.p1-pool-relu-flatten-linear"
    )


def test_a_block_that_does_not_fit_says_why_and_the_rest_stays(open_page):
    page = open_page(f"architect?design={LENET}")
    block(page, "flatten").get_by_role("button", name="Remove flatten").click()
    expect(block(page, "fc1")).to_contain_text("put a flattening before it")
    expect(page.get_by_text("3 blocks do not fit and are left out of the counts.")).to_be_visible()
    expect(page.get_by_text("2,872 parameters").first).to_be_visible()
    expect(page.get_by_role("button", name="Train it")).to_be_disabled()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("62,006 parameters").first).to_be_visible()


def test_settings_change_numbers_at_once(open_page):
    page = open_page(f"architect?design={LENET}")
    opener(page, "conv1").click()
    expect(block(page, "conv1")).to_contain_text("6·(3·5·5 + 1) = 456")
    page.get_by_label("Channels out").fill("10")
    expect(block(page, "conv1")).to_contain_text("760")
    page.get_by_role("switch", name="Bias").uncheck()
    expect(block(page, "conv1")).to_contain_text("750")
    page.get_by_label("Channels", exact=True).fill("1")
    expect(block(page, "conv1")).to_contain_text("250")


def test_known_networks_are_opened(open_page):
    page = open_page("architect")
    page.get_by_role("button", name="Known networks").click()
    page.get_by_role("button", name="resnet18", exact=True).click(timeout=30_000)
    expect(page.get_by_text("11,689,512 parameters").first).to_be_visible()
    page.get_by_role("button", name="googlenet", exact=True).click()
    expect(page.get_by_text("6,624,904 parameters").first).to_be_visible()
    expect(page.get_by_text("it is no row of blocks")).to_be_visible()
    page.get_by_role("button", name="Back to blocks").click()
    expect(page.get_by_text("52,138 parameters").first).to_be_visible()


def test_the_code_is_shown_for_both_libraries(open_page):
    page = open_page("architect?design=1x8x8to2-conv4-residual4-gap-flatten-linear")
    code = page.get_by_label("As Python")
    expect(code).to_contain_text("import pellucid.nn as nn")
    page.get_by_role("radio", name="PyTorch").check()
    expect(code).to_contain_text("import torch.nn as nn")
    expect(code).to_contain_text("class Residual(nn.Module)")


def test_blocks_are_dragged(open_page):
    page = open_page("architect?design=1x8x8to2-conv4-pool-relu")
    expect(block(page, "relu")).to_contain_text("4×3×3")
    block(page, "relu").get_by_title("Drag to another place").drag_to(block(page, "pool"))
    expect(block(page, "relu")).to_contain_text("4×6×6")
