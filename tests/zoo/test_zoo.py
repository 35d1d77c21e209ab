import numpy as np
import pytest

from pellucid import nn, zoo
from pellucid.errors import ParameterError, ShapeError
from pellucid.nn.random import skip_init

SMALL = ["tiny", "pooled28", "pooled28-double", "funnel", "lenet5-rgb", "lenet5"]
"""Those that compute in a moment; `test_published.py` and `test_twins.py` are about the others."""


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("classes", [10, 1, 37])
def test_networks_compute_one_score_a_class(name, classes):
    net = zoo.build(name, classes=classes)
    assert net(np.zeros((2, *zoo.usual_input(name)), "float32")).shape == (2, classes)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("shape", [(1, 33, 47), (5, 32, 32), [3, 64, 20]])
def test_networks_fit_themselves_to_other_images(name, shape):
    net = zoo.build(name, input=shape)
    assert net(np.zeros((1, *shape), "float32")).shape == (1, 10)
    assert net.metadata == {"name": name, "input": list(shape)}


@pytest.mark.parametrize(
    ("name", "smallest"),
    [("tiny", 4), ("pooled28", 4), ("pooled28-double", 4), ("funnel", 16), ("lenet5-rgb", 16), ("lenet5", 16)],
)
def test_images_that_are_too_small_are_refused(name, smallest):
    assert zoo.build(name, input=(3, smallest, smallest))(np.zeros((1, 3, smallest, smallest), "float32")).shape == (
        1,
        10,
    )
    for size in (smallest - 1, 1):
        with pytest.raises(ShapeError, match=r"shrinks its image to .* cells; use a larger image"):
            zoo.build(name, input=(3, smallest, size))


@pytest.mark.parametrize(("name", "classes"), [("tiny", 10), ("lenet5", 10), ("resnet20", 10), ("resnet18", 1000)])
def test_the_usual_number_of_classes(name, classes):
    assert zoo.usual_classes(name) == classes
    with skip_init():
        assert list(zoo.build(name).parameters())[-1].shape == (classes,)


def test_weights_repeat_with_the_seed():
    def weights(seed):
        nn.manual_seed(seed)
        return zoo.build("resnet20").state_dict()

    first, again, other = weights(3), weights(3), weights(4)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["conv1.weight"], other["conv1.weight"])


def test_building_leaves_no_weight_at_zero():
    for name in (*SMALL, "nin", "resnet20", "squeezenet1-1", "shufflenet-v2-x1-0", "googlenet", "efficientnet-b0"):
        for path, parameter in zoo.build(name).named_parameters():
            assert path.endswith("bias") or parameter.data.any(), f"{name}: {path}"


def test_an_unknown_name_lists_the_known():
    for function in (zoo.build, zoo.usual_input, zoo.usual_classes):
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
