import numpy as np
import pytest
import torch

import pellucid.nn as nn
from pellucid.errors import DataError, ParameterError

LOGITS = np.random.default_rng(0).standard_normal((4, 3, 2)).astype("float32")
LABELS = np.array([[0, 2], [1, 1], [2, 0], [0, 0]])
CHANCES = 1 / (1 + np.exp(-LOGITS))

INPUTS = {
    "CrossEntropyLoss": (LOGITS, LABELS),
    "MSELoss": (LOGITS, CHANCES),
    "BCELoss": (CHANCES, CHANCES[::-1].copy()),
    "BCEWithLogitsLoss": (LOGITS, CHANCES),
}


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", INPUTS)
def test_losses_are_pytorchs(name, reduction):
    inputs = INPUTS[name]
    expected = getattr(torch.nn, name)(reduction=reduction)(*map(torch.from_numpy, inputs))
    found = getattr(nn, name)(reduction=reduction)(*inputs)
    assert found.shape == tuple(expected.shape)
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-5)


def test_class_weights_and_smoothing_are_pytorchs():
    weight = np.array([0.5, 1.0, 2.0], "float32")
    theirs = torch.nn.CrossEntropyLoss(torch.from_numpy(weight), label_smoothing=0.1)
    ours = nn.CrossEntropyLoss(weight, label_smoothing=0.1)
    expected = theirs(torch.from_numpy(LOGITS), torch.from_numpy(LABELS))
    assert ours(LOGITS, LABELS) == pytest.approx(expected.item(), rel=1e-6)
    assert list(ours.state_dict()) == list(theirs.state_dict()) == ["weight"]


@pytest.mark.parametrize("name", INPUTS)
def test_a_bad_reduction_is_refused_at_once(name):
    with pytest.raises(ParameterError, match=r"'reduction' parameter .*; got 'average'"):
        getattr(nn, name)(reduction="average")


@pytest.mark.parametrize(("wrong", "value"), [(3, 3), (-1, -1), (255, 255)])
def test_labels_out_of_range_are_refused(wrong, value):
    labels = LABELS.copy()
    labels[1, 0] = wrong
    for loss in (nn.losses.cross_entropy, nn.CrossEntropyLoss()):
        with pytest.raises(DataError, match=rf"labels for 3 classes must be from 0 to 2; got {value}"):
            loss(LOGITS, labels)
