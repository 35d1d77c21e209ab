"""Filters of photos against SciPy and scikit-image, on scikit-image's sample photos and on random ones."""

import json

import numpy as np
import pytest
import skimage.data
import skimage.filters
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from pellucid.data.photos import Photo
from pellucid.errors import ParameterError, ShapeError
from pellucid.explain.kernels.gallery import kernel
from pellucid.explain.photo import PAIRS, RESULTS, edges, filter_photo, usual_result
from pellucid.nn.filters import filter2d
from tests.comparison import EPSILON, assert_matches

MODES = {"zeros": "constant", "replicate": "nearest", "reflect": "mirror", "circular": "wrap"}
"""What SciPy calls each border."""
SAMPLES = ("camera", "coins", "coffee")


@pytest.fixture(params=SAMPLES)
def sample(request):
    return getattr(skimage.data, request.param)()


def by_scipy(photo, kernel_, border):
    """Correlate each colour in float64."""
    planes = np.atleast_3d(photo).astype(np.float64)
    kernel_ = np.asarray(kernel_, np.float64)
    origin = tuple(-1 if size % 2 == 0 else 0 for size in kernel_.shape)
    found = [
        ndimage.correlate(planes[:, :, c], kernel_, mode=MODES[border], origin=origin) for c in range(planes.shape[2])
    ]
    return np.stack(found, 2).reshape(photo.shape)


@pytest.mark.parametrize("border", MODES)
@pytest.mark.parametrize("name", ["sobel-x", "sobel-y", "prewitt-x", "prewitt-y", "scharr-x", "laplacian", "emboss"])
def test_kernels_of_whole_numbers_equal_scipy_exactly(sample, name, border):
    y = filter2d(sample.astype(np.float32), kernel(name), border)
    assert_matches(y, by_scipy(sample, kernel(name), border).astype(np.float32))


@pytest.mark.parametrize("border", MODES)
@pytest.mark.parametrize("settings", [{"size": 3}, {"size": 7}, {"sigma": 2.0}])
def test_blurs_equal_scipy_within_rounding(sample, settings, border):
    bell = kernel("gaussian-blur", **settings)
    y = filter2d(sample.astype(np.float32), bell, border)
    assert_matches(y, by_scipy(sample, bell, border).astype(np.float32), 32 * EPSILON["float32"] * 255)


@pytest.mark.parametrize("name", ["sobel", "prewitt", "scharr"])
def test_pairs_are_those_of_scikit_image(name):
    """Its kernels are ours, divided by the sum of one side."""
    photo, theirs = skimage.data.camera(), getattr(skimage.filters, name)
    divisor = {"sobel": 4, "prewitt": 3, "scharr": 16}[name]
    for axis, letter in ((1, "x"), (0, "y")):
        y = filter2d(photo.astype(np.float32), kernel(f"{name}-{letter}"), "reflect") / divisor
        np.testing.assert_allclose(y, theirs(photo.astype(float), axis=axis, mode="mirror"), atol=2e-5)
    magnitude = edges(photo, name).magnitude / divisor / np.sqrt(2)
    np.testing.assert_allclose(magnitude, theirs(photo.astype(float), mode="mirror"), atol=2e-5)


def test_blurs_and_laplacian_are_those_of_scikit_image_and_scipy():
    photo = skimage.data.camera().astype(np.float32)
    exact = photo.astype(np.float64)
    for sigma in (1.0, 2.5, 12.0):
        y = filter2d(photo, kernel("gaussian-blur", sigma=sigma), "reflect")
        np.testing.assert_allclose(y, skimage.filters.gaussian(exact, sigma, mode="mirror"), atol=5e-4)
    y = filter2d(photo, kernel("box-blur", size=5), "replicate")
    np.testing.assert_allclose(y, ndimage.uniform_filter(exact, 5, mode="nearest"), atol=1e-4)
    y = filter2d(photo, kernel("laplacian"), "circular")
    assert_matches(y, ndimage.laplace(exact, mode="wrap").astype(np.float32))
    inside = np.s_[1:-1, 1:-1]
    assert_matches(-y[inside], skimage.filters.laplace(exact)[inside].astype(np.float32))


@pytest.mark.parametrize("name", ["sharpen", "gaussian-blur", "box-blur", "emboss", "identity"])
def test_bytes_are_scipys_sums_rounded_and_cut_off(sample, name):
    made = filter_photo(sample, kernel(name))
    assert (made.result, made.low, made.high, made.extremes) == ("clip", 0, 255, None)
    assert_matches(made.values, np.rint(by_scipy(sample, kernel(name), "reflect")).clip(0, 255).astype(np.uint8))


