import numpy as np
import pytest

from pellucid import zoo
from pellucid.errors import ParameterError, ShapeError


@pytest.mark.parametrize("name", zoo.names())
@pytest.mark.parametrize("classes", [10, 1, 37])
def test_networks_compute_one_score_a_class(name, classes):
    net = zoo.build(name, classes=classes)
    assert net(np.zeros((2, *zoo.usual_input(name)), "float32")).shape == (2, classes)


@pytest.mark.parametrize("name", zoo.names())
@pytest.mark.parametrize("shape", [(1, 33, 47), (5, 32, 32), [3, 64, 20]])
def test_networks_fit_themselves_to_other_images(name, shape):
    net = zoo.build(name, input=shape)
    assert net(np.zeros((1, *shape), "float32")).shape == (1, 10)
    assert net.metadata == {"name": name, "input": list(shape)}


@pytest.mark.parametrize(
    ("name", "smallest"), [("tiny", 4), ("pooled28", 4), ("pooled28-double", 4), ("lenet5-rgb", 16), ("funnel", 16)]
)
def test_images_that_are_too_small_are_refused(name, smallest):
    assert zoo.build(name, input=(3, smallest, smallest))(np.zeros((1, 3, smallest, smallest), "float32")).shape == (
        1,
        10,
    )
    for size in (smallest - 1, 1):
        with pytest.raises(ShapeError, match=r"shrinks its image to .* cells; use a larger image"):
            zoo.build(name, input=(3, smallest, size))


def test_every_network_has_its_smallest_image_tested():
    (mark,) = [m for m in test_images_that_are_too_small_are_refused.pytestmark if m.name == "parametrize"]
    assert {name for name, _ in mark.args[1]} == set(zoo.names())


def test_an_unknown_name_lists_the_known():
    for function in (zoo.build, zoo.usual_input):
        with pytest.raises(ParameterError, match=r"no network named 'lenet'; there are .*lenet5-rgb"):
            function("lenet")


@pytest.mark.parametrize("shape", [(28, 28), (1, 28, 28, 1), (0, 28, 28), (1, 28.0, 28), (1, -28, 28)])
def test_odd_images_are_refused(shape):
    with pytest.raises(ParameterError, match=r"'input' parameter of build must be"):
        zoo.build("tiny", input=shape)


@pytest.mark.parametrize("classes", [0, -1, 2.5, True])
def test_odd_numbers_of_classes_are_refused(classes):
    with pytest.raises(ParameterError, match=r"'classes' parameter of build must be an integer of at least 1"):
        zoo.build("tiny", classes=classes)
