import threading

import numpy as np
import pytest

from pellucid import nn
from pellucid.nn import random


def test_nothing_is_drawn_inside():
    nn.manual_seed(5)
    expected = nn.Linear(4, 3).weight.data
    nn.manual_seed(5)
    with random.skip_init():
        layers = [nn.Linear(4, 3), nn.Conv2d(3, 8, 3), nn.ConvTranspose2d(3, 8, 3)]
        drawn = random.normal((3, 2), 1.0)
    assert not any(parameter.data.any() for layer in layers for parameter in layer.parameters())
    assert not drawn.any()
    np.testing.assert_array_equal(nn.Linear(4, 3).weight.data, expected)


def test_drawing_goes_on_after_an_error():
    with pytest.raises(ZeroDivisionError), random.skip_init(), random.skip_init():
        1 / 0  # noqa: B018
    assert random.uniform((9,), 1.0).all()


def test_another_thread_draws_meanwhile():
    found = []
    with random.skip_init():
        thread = threading.Thread(target=lambda: found.append(random.uniform((9,), 1.0)))
        thread.start()
        thread.join()
    assert found[0].all()


def test_a_normal_distribution():
    nn.manual_seed(1)
    drawn = random.normal((200, 500), 0.5)
    assert drawn.dtype == np.float32
    assert drawn.std() == pytest.approx(0.5, rel=0.02)
    assert abs(drawn.mean()) < 0.01
    assert np.mean(np.abs(drawn) < 0.5) == pytest.approx(0.6827, abs=0.01)
