import base64
import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

import pellucid as pel
import pellucid.nn as nn
from pellucid.analysis.summary import summary
from pellucid.explain.trace import trace
from pellucid.train.evaluate import evaluate
from pellucid.train.run import Outcome
from pellucid.views.findings import image_to_show
from pellucid.views.report import render, write_report
from tests.views.outcomes import outcome
from tests.views.page import Page

SECTIONS = ("result", "curves", "classes", "confusion", "mistakes", "filters", "maps", "cell", "layers", "record")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return outcome(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def page(run: Outcome) -> Page:
    return Page(render(run))


def test_page_refers_to_nothing_outside_itself(page: Page) -> None:
    for tag, attributes in page.elements:
        for name in ("src", "href", "srcset", "xlink:href", "action", "data", "poster"):
            value = attributes.get(name, "")
            assert not value or value.startswith(("data:", "#")), (tag, name, value[:80])
        assert tag not in ("script", "link", "iframe", "object", "embed")
        assert "style" not in attributes  # the page's own policy would forbid it
    assert "@import" not in page.style
    assert "url(" not in page.style


def test_links_within_the_page_lead_somewhere(page: Page) -> None:
    targets = {attributes.get("id") for _, attributes in page.elements}
    links = [attributes["href"] for attributes in page.all("a")]

    assert links
    assert {link.removeprefix("#") for link in links} <= targets


def test_policy_forbids_everything_but_this_style_and_embedded_pictures(page: Page) -> None:
    (policy,) = (meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()

    assert policy.startswith("default-src 'none'; img-src data:; ")
    assert f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_every_section_is_there_and_states_something(page: Page) -> None:
    for name in SECTIONS:
        assert len(page.section(name)) > 40, name


def test_every_picture_has_alternative_text_and_holds_a_picture(page: Page) -> None:
    pictures = page.all("img")

    assert len(pictures) > 20
    for picture in pictures:
        assert picture["alt"].strip()
        kind, _, data = picture["src"].partition(";base64,")
        head = base64.b64decode(data)[:8]
        assert head == b"\x89PNG\r\n\x1a\n" if kind == "data:image/png" else head.startswith(b"<svg")
    for drawing in page.all("svg"):
        assert drawing.get("aria-hidden") == "true" or (drawing["role"] == "img" and drawing["aria-label"])


def test_result_is_the_evaluations(run: Outcome, page: Page) -> None:
    text = page.section("result")

    assert f"{100 * run.evaluation.accuracy:.1f} %" in text
    assert f"{run.evaluation.loss:.3f}" in text
    assert f"{summary(run.net, (1, 28, 28)).parameters:,}" in text
    assert "1 min 15 s" in text


def test_confusion_matrix_and_classes_are_the_evaluations(run: Outcome) -> None:
    html = render(run)
    matrix = html[html.index('id="confusion"') : html.index('id="mistakes"')]
    cells = [int(count) for count in re.findall(r'<td class="(?:right|wrong)\d+">(\d+)</td>', matrix)]
    classes = Page(html).section("classes")

    assert cells == run.evaluation.confusion.ravel().tolist()
    for share in run.evaluation.per_class.values():
        assert f"{100 * share:.1f}" in classes


def test_mistakes_are_wrong_and_sorted_by_certainty(run: Outcome, page: Page) -> None:
    called = run.evaluation.probabilities.argmax(axis=1)
    indices = [int(match) for match in re.findall(r"Test image (\d+): [^,]+, taken for", page.html)]
    sure = run.evaluation.probabilities.max(axis=1)[indices]

    assert len(indices) == 12
    assert (called[indices] != run.test.labels[indices]).all()
    assert (np.diff(sure) <= 0).all()
    wrong = np.flatnonzero(called != run.test.labels)
    assert sure.min() >= np.sort(run.evaluation.probabilities.max(axis=1)[wrong])[-12]
    assert f"{len(wrong)} of 30 images were mistaken" in page.section("mistakes")


def test_names_of_classes_are_text_not_markup(page: Page) -> None:
    assert "<b>eel & co.</b>" in page.text
    assert "<b>eel" not in page.html


def test_cell_is_the_traces_largest(run: Outcome, page: Page) -> None:
    index = image_to_show(run.evaluation, run.test)
    t = trace(run.net, run.test.inputs(np.array([index]))[0])
    inside = t["conv1"].output[:, 1:-1, 1:-1]  # where the window does not hang over the border
    channel, y, x = (int(place) for place in np.unravel_index(inside.argmax(), inside.shape))
    cell = t.cell("conv1", channel=channel, y=y + 1, x=x + 1)
    text = page.section("cell")

    assert f"channel {channel}, row {y + 1}, column {x + 1}" in text
    assert f"The engine computed {cell.value:.7g}" in text
    for grid in (cell.patch, cell.weights, cell.products):
        for number in grid.ravel():
            assert f"{round(float(number), 2) + 0.0:.2f}".replace("-", "−") in text


def test_layers_are_the_summarys(run: Outcome, page: Page) -> None:
    text = page.section("layers")
    for layer in summary(run.net, (1, 28, 28)).layers:
        assert layer.name in text
        assert f"{layer.parameters:,}" in text
        assert f"{layer.macs:,}" in text


def test_record_names_settings_machine_and_versions(run: Outcome, page: Page) -> None:
    text = page.section("record")
    for word in ("learning rate", "seed", "processor", "numpy", "python"):
        assert word in text


def test_page_is_small_and_repeatable(run: Outcome, page: Page) -> None:
    assert len(page.html.encode()) < 1_000_000
    assert render(run) == page.html


def test_write_report_replaces_the_file(run: Outcome, page: Page, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    write_report(run, path)

    assert path.read_text(encoding="utf-8") == page.html
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_written_is_refused(run: Outcome, tmp_path: Path) -> None:
    with pytest.raises(pel.FileError, match="cannot be written"):
        write_report(run, tmp_path / "missing" / "report.html")


def flat(classes: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, classes))


VARIANTS = {
    "one epoch, no validation": {"epochs": 1, "validation": False},
    "many epochs": {"epochs": 60},
    "colour": {"shape": (3, 40, 24)},
    "two classes, odd letters": {"classes": ("日本語", "$x_1$")},
    "many classes": {"classes": tuple(f"class {index}" for index in range(26))},
    "without convolution": {"net": flat(3)},
    "many filters": {
        "net": nn.Sequential(
            nn.Conv2d(1, 70, 7, padding=3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(70, 3)
        )
    },
    "everything hangs over the border": {
        "net": nn.Sequential(nn.Conv2d(1, 2, 57, padding=28), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 3))
    },
    "large images": {
        "shape": (3, 150, 200),
        "net": nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 3)),
    },
}