def test_16_bits_keep_their_depth():
    photo = np.random.default_rng(0).integers(0, 65536, (40, 30, 3)).astype(np.uint16)
    made = filter_photo(photo, kernel("gaussian-blur"))
    exact = by_scipy(photo, kernel("gaussian-blur"), "reflect")
    assert made.values.dtype == np.uint16
    assert abs(made.values - exact).max() < 0.51
    assert made.high == 65535
    assert made.extremes == pytest.approx((exact.min(), exact.max()))
    sharp = by_scipy(photo, kernel("sharpen"), "reflect")
    assert abs(filter_photo(photo, kernel("sharpen")).values - sharp.clip(0, 65535)).max() < 0.51


photos = st.builds(
    lambda height, width, is_colour, dtype, seed: np.random.default_rng(seed)
    .integers(0, np.iinfo(dtype).max + 1, (height, width, 3) if is_colour else (height, width))
    .astype(dtype),
    st.integers(1, 20), st.integers(1, 20), st.booleans(), st.sampled_from(["uint8", "uint16"]), st.integers(0, 99),
)  # fmt: skip
kernels = st.builds(
    lambda size, seed: np.random.default_rng(seed).integers(-4, 5, size) / 4,
    st.tuples(st.integers(1, 9), st.integers(1, 9)), st.integers(0, 99),
)  # fmt: skip


@given(photos, kernels, st.sampled_from(sorted(MODES)), st.sampled_from(RESULTS))
def test_every_result_is_made_of_scipys_sums(photo, numbers, border, result):
    made = filter_photo(photo, numbers, border=border, result=result)
    white = int(np.iinfo(photo.dtype).max)
    is_signed = result == "signed"
    grey = photo @ np.array([0.299, 0.587, 0.114]) if photo.ndim == 3 else photo
    sums = by_scipy(grey if is_signed else photo, numbers, border)
    rounding = 1e-5 * white * (1 + abs(numbers).sum())
    assert made.values.shape == sums.shape
    if made.extremes is not None:
        np.testing.assert_allclose(made.extremes, (sums.min(), sums.max()), atol=rounding)
    if is_signed:
        np.testing.assert_allclose(made.values, sums, atol=rounding)
        assert made.low == -made.high
        largest = abs(sums).max() if made.extremes != (0, 0) else white
        assert largest / 4 - rounding <= made.high <= largest + rounding
        return
    assert made.values.dtype == photo.dtype
    if result == "absolute":
        sums = abs(sums)
    if made.high - made.low > 100 * rounding:
        shares = ((sums - made.low) / (made.high - made.low)).clip(0, 1)
        assert abs(made.values - white * shares).max() <= 0.5 + white * rounding / (made.high - made.low)


def test_scaling_reaches_black_and_white_in_all_colours_alike():
    photo = skimage.data.astronaut()
    made = filter_photo(photo, kernel("sobel-x"), result="scale")
    sums = by_scipy(photo, kernel("sobel-x"), "reflect")
    assert (made.low, made.high) == (sums.min(), sums.max())
    assert made.values.min() == 0
    assert made.values.max() == 255
    assert np.ptp(made.values[sums == 0]) == 0


def test_few_strong_edges_do_not_leave_a_scale_pale():
    photo = np.random.default_rng(0).integers(0, 20, (100, 100)).astype(np.uint8)
    photo[50, 50] = 255
    made = filter_photo(photo, [[-1, 1]])
    assert made.extremes[1] > 230
    assert made.high == pytest.approx(made.extremes[1] / 4, rel=0.1)


@pytest.mark.parametrize("result", RESULTS)
@pytest.mark.parametrize("value", [0, 100])
def test_one_colour_everywhere_and_single_pixels(result, value):
    for shape in ((6, 5), (1, 1), (1, 1, 3)):
        photo = np.full(shape, value, np.uint8)
        for numbers in ([[-1, 0, 1]], np.full((3, 3), 1 / 9), [[2.0]]):
            made = filter_photo(photo, numbers, result=result)
            assert np.isfinite(made.values).all()
            assert np.ptp(made.values) == 0
    assert filter_photo(np.zeros((2, 2), np.uint8), [[1, -1]], result="absolute").values.max() == 0


@pytest.mark.parametrize("colour", [(200, 100, 50), (13, 77, 191), (255, 255, 255)])
def test_rounding_is_no_answer(colour):
    """Where nothing changes, what is left of sums that should be 0 must not be stretched to full colours."""
    photo = np.full((20, 30, 3), colour, np.uint8)
    for name in ("sobel-x", "log", "scharr-x", "gaussian-derivative"):
        made = filter_photo(photo, kernel(name))
        assert (made.low, made.high) == (-255, 255)
        assert filter_photo(photo, kernel(name), result="absolute").values.max() == 0
        assert np.ptp(filter_photo(photo, kernel(name), result="scale").values) == 0
    assert edges(photo).limit == 255


