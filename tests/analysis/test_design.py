import json
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import pellucid as pel
import pellucid.nn as nn
from pellucid.analysis.design import Proposal, design
from pellucid.analysis.patterns import Pattern, count, parts
from pellucid.nn import random

IMAGES = st.tuples(st.integers(1, 4), st.integers(2, 48), st.integers(2, 48))
BUDGETS = st.fixed_dictionaries(
    {
        "parameters": st.none() | st.integers(1, 30_000),
        "macs": st.none() | st.integers(1, 3_000_000),
        "receptive_field": st.none() | st.integers(1, 60),
    }
).filter(lambda budgets: budgets["parameters"] or budgets["macs"])


def written(proposal: Proposal, library: str = "pellucid.nn") -> object:
    """Run a listing and return its network."""
    names: dict[str, object] = {}
    exec(proposal.code().replace("import pellucid.nn as nn", f"import {library} as nn"), names)
    return names["net"]


def proposed_or_refused(*arguments: object, **budgets: int | None) -> Proposal | str:
    """Return the proposal, or the reason why there is none."""
    try:
        return design(*arguments, **budgets)
    except pel.ParameterError as error:
        return str(error)


def by_hand(each: int, channels: tuple[int, ...], dense: tuple[int, ...] = ()) -> nn.Sequential:
    """Build the pattern for 10 classes of 3×64×64 images without the helper's code."""
    layers, before, side = [], 3, 64
    for filters in channels:
        for _ in range(each):
            layers += [nn.Conv2d(before, filters, 3, padding="same"), nn.ReLU()]
            before = filters
        layers.append(nn.MaxPool2d(2))
        side //= 2
    layers.append(nn.Flatten())
    features = before * side * side
    for cells in dense:
        layers += [nn.Linear(features, cells), nn.ReLU()]
        features = cells
    return nn.Sequential(*layers, nn.Linear(features, 10))


@pytest.mark.parametrize("pattern", [Pattern(1, (4,)), Pattern(2, (6, 12), (64,)), Pattern(3, (4, 8, 8), (5, 7))])
@pytest.mark.parametrize("image", [(1, 28, 28), (3, 17, 40), (2, 9, 8)])
def test_counts_are_those_of_the_summary(pattern: Pattern, image: tuple[int, int, int]) -> None:
    net = nn.Sequential(*(layer.make() for _, layers in parts(pattern, image, 7) for layer in layers))
    found, counted = pel.summary(net, image), count(pattern, image, 7)

    assert (counted.parameters, counted.macs) == (found.parameters, found.macs)
    assert found.layers[-1].output == (7,)
    pooled = [layer for layer in found.layers if layer.op == "MaxPool2d"]
    assert len(pooled) == pattern.stages
    assert pooled[-1].field is not None
    assert pooled[-1].field.size == (counted.field, counted.field)
    dense = [layer.parameters for layer in found.layers if layer.op == "Linear"]
    assert counted.hidden == sum(dense[:-1])
    assert counted.convolved == found.parameters - sum(dense)


@settings(max_examples=40, deadline=None)
@given(IMAGES, st.integers(1, 12), BUDGETS)
def test_a_proposal_keeps_its_budgets_and_its_network_runs(
    image: tuple[int, int, int], classes: int, budgets: dict[str, int | None]
) -> None:
    proposal = proposed_or_refused(image, classes, **budgets)
    if isinstance(proposal, str):
        assert "keeps the budgets" in proposal
        return

    assert budgets["parameters"] is None or proposal.summary.parameters <= budgets["parameters"]
    assert budgets["macs"] is None or proposal.summary.macs <= budgets["macs"]
    last = [layer for layer in proposal.summary.layers if layer.op == "MaxPool2d"][-1]
    assert last.field is not None
    assert last.field.size == (proposal.field, proposal.field)
    assert proposal.field >= (budgets["receptive_field"] or 0)
    pixels = np.random.default_rng(0).standard_normal((1, *image), np.float32)
    assert proposal.network(pixels).shape == (1, classes)


@settings(max_examples=40, deadline=None)
@given(IMAGES, st.integers(1, 12), st.sampled_from(["parameters", "macs"]), st.integers(1, 40))
def test_the_budget_that_a_refusal_names_is_the_least_that_suffices(
    image: tuple[int, int, int], classes: int, name: str, field: int
) -> None:
    refusal = proposed_or_refused(image, classes, receptive_field=field, **{name: 1})
    assert isinstance(refusal, str)
    if "the receptive field must be at most" in refusal:  # nobody sees so far in such an image, whatever it costs
        return
    found = re.search(r"budget of .* must be at least ([\d,]+), got 1\.", refusal)
    assert found is not None
    least = int(found[1].replace(",", ""))

    proposal = design(image, classes, receptive_field=field, **{name: least})
    assert getattr(proposal.summary, name) == least
    with pytest.raises(pel.ParameterError, match=f"must be at least {least:,}, got {least - 1:,}"):
        design(image, classes, receptive_field=field, **{name: least - 1})


