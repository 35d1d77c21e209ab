import pytest

from pellucid.analysis.advice import advice
from pellucid.zoo.listing import parse


def said(text):
    listing = parse(text)
    return [(remark.layer, remark.text) for remark in advice(listing.placed(), listing.classes)]


def test_nothing_is_said_of_what_is_usual():
    assert (
        said("1x28x28to2-conv4.p1-norm-relu-conv4.p1-pool-conv4-relu-separable4-residual4-flatten-linear8-relu-linear")
        == []
    )


@pytest.mark.parametrize(
    ("between", "collapses"),
    [("", True), ("-norm", True), ("-dropout", True), ("-avgpool", True), ("-relu", False), ("-pool", False)],
)
def test_sums_of_sums_are_one_sum(between, collapses):
    found = said(f"1x16x16to2-conv4{between}-conv4-relu-flatten-linear")
    assert [layer for layer, _ in found] == (["conv2"] if collapses else [])


def test_depthwise_and_pointwise_belong_together():
    assert said("4x8x8to2-depthwise.p1-conv8.k1-relu-flatten-linear") == []
    assert [layer for layer, _ in said("4x8x8to2-conv8.k1-depthwise.p1-relu-flatten-linear")] == ["depthwise"]


def test_the_end_is_one_number_a_class():
    ((layer, text),) = said("1x8x8to3-conv4-relu")
    assert layer == "relu"
    assert text.startswith("The network ends in 4×6×6 numbers, not in one for each of 3 classes")
    assert said("1x8x8to3-flatten-linear-relu") == [
        ("relu", "A ReLU at the end cuts every score below 0 off; leave it out.")
    ]


def test_blocks_that_do_not_fit_are_passed_over():
    assert said("1x8x8to2-conv4-linear-relu-flatten-linear") == []
    assert said("1x8x8to2-conv4.k9") == []
