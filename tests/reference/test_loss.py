import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given

from pellucid import reference as ref
from tests.reference.comparison import assert_close, by_torch, check
from tests.strategies import cross_entropy_cases, elementwise_loss_cases, labels_of, quick


@pytest.mark.parametrize("weighted", [False, True])
@quick
@given(cross_entropy_cases())
def test_cross_entropy_is_pytorchs(weighted, case):
    logits, labels = 3 * case.array("logits"), labels_of(case)
    weight = abs(case.array("weight")) + 0.1 if weighted else None
    torch_weight = torch.from_numpy(weight) if weighted else None
    check(
        lambda x: F.cross_entropy(x, torch.from_numpy(labels), torch_weight, **case.settings),
        lambda x: ref.cross_entropy(x, labels, weight, **case.settings),
        lambda dy, _: [ref.cross_entropy_backward(dy, logits, labels, weight, **case.settings)],
        [logits],
        case.gradient,
        terms=logits.size,
        # each logit is subtracted from a sum of their like, and a mean may be divided by 0.1
        scale=30 * np.sqrt(logits.shape[1]),
    )


def test_cross_entropy_of_impossible_other_classes():
    logits = np.array([[0.0, -np.inf]])
    assert ref.cross_entropy(logits, np.array([0])) == 0
    assert ref.cross_entropy(logits, np.array([1])) == np.inf


def test_cross_entropy_of_huge_logits():
    logits = np.array([[1e4, -1e4]], "float32")
    assert ref.cross_entropy(logits, np.array([1])) == 2e4
    np.testing.assert_array_equal(ref.cross_entropy_backward(np.array(1, "float32"), logits, np.array([1])), [[1, -1]])


@quick
@given(elementwise_loss_cases())
def test_mse_is_pytorchs(case):
    x, target = case.array("x"), case.array("target")
    check(
        lambda *tensors: F.mse_loss(*tensors, **case.settings),
        lambda *arrays: ref.mse(*arrays, **case.settings),
        lambda dy, _: ref.mse_backward(dy, x, target, **case.settings),
        (x, target),
        case.gradient,
        terms=x.size,
        scale=10,
    )


@quick
@given(elementwise_loss_cases())
def test_binary_cross_entropy_is_pytorchs(case):
    p, target = 0.05 + 0.9 * ref.sigmoid(case.array("x")), ref.sigmoid(case.array("target"))
    check(
        lambda x: F.binary_cross_entropy(x, torch.from_numpy(target), **case.settings),
        lambda x: ref.binary_cross_entropy(x, target, **case.settings),
        lambda dy, _: [ref.binary_cross_entropy_backward(dy, p, target, **case.settings)],
        [p],
        case.gradient,
        terms=p.size,
        scale=20,  # the gradient is divided by p·(1 − p), at least 0.0475
    )


def test_binary_cross_entropy_of_certainty_is_capped():
    p, target = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 0.0, 1.0, 1.0])
    expected, (expected_dp,) = by_torch(
        lambda x: F.binary_cross_entropy(x, torch.from_numpy(target), reduction="none"), [p], np.ones_like
    )
    assert_close(ref.binary_cross_entropy(p, target, reduction="none"), expected)
    dp = ref.binary_cross_entropy_backward(np.ones(4), p, target, reduction="none")
    np.testing.assert_allclose(dp, expected_dp, rtol=1e-8)  # PyTorch's 1e-12 is rounded to float32
    np.testing.assert_array_equal(expected, [0, 100, 100, 0])


@quick
@given(elementwise_loss_cases())
def test_binary_cross_entropy_with_logits_is_pytorchs(case):
    x, target = 5 * case.array("x"), ref.sigmoid(case.array("target"))
    check(
        lambda x: F.binary_cross_entropy_with_logits(x, torch.from_numpy(target), **case.settings),
        lambda x: ref.binary_cross_entropy_with_logits(x, target, **case.settings),
        lambda dy, _: [ref.binary_cross_entropy_with_logits_backward(dy, x, target, **case.settings)],
        [x],
        case.gradient,
        terms=x.size,
        scale=20,
    )


def test_mse_of_integers_is_exact():
    x, target = np.array([1, 5, -2, 0], "float32"), np.array([4, 5, 2, 1], "float32")
    assert ref.mse(x, target, reduction="sum") == 26
    assert ref.mse(x, target, reduction="mean") == 6.5
