import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from pellucid import ops
from tests.ops.running import check, family, relative
from tests.strategies import cross_entropy_cases, elementwise_loss_cases, labels_of

DTYPES = ("int64", "int32", "uint8")


@family
@given(cross_entropy_cases(), st.booleans(), st.sampled_from(DTYPES))
def test_cross_entropy_is_pytorchs(case, weighted, dtype):
    labels = labels_of(case)
    inputs = {
        "logits": 5 * case.array("logits"),
        "labels": labels.astype(dtype),
        "weight": abs(case.array("weight")) + 0.1 if weighted else None,
    }
    smoothing, reduction = case.settings["label_smoothing"], case.settings["reduction"]

    def torch_function(logits, labels, weight):
        return F.cross_entropy(logits, labels.long(), weight, reduction=reduction, label_smoothing=smoothing)

    check(
        ops.CrossEntropy(smoothing, reduction),
        inputs,
        torch_function,
        case.gradient,
        wrt=("logits",),
        # sums over samples and classes, of logarithms of size 5 · 4 and weights of size 4
        bounds=relative(16 + inputs["logits"].size, scale=100),
    )


@family
@given(elementwise_loss_cases())
def test_mse_is_pytorchs(case):
    inputs = {name: case.array(name) for name in ("x", "target")}
    reduction = case.settings["reduction"]
    check(
        ops.MSE(reduction),
        inputs,
        lambda x, target: F.mse_loss(x, target, reduction=reduction),
        case.gradient,
        wrt=("x", "target"),
        bounds=relative(16 + inputs["x"].size, scale=20),
    )


@family
@given(elementwise_loss_cases())
def test_binary_cross_entropy_is_pytorchs(case):
    chances = {name: 1 / (1 + np.exp(-3 * case.array(name))) for name in ("x", "target")}
    reduction = case.settings["reduction"]
    # 1 − p loses up to 1/(1 − p), here about e^12, of its precision, and the slope as much again
    slack = float((1 / np.minimum(chances["x"], 1 - chances["x"])).max())
    check(
        ops.BinaryCrossEntropy(reduction),
        chances,
        lambda x, target: F.binary_cross_entropy(x, target, reduction=reduction),
        case.gradient,
        bounds=relative((16 + chances["x"].size) * slack, scale=slack),
    )


@pytest.mark.parametrize("spread", [1, 100])
@family
@given(case=elementwise_loss_cases())
def test_binary_cross_entropy_with_logits_is_pytorchs(spread, case):
    inputs = {"x": spread * case.array("x"), "target": 1 / (1 + np.exp(-case.array("target")))}
    reduction = case.settings["reduction"]
    check(
        ops.BinaryCrossEntropyWithLogits(reduction),
        inputs,
        lambda x, target: F.binary_cross_entropy_with_logits(x, target, reduction=reduction),
        case.gradient,
        bounds=relative(16 + inputs["x"].size, scale=5.0 * spread),
    )


def test_certainty_costs_at_most_a_hundred():
    inputs = {"x": np.array([0.0, 1.0, 1.0]), "target": np.array([1.0, 1.0, 0.0])}
    check(
        ops.BinaryCrossEntropy("none"),
        inputs,
        lambda *tensors: F.binary_cross_entropy(*tensors, reduction="none"),
        np.ones_like,
        wrt=(),
        bounds=relative(4),
    )


def test_huge_logits_do_not_overflow():
    inputs = {"logits": np.array([[1e30, 0.0], [0.0, -1e30]]), "labels": np.array([1, 0]), "weight": None}
    loss = ops.CrossEntropy(reduction="none").reference(*inputs.values())[0]
    expected = F.cross_entropy(torch.tensor(inputs["logits"]), torch.tensor(inputs["labels"]), reduction="none")
    np.testing.assert_array_equal(loss, expected.numpy())
