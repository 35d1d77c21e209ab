"""Evaluation against counts made by hand."""

import numpy as np
import pytest

from pellucid import nn
from pellucid.data.dataset import Dataset
from pellucid.data.preprocessing import Preprocessing
from pellucid.errors import DataError
from pellucid.train.evaluate import evaluate


class Passes(nn.Module):
    """Returns its 1×1×K image as K logits."""

    def forward(self, x):
        return x.flatten(1)


def dataset(logits, labels, classes):
    images = np.asarray(logits, np.float32)[:, None, None, :]
    plain = Preprocessing(size=images.shape[2:], channels=1, mean=(0.0,), std=(1.0,))
    return Dataset(images, np.asarray(labels), classes, "made", plain)


def test_counts_by_hand():
    data = dataset([[3, 0, 0], [0, 3, 0], [0, 3, 0], [0, 0, 3], [3, 0, 0]], [0, 1, 0, 2, 2], ("a", "b", "c"))
    net = Passes()
    result = evaluate(net, data, batch_size=2)
    assert net.training
    assert result.accuracy == 3 / 5
    assert result.per_class == {"a": 0.5, "b": 1.0, "c": 0.5}
    assert result.confusion.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 1]]
    right, wrong = (-np.log(np.exp(v) / (np.exp(3) + 2)) for v in (3, 0))
    assert result.loss == pytest.approx((3 * right + 2 * wrong) / 5, rel=1e-6)
    np.testing.assert_allclose(result.probabilities.sum(axis=1), 1, rtol=1e-6)
    assert result.as_dict()["confusion"] == result.confusion.tolist()


def test_a_class_without_images_has_no_accuracy():
    result = evaluate(Passes(), dataset([[3, 0, 0], [0, 3, 0]], [0, 1], ("a", "b", "c")))
    assert np.isnan(result.per_class["c"])
    assert result.as_dict()["per_class"] == {"a": 1.0, "b": 1.0, "c": None}


def test_other_classes_than_the_networks_are_refused():
    net = nn.Sequential(nn.Flatten(), nn.Linear(3, 2))
    with pytest.raises(DataError, match=r"outputs of shape \(2,\), but data set 'made' has 3 classes"):
        evaluate(net, dataset([[3, 0, 0], [0, 3, 0]], [0, 1], ("a", "b", "c")))
