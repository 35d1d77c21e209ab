"""The lesson's network built to bear shifts and turns."""

import numpy as np
import pytest

from pellucid import nn, zoo
from pellucid.errors import ShapeError


def scores(name, **settings):
    nn.manual_seed(0)
    net = zoo.build(name, **settings).eval()
    return net, np.random.default_rng(0).standard_normal((3, *net.metadata["input"])).astype("float32")


@pytest.mark.parametrize("name", ["pooled28-blur", "pooled28-p4"])
@pytest.mark.parametrize(("shape", "classes"), [((1, 28, 28), 10), ((3, 33, 33), 2), ((1, 12, 12), 37)])
def test_they_give_a_score_for_each_class(name, shape, classes):
    net, x = scores(name, input=shape, classes=classes)
    assert net(x).shape == (3, classes)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_change_nothing_for_the_group_network(quarters):
    net, x = scores("pooled28-p4")
    turned = np.ascontiguousarray(np.rot90(x, quarters, (2, 3)))
    np.testing.assert_allclose(net(turned), net(x), rtol=1e-4, atol=1e-5)
    plain, x = scores("pooled28")
    assert abs(plain(turned) - plain(x)).max() > 1e-3


def test_they_have_about_as_many_parameters_as_the_plain_network():
    counts = [zoo.published_parameters(name) for name in ("pooled28", "pooled28-blur", "pooled28-p4")]
    assert counts == [430_890, 430_890, 429_978]


def test_images_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match=r"turns its kernels by 90° and needs a square image; got 28 × 30"):
        zoo.build("pooled28-p4", input=(1, 28, 30))
    for name in ("pooled28-blur", "pooled28-p4"):
        with pytest.raises(ShapeError, match="use a larger image"):
            zoo.build(name, input=(1, 3, 3))
    with pytest.raises(ShapeError, match=r"network 'pooled28-blur' needs a larger image than 4 × 4"):
        zoo.build("pooled28-blur", input=(1, 4, 4))