@pytest.mark.parametrize("name", VARIANTS)
def test_other_runs_are_reported_too(name: str, tmp_path: Path) -> None:
    page = Page(render(outcome(tmp_path, **VARIANTS[name])))

    assert all(page.section(section) for section in SECTIONS)
    assert len(page.html) < 2_000_000
    if name == "without convolution":
        assert "no convolution" in page.section("filters")
        assert "no convolution" in page.section("cell")
    if name == "many classes":
        assert "The commonest confusions" in page.section("confusion")
    if name == "many filters":
        assert "the first 64 of 70 filters" in page.section("filters")


def test_a_run_without_mistakes_says_so(tmp_path: Path) -> None:
    run = outcome(tmp_path)
    perfect = np.eye(3, dtype=np.float32)[run.test.labels]
    evaluation = type(run.evaluation)(
        accuracy=1.0,
        loss=0.0,
        per_class=dict.fromkeys(run.test.classes, 1.0),
        confusion=np.diag(run.test.class_counts()),
        probabilities=perfect,
    )
    page = Page(render(type(run)(**{**vars(run), "evaluation": evaluation})))

    assert "There are none" in page.section("mistakes")
    assert "Every class is recognised alike: 100 %" in page.section("classes")
    assert "No class is taken for another" in page.section("confusion")


def test_a_class_without_test_images_has_no_share(tmp_path: Path) -> None:
    run = outcome(tmp_path)
    lacking = run.test[np.flatnonzero(run.test.labels != 1)]
    page = Page(render(type(run)(**{**vars(run), "test": lacking, "evaluation": evaluate(run.net, lacking)})))

    assert "dog–0 / 0" in page.section("classes")
