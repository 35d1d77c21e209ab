import pytest

from pellucid.bench import works
from pellucid.bench.tasks import Convolution, Filter, Inference, Training
from pellucid.errors import ParameterError


def test_names_lead_to_tasks():
    inference, training = works.find("infer/tiny/b3").task(), works.find("train/tiny/b2").task()
    assert type(inference) is Inference
    assert inference.x.shape == (3, 1, 28, 28)
    assert type(training) is Training
    assert training.y.shape == (2,)
    convolution = works.find("conv/dgrad/some/n1c2h5w5k4r3s3").task()
    assert isinstance(convolution, Convolution)
    assert convolution.direction == "dgrad"
    photo = works.find("filter/7x7gauss/rgb/uint8").task()
    assert photo == Filter(7, True, 3, "uint8")
    assert photo.rows * photo.columns == 12_000_000
    assert works.find(works.MEMORY).task is None


@pytest.mark.parametrize(
    "name",
    [
        "", "infer", "infer/tiny", "infer/tiny/64", "infer/tiny/b0", "infer/nonsense/b1", "conv/back/n1c2h5w5k4r3s3",
        "conv/fwd/n1c2", "filter/4x4/grey/uint8", "filter/3x3/red/uint8", "memory/train/tiny/b1", "infer/tiny/b1/b1",
    ],
)  # fmt: skip
def test_what_names_no_work_is_refused(name):
    with pytest.raises(ParameterError):
        works.find(name)


def test_patterns_choose():
    names = [work.name for work in works.choose(["infer/vgg16/*", "infer/vgg16/b8", "train/tiny/b1"])]
    assert names == ["infer/vgg16/b1", "infer/vgg16/b8", "train/tiny/b1"]
    with pytest.raises(ParameterError, match=r"'infer/nonsense/\*'"):
        works.choose(["infer/nonsense/*"])


def test_without_patterns_all_that_is_asked_is_measured():
    names = [work.name for work in works.choose()]
    assert len(names) == len(set(names))
    for name in ("train/pooled28/b64", "infer/pooled28/b256", "infer/mobilenet-v2/b8", works.MEMORY):
        assert name in names
    for direction in Convolution.directions:
        assert f"conv/{direction}/pooled28/n64c32h28w28k32r3s3pad1" in names
    assert set(names) < set(works.listed())


def test_operations_are_counted_by_the_definition():
    assert works.find("conv/wgrad/n2c3h6w6k4r3s3pad1").task().flops == 2 * 2 * 6 * 6 * 4 * 3 * 9
    assert Filter(3, False, 3, "uint8", rows=10, columns=20).flops == 2 * 10 * 20 * 3 * 9
    inference, training = works.find("infer/tiny/b2").task().flops, works.find("train/tiny/b2").task().flops
    first_layer = 2 * 2 * 28 * 28 * 4 * 9  # whose input needs no gradient
    assert training == 3 * inference - first_layer