@settings(max_examples=40, deadline=None)
@given(IMAGES, st.integers(1, 12), st.integers(1, 200_000), st.integers(1, 10_000_000))
def test_more_budget_is_never_worse(image: tuple[int, int, int], classes: int, parameters: int, macs: int) -> None:
    def merit(times: int) -> tuple[int, int]:
        found = proposed_or_refused(image, classes, parameters=parameters * times, macs=macs * times)
        return (0, 0) if isinstance(found, str) else (min(found.field, max(image[1:])), found.pattern.channels[0])

    assert merit(1) <= merit(2) <= merit(7)


def test_the_choice_for_64_pixels_and_100_000_parameters() -> None:
    proposal = design((3, 64, 64), 10, parameters=100_000)

    assert proposal.summary.as_dict() == pel.summary(by_hand(2, (8, 16, 32, 64)), (3, 64, 64)).as_dict()
    assert proposal.field == 1 + 5 * (16 - 1)


def test_reasons_hold_in_networks_built_by_hand() -> None:
    reasons = dict(design((3, 64, 64), 10, parameters=100_000).reasons)
    wider = pel.summary(by_hand(2, (12, 24, 48, 96)), (3, 64, 64)).parameters
    denser = pel.summary(by_hand(2, (8, 16, 32, 64), (64,)), (3, 64, 64)).parameters

    assert min(wider, denser) > 100_000
    assert f"12 at first would take at least {wider:,} parameters, more than 100,000." in reasons["channels"]
    assert f"one of 64 cells would make it {denser:,} parameters, more than 100,000." in reasons["dense layers"]
    assert "64 × 64 pixels become 4 × 4 cells; once more would leave 2 × 2, fewer than 3" in reasons["stages"]
    assert "1 + (2·2 + 1)·(2⁴ − 1) = 76 pixels a side" in reasons["convolutions"]
    assert "enough for the image's 64; 1 would see 46." in reasons["convolutions"]


def test_reasons_where_multiply_adds_stop_the_field() -> None:
    proposal = design((3, 64, 64), 10, macs=1_000_000)
    deeper = pel.summary(by_hand(1, (4, 8, 16)), (3, 64, 64)).macs
    twice = pel.summary(by_hand(2, (4, 8)), (3, 64, 64)).macs
    reasons = dict(proposal.reasons)

    assert str(proposal.pattern).startswith("[(conv-relu)×1-pool]×2-")
    assert f"a stage more would take at least {deeper:,} multiply-adds, more than 1,000,000." in reasons["stages"]
    assert f"short of the image's 64; one more would take at least {twice:,} mult" in reasons["convolutions"]


def test_no_more_field_than_asked_leaves_more_for_channels() -> None:
    whole, less = design((3, 64, 64), 10, macs=10**7), design((3, 64, 64), 10, macs=10**7, receptive_field=20)

    assert less.pattern.channels[0] > whole.pattern.channels[0]
    assert whole.field >= 64 > less.field >= 20
    assert "the field needs no more." in dict(less.reasons)["stages"]
    assert "enough for the 20 asked" in dict(less.reasons)["convolutions"]


def test_an_image_too_long_to_be_seen_is_said() -> None:
    proposal = design((3, 16, 256), 10)

    assert proposal.pattern.convolutions == 3
    assert "short of the image's 256; more than 3 are not tried." in dict(proposal.reasons)["convolutions"]


def test_dense_layers_hold_no_more_than_the_convolutions() -> None:
    proposal = design((1, 28, 28), 10, macs=5_000_000)
    dense = [layer.parameters for layer in proposal.summary.layers if layer.op == "Linear"]
    convolved = proposal.summary.parameters - sum(dense)

    assert len(dense) == 2
    assert dense[0] <= convolved
    assert f"more than the convolutions' {convolved:,}." in dict(proposal.reasons)["dense layers"]


def test_without_a_budget_a_million_parameters_is_one() -> None:
    proposal = design((1, 28, 28), 10)

    assert proposal.summary.parameters <= 1_000_000
    assert proposal.reasons[0] == ("budget", "None was given; 1,000,000 parameters are assumed.")
    assert "budget" not in dict(design((1, 28, 28), 10, parameters=10**5).reasons)


def test_without_a_budget_nothing_is_too_large() -> None:
    proposal = design((3, 60, 600), 5_000)

    assert proposal.summary.parameters == proposal.budgets.parameters > 1_000_000


