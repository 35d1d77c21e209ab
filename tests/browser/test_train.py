"""The training room, driven as a person would: begun, watched, killed, continued, compared."""

import os
import re
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

import pellucid as pel

playwright = pytest.importorskip("playwright.sync_api")
expect, Page = playwright.expect, playwright.Page
LONG = 60_000
"""Milliseconds that a training may take, its process and its first steps included."""


def begin(page: Page, network: str, epochs: int) -> Path:
    """Start a training and return its folder."""
    page.get_by_label("Network").select_option(network)
    page.get_by_label("Epochs", exact=True).fill(str(epochs))
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url(re.compile("run="))
    folder = re.search("They lie in (.+), with", page.get_by_text("They lie in").inner_text()).group(1)
    return Path(folder) / re.search("run=([^&]+)", page.url).group(1)


def finished(page: Page) -> None:
    expect(page.get_by_text(re.compile("^Finished: "))).to_be_visible(timeout=LONG)


def test_a_network_learns_and_is_found_again(open_page, axe):
    page = open_page("train")
    run = begin(page, "tiny", 1)
    finished(page)

    _, test = pel.datasets.load("fashion-mnist-mini")
    called = pel.load(run / "model.safetensors")(test.inputs()).argmax(axis=1)
    share = f"{100 * np.mean(called == test.labels):.1f}".removesuffix(".0")
    expect(
        page.get_by_text(re.compile(rf"^Finished: {re.escape(share)}% ± [\d.]+% of 1,000 test pictures"))
    ).to_be_visible()
    curve = page.get_by_role("application", name=re.compile("^Accuracy"))
    expect(curve).to_have_attribute("aria-label", re.compile(r"tiny: Accuracy.* from \d+(\.\d)?% to \d+(\.\d)?%"))
    curve.focus()
    curve.press("End")
    expect(curve.locator("[aria-live]")).to_have_text(re.compile(r"^Epoch 1, Accuracy.* \d+(\.\d)?%$"))

    time_slider = page.get_by_role("slider", name="When")
    expect(time_slider).to_have_attribute("aria-valuetext", "step 71, epoch 1")
    time_slider.focus()
    time_slider.press("Home")
    expect(time_slider).to_have_attribute("aria-valuetext", "before training")
    time_slider.press("ArrowRight")
    expect(page.get_by_role("img", name="4 filters of conv1, step 2, epoch 0.0282")).to_be_visible()
    page.wait_for_url(re.compile("frame=1"))
    page.reload()
    finished(page)
    expect(page.get_by_role("slider", name="When")).to_have_attribute("aria-valuetext", "step 2, epoch 0.0282")
    axe(page)

    shirts = np.sum((test.labels == 6) & (called == 4))
    cell = page.get_by_role("button", name=f"Shirt called Coat: {shirts} of 100")
    page.get_by_role("button", name=re.compile("^T-shirt.top rightly called so")).focus()
    for key in ["ArrowDown"] * 6 + ["ArrowRight"] * 4:
        page.keyboard.press(key)
    expect(cell).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"Shirt called Coat: {shirts} of 100")).to_be_visible()
    region = page.get_by_role("heading", name="Shirt called Coat").locator("..")
    expect(region.get_by_role("listitem")).to_have_count(min(int(shirts), 24))


def worker_of(run: Path) -> int:
    """Find the process that trains a run."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"pellucid.studio.runs.worker" in words and any(word.endswith(run.name.encode()) for word in words):
            return int(process.name)
    raise AssertionError("nobody trains it")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_a_killed_training_is_told_of_and_continued(open_page):
    page = open_page("train")
    run = begin(page, "tiny", 12)
    expect(page.get_by_text(re.compile(r"^Epoch \d+ of 12"))).to_be_visible(timeout=LONG)
    os.kill(worker_of(run), signal.SIGKILL)
    expect(page.get_by_text("The process that trained ended without a word")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Continue", exact=True).click()
    finished(page)
    expect(page.get_by_text("852 / 852")).to_be_visible()


def test_a_training_is_paused_ended_and_deleted(open_page):
    page = open_page("train")
    run = begin(page, "tiny", 1000)
    expect(page.get_by_text(re.compile(r"^Epoch \d+ of 1,000"))).to_be_visible(timeout=LONG)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text(re.compile("^Paused after step [1-9]"))).to_be_visible(timeout=LONG)
    page.get_by_role("button", name="End here").click()
    finished(page)
    assert (run / "model.safetensors").is_file()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Yes, delete").click()
    expect(page.get_by_role("heading", name="Three steps")).to_be_visible()
    assert not run.exists()


def test_two_runs_are_begun_and_compared_by_one_press(open_page):
    page = open_page("train?epochs=1&batch=256")
    page.get_by_role("button", name="Train both: Dense layer, or mean?").click()
    expect(page.get_by_text(re.compile("(cannot tell them apart|is better by)"))).to_be_visible(timeout=LONG)
    table = page.get_by_role("table").filter(has_text="Test accuracy")
    expect(table.get_by_role("row", name=re.compile("^Weights"))).to_have_text(re.compile(r"430,890\s*28,714"))
    expect(table.get_by_role("row", name=re.compile("^Network"))).to_have_text(re.compile(r"pooled28\s*pooled28-gap"))
    place = page.url
    page.reload()
    expect(table).to_be_visible()
    assert page.url == place