def test_the_least_change_of_a_deep_photo_is_seen():
    photo = np.full((20, 30), 65000, np.uint16)
    photo[:, 15:] += 1
    assert filter_photo(photo, kernel("sobel-x")).high == pytest.approx(4)
    assert edges(photo).limit == pytest.approx(4)
    assert np.ptp(filter_photo(photo, kernel("box-blur"), result="scale").values) == 65535


def test_usual_results_follow_the_sum():
    for name in ("sharpen", "box-blur", "gaussian-blur", "emboss", "unsharp", "motion-blur"):
        assert usual_result(kernel(name)) == "clip"
    for name in ("sobel-x", "laplacian", "log", "gabor", "blob"):
        assert usual_result(kernel(name)) == "signed"
    assert usual_result(np.full((3, 3), 0.111)) == "clip"
    assert usual_result(np.ones((3, 3))) == "scale"


def test_alpha_and_profile_are_kept_but_not_filtered():
    alpha = np.arange(12, dtype=np.uint8).reshape(3, 4)
    photo = Photo(np.zeros((3, 4, 3), np.uint8), alpha, b"profile")
    made = filter_photo(photo, kernel("box-blur"))
    assert made.photo.alpha is alpha
    assert made.photo.profile == b"profile"
    signed = filter_photo(photo, kernel("sobel-x"))
    assert signed.alpha is alpha
    assert signed.profile is None  # red and blue of a scale are no colours of the camera's


@pytest.mark.parametrize("angle", range(0, 360, 30))
def test_directions_are_counter_clockwise_as_seen(angle):
    right, down = np.meshgrid(np.arange(21), np.arange(21))
    growth = right * np.cos(np.radians(angle)) - down * np.sin(np.radians(angle))
    photo = (30_000 + 1000 * growth).astype(np.uint16)
    for pair in PAIRS:
        found = edges(photo, pair)
        off = (found.direction[1:-1, 1:-1] - angle + 180) % 360 - 180
        assert abs(off).max() < 0.1
        assert found.direction.min() >= 0
        assert found.direction.max() < 360
        sides = {"sobel": 8, "prewitt": 6, "scharr": 32}[pair]
        np.testing.assert_allclose(found.magnitude[1:-1, 1:-1], 1000 * sides, rtol=1e-3)


def test_edges_of_a_colour_photo_are_those_of_its_brightness():
    photo = skimage.data.coffee()
    found = edges(photo)
    grey = photo.astype(float) @ [0.299, 0.587, 0.114]
    expected = np.hypot(ndimage.sobel(grey, 0, mode="mirror"), ndimage.sobel(grey, 1, mode="mirror"))
    np.testing.assert_allclose(found.magnitude, expected, atol=1e-3)
    assert found.photo.pixels.dtype == np.uint8
    np.testing.assert_allclose(found.photo.pixels, (255 * expected / found.limit).clip(0, 255), atol=0.51)


def test_records_are_json():
    photo = np.arange(12, dtype=np.uint8).reshape(3, 4)
    record = json.loads(json.dumps(filter_photo(photo, [[-1, 0, 1]]).as_dict()))
    assert record == {"result": "signed", "border": "reflect", "low": -2, "high": 2, "extremes": [0, 2]}
    assert json.loads(json.dumps(edges(photo).as_dict()))["pair"] == "sobel"


def test_what_cannot_be_is_refused():
    photo = np.zeros((3, 4), np.uint8)
    with pytest.raises(
        ShapeError, match=r"must be \(H, W\) or \(H, W, 3\), not empty, of uint8 or uint16; got float32"
    ):
        filter_photo(photo.astype(np.float32), [[1]])
    with pytest.raises(ShapeError, match="of uint8 or uint16"):
        edges(np.zeros((3, 4, 4), np.uint8))
    with pytest.raises(
        ParameterError, match="'result' parameter must be one of clip, scale, signed, absolute; got 'x'"
    ):
        filter_photo(photo, [[1]], result="x")
    with pytest.raises(ParameterError, match="'pair' parameter must be one of sobel, prewitt, scharr; got 'roberts'"):
        edges(photo, "roberts")
    with pytest.raises(ParameterError, match="'border' parameter of filter2d must be one of"):
        filter_photo(photo, [[1]], border="mirror")
    with pytest.raises(ParameterError, match="small enough for sums below 3e38; divide them"):
        filter_photo(np.full((3, 4), 255, np.uint8), [[3e38, 3e38]], result="scale")
    with pytest.raises(ParameterError, match="must be finite numbers"):
        filter_photo(photo, [[1e39]])