@pytest.mark.parametrize(
    ("budgets", "words"),
    [
        (
            {"parameters": 1000},
            r"10 classes of 3×64×64 images: the budget of parameters must be at least 11,346, got 1,000\. The nearest, "
            r"\[\(conv-relu\)×1-pool\]×4-fc from 4 channels, has 11,346 parameters, 1,332,224 multiply-adds and a "
            r"field of 46 pixels\.$",
        ),
        (
            {"parameters": 100_000, "macs": 1_000_000, "receptive_field": 32},
            r": the budget of multiply-adds must be at least 1,332,224, got 1,000,000\. The smallest that keeps the "
            r"others, .* has 11,346 parameters, 1,332,224 multiply-adds and a field of 46 pixels\.$",
        ),
        ({"receptive_field": 500}, r": the receptive field must be at most 106, got 500\. The smallest that keeps"),
        (
            {"parameters": 10, "macs": 1000},
            r": the budget of parameters must be at least [\d,]+, got 10; the budget of multiply-adds must be at least",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_the_tightest_budget(budgets: dict[str, int], words: str) -> None:
    with pytest.raises(pel.ParameterError, match=words):
        design((3, 64, 64), 10, **budgets)


@pytest.mark.parametrize(
    ("image", "classes", "budgets", "words"),
    [
        ((64, 64), 10, {}, r"'input' parameter of design must be \(C, H, W\).*got \(64, 64\)"),
        ((3, 64, 1), 10, {}, r"2 × 2 pixels, which pooling can halve; got \(3, 64, 1\)"),
        ((0, 64, 64), 10, {}, "at least 1 channel"),
        ((3, 64.0, 64), 10, {}, "'input' parameter"),
        ((3, 64, 2**20 + 1), 10, {}, r"each at most 1,048,576, .*; got \(3, 64, 1048577\)"),
        ((3, 64, 64), 10**30, {}, "'classes' parameter of design must be at most 1,048,576; got 1,000,"),
        ((3, 64, 64), 0, {}, "'classes' parameter of design must be an integer of at least 1; got 0"),
        ((3, 64, 64), 10, {"parameters": 0}, "'parameters' parameter of design .* got 0"),
        ((3, 64, 64), 10, {"macs": 1.5}, "'macs' parameter of design .* got 1.5"),
        ((3, 64, 64), 10, {"receptive_field": True}, "'receptive_field' parameter of design .* got True"),
    ],
)
def test_numbers_that_are_none_are_refused(image: tuple, classes: int, budgets: dict, words: str) -> None:
    with pytest.raises(pel.ParameterError, match=words):
        design(image, classes, **budgets)


@pytest.mark.parametrize(
    ("image", "budgets"), [((3, 64, 64), {"parameters": 100_000}), ((1, 20, 33), {"macs": 3_000_000})]
)
def test_the_listing_builds_this_network(image: tuple[int, int, int], budgets: dict[str, int]) -> None:
    proposal = design(image, 10, **budgets)
    net = written(proposal)

    assert isinstance(net, nn.Sequential)
    assert repr(net) == repr(proposal.network)
    assert pel.summary(net, image).as_dict() == proposal.summary.as_dict()
    assert max(map(len, proposal.code().splitlines())) <= 80


def test_the_listing_is_pytorchs_too() -> None:
    proposal = design((1, 20, 33), 10, macs=3_000_000)
    theirs, ours = written(proposal, "torch.nn"), written(proposal)
    assert isinstance(theirs, torch.nn.Sequential)
    assert isinstance(ours, nn.Sequential)
    ours.load_state_dict({name: value.numpy() for name, value in theirs.state_dict().items()})
    pixels = np.random.default_rng(0).standard_normal((2, 1, 20, 33), np.float32)

    with torch.no_grad():
        expected = theirs(torch.from_numpy(pixels)).numpy()
    np.testing.assert_allclose(ours(pixels), expected, rtol=1e-4, atol=1e-5)


def test_the_purpose_is_grammatical() -> None:
    assert design((3, 8, 8), 1).purpose == "for 1 class of 3×8×8 images"
    assert design((3, 8, 8), 2000).purpose == "for 2,000 classes of 3×8×8 images"


def test_json_holds_the_whole_proposal() -> None:
    proposal = design(np.array((3, 64, 64)), np.int64(10), parameters=np.int64(100_000), receptive_field=40)
    record = json.loads(json.dumps(proposal.as_dict(), allow_nan=False))

    assert record["pattern"] == str(proposal.pattern)
    assert record["budgets"] == {"parameters": 100_000, "macs": None, "receptive_field": 40}
    assert (record["stages"], record["convolutions"]) == (len(record["channels"]), proposal.pattern.convolutions)
    assert record["summary"] == json.loads(json.dumps(proposal.summary.as_dict()))
    assert record["code"] == proposal.code()
    assert list(record["reasons"]) == ["stages", "convolutions", "channels", "dense layers"]


def test_no_weights_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random._State, "generator", None)

    assert not any(parameter.data.any() for parameter in design((3, 64, 64), 10).network.parameters())
