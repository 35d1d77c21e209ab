import numpy as np
import pytest
from scipy import ndimage

from pellucid.errors import DataError, ParameterError, ShapeError
from pellucid.explain.kernels.drawings import card, line
from pellucid.explain.kernels.gallery import kernel, read_kernel
from pellucid.explain.kernels.ranking import detectors, rank


def test_energies_are_scipys() -> None:
    kernels = detectors()
    for response in rank(card(), kernels):
        values = kernels[response.name] / np.linalg.norm(kernels[response.name])
        expected = ndimage.correlate(card().astype(np.float64), values, mode="nearest")
        assert response.energy == pytest.approx((expected**2).mean(), rel=1e-4)
        assert response.largest == pytest.approx(expected.max(), abs=1e-5)
        assert response.smallest == pytest.approx(expected.min(), abs=1e-5)


def test_a_horizontal_line_is_answered_by_horizontal_kernels_and_a_vertical_one_by_vertical_ones() -> None:
    pairs = {"horizontal-edge": "vertical-edge", "sobel-y": "sobel-x", "horizontal-line": "vertical-line"}
    kernels = {name: kernel(name) for pair in pairs.items() for name in pair}
    lying, standing = rank(line(0), kernels), rank(line(90), kernels)

    assert {response.name for response in lying[:3]} == set(pairs)
    assert {response.name for response in standing[:3]} == set(pairs.values())
    assert all(response.energy == 0 for response in (*lying[3:], *standing[3:]))
    assert lying[0].name == "horizontal-line"  # as much energy as the edge has, but a higher peak
    assert standing[0].name == "vertical-line"


@pytest.mark.parametrize(("angle", "best"), [(0, 90), (45, 135), (90, 0), (135, 45)])
def test_the_gabor_kernel_across_a_line_answers_most(angle: float, best: int) -> None:
    assert rank(line(angle), detectors())[0].name == f"gabor:angle={best}"


def test_scale_sign_and_flat_brightness_do_not_matter() -> None:
    picture = card()
    kernels = {"one": kernel("sobel-x"), "ten": -10 * kernel("sobel-x")}
    plain, brighter = rank(picture, kernels), rank(picture + 3, kernels)

    assert [response.name for response in plain] == ["one", "ten"]
    assert plain[0].energy == pytest.approx(plain[1].energy, rel=1e-6)
    assert plain[0].energy == pytest.approx(brighter[0].energy, rel=1e-3)


def test_channels_are_filtered_alone_and_bytes_are_shares() -> None:
    grey = (255 * card()).round().astype(np.uint8)
    one, three = rank(grey, detectors()), rank(np.stack([grey] * 3), detectors())

    assert [response.name for response in one] == [response.name for response in three]
    assert one[0].energy == pytest.approx(three[0].energy)
    assert one[0].energy == pytest.approx(rank(card(), detectors())[0].energy, rel=1e-2)


def test_detectors_answer_nothing_to_flat_areas_and_none_is_there_twice() -> None:
    kernels = detectors()

    assert {"vertical-edge", "horizontal-edge", "sobel-x", "laplacian", "blob", "gabor:angle=90"} <= set(kernels)
    assert not {"prewitt-x", "prewitt-y", "horizontal-edge-upward", "box-blur", "sharpen", "identity"} & set(kernels)
    for name, values in kernels.items():
        np.testing.assert_array_equal(read_kernel(name), values)
        assert abs(values.sum()) < 0.05 * abs(values).sum()
    flat = rank(np.ones((40, 40)), {name: kernels[name] for name in ("sobel-x", "laplacian")})
    assert [response.energy for response in flat] == pytest.approx([0, 0], abs=1e-12)


def test_what_cannot_be_ranked_is_refused() -> None:
    with pytest.raises(ParameterError, match="at least one kernel"):
        rank(card(), {})
    with pytest.raises(ParameterError, match="The kernel 'none' must not be all zeros"):
        rank(card(), {"none": np.zeros((3, 3))})
    with pytest.raises(ShapeError, match="The image must be"):
        rank(np.zeros(3), detectors())
    with pytest.raises(ParameterError, match="numbers of the kernel 'none' must be finite"):
        rank(card(), {"none": [[np.nan, 1]]})
    with pytest.raises(ShapeError, match="The kernel 'none' must be an array of numbers"):
        rank(card(), {"none": "sobel-x"})


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_a_picture_must_be_of_numbers_that_can_be_computed_with(value: float) -> None:
    with pytest.raises(DataError, match="The picture's numbers must be finite"):
        rank(np.full((9, 9), value), detectors())
    with pytest.raises(DataError, match="The picture must be an array of numbers"):
        rank([[1], [1, 2]], detectors())


def test_sixteen_bits_are_shares_as_eight_are() -> None:
    grey = (255 * card()).round().astype(np.uint8)
    kernels = {"sobel-x": kernel("sobel-x")}

    assert rank(grey.astype(np.uint16) * 257, kernels)[0].energy == pytest.approx(rank(grey, kernels)[0].energy)
