import numpy as np
import pytest

import pellucid as pel
from pellucid.errors import ParameterError
from pellucid.interop.pretrained import PRETRAINED, pretrained
from pellucid.train.evaluate import evaluate


def test_the_one_for_clothes_knows_them() -> None:
    _, test = pel.datasets.load("fashion-mnist-mini")
    net = pretrained("fashion")

    assert evaluate(net, test).accuracy > 0.91
    assert tuple(net.metadata["classes"]) == test.classes


def test_the_one_for_digits_reads_digits_drawn_here() -> None:
    """MNIST is not at hand: a bar is a one, a ring a zero."""
    net, (rows, columns) = pretrained("digits"), np.indices((28, 28)) - 13.5
    ring = abs(np.hypot(rows / 1.3, columns) - 6) < 1.5
    bar = (abs(columns) < 1.5) & (abs(rows) < 9)
    pictures = np.stack([ring, bar])[:, None] * np.uint8(255)
    inputs = pel.datasets.Dataset.from_arrays(pictures, [0, 1]).preprocessing.normalise(pictures)

    assert net(inputs).argmax(axis=1).tolist() == [0, 1]


@pytest.mark.parametrize("name", PRETRAINED)
def test_they_are_small_and_say_what_they_take(name: str) -> None:
    net = pretrained(name)

    assert net.metadata["input"] == [1, 28, 28]
    assert len(net.metadata["classes"]) == 10
    assert net.metadata["preprocessing"]["size"] == [28, 28]
    assert not net.training
    assert all(parameter.type.dtype == "float32" for parameter in net.parameters())


def test_another_name_is_refused() -> None:
    with pytest.raises(ParameterError, match="There is no trained network 'digit'; the nearest is digits"):
        pretrained("digit")
