import json
import math
from pathlib import Path

import numpy as np
import pytest
import skimage.filters
from scipy import ndimage

from pellucid.errors import FileError, ParameterError
from pellucid.explain.kernels.exhibits import answer
from pellucid.explain.kernels.gallery import GALLERY, MAX_SCALE, MAX_SIZE, NAMES, kernel, read_kernel
from pellucid.explain.kernels.makers import turned

GOLDEN = Path(__file__).parents[2] / "golden" / "worked_examples.json"
PICTURE = np.random.default_rng(0).random((24, 31))


def impulse(size: int) -> np.ndarray:
    values = np.zeros((size, size))
    values[size // 2, size // 2] = 1
    return values


def test_the_kernels_of_the_worked_examples_are_here_to_the_number() -> None:
    kernels = json.loads(GOLDEN.read_text(encoding="utf-8"))["kernels"]

    assert set(kernels) <= set(NAMES)
    for name, rows in kernels.items():
        if isinstance(rows, list):
            np.testing.assert_array_equal(kernel(name), rows)
    np.testing.assert_array_equal(kernel("box-blur"), np.full((3, 3), 1 / 9))
    np.testing.assert_array_equal(kernel("gaussian-blur") * 16, [[1, 2, 1], [2, 4, 2], [1, 2, 1]])
    assert kernel("blob").sum() == 0


@pytest.mark.parametrize(
    ("name", "function", "factor"),
    [
        ("sobel-x", skimage.filters.sobel_v, 4),
        ("sobel-y", skimage.filters.sobel_h, 4),
        ("prewitt-x", skimage.filters.prewitt_v, 3),
        ("prewitt-y", skimage.filters.prewitt_h, 3),
        ("scharr-x", skimage.filters.scharr_v, 16),
        ("scharr-y", skimage.filters.scharr_h, 16),
        ("laplacian", skimage.filters.laplace, -1),
    ],
)
def test_edge_kernels_answer_as_scikit_images_do(name: str, function: object, factor: float) -> None:
    found = answer(PICTURE.astype(np.float32), kernel(name))
    np.testing.assert_allclose(found / factor, function(PICTURE), atol=1e-6)  # type: ignore[operator]


@pytest.mark.parametrize("sigma", [0.7, 1.5, 2.3])
def test_gaussians_are_scipys(sigma: float) -> None:
    size = 2 * int(4 * sigma + 0.5) + 1
    expected = ndimage.gaussian_laplace(impulse(size), sigma, mode="constant", truncate=4)

    np.testing.assert_allclose(
        kernel("gaussian-blur", sigma=sigma), ndimage.gaussian_filter(impulse(size), sigma, mode="constant"), atol=1e-12
    )
    np.testing.assert_allclose(kernel("log", sigma=sigma), expected - expected.mean(), atol=1e-5)
    slope = ndimage.gaussian_filter(impulse(size), sigma, order=(0, 1), mode="constant")
    found = kernel("gaussian-derivative", sigma=sigma)
    np.testing.assert_allclose(found / np.linalg.norm(found), -slope / np.linalg.norm(slope), atol=1e-9)


@pytest.mark.parametrize("angle", [0, 30, 90, 200])
@pytest.mark.parametrize("phase", [0, 90, 33])
def test_gabor_is_scikit_images(angle: float, phase: float) -> None:
    expected = skimage.filters.gabor_kernel(
        1 / 5, theta=math.radians(-angle), sigma_x=2, sigma_y=2, n_stds=4, offset=math.radians(phase)
    ).real
    found = kernel("gabor", size=11, angle=angle, sigma=2, wavelength=5, phase=phase)
    middle = expected.shape[0] // 2, expected.shape[1] // 2
    inner = expected[middle[0] - 5 : middle[0] + 6, middle[1] - 5 : middle[1] + 6]
    np.testing.assert_allclose(found, inner, atol=1e-12)


@pytest.mark.parametrize("angle", [0, 30, 135, 290])
def test_the_slope_of_a_gaussian_answers_a_ramp_with_its_growth(angle: float) -> None:
    y, x = np.indices((9, 9)) - 4
    ramp = x * math.cos(math.radians(angle)) - y * math.sin(math.radians(angle))  # brighter towards the angle

    assert (kernel("gaussian-derivative", angle=angle) * ramp).sum() == pytest.approx(1)
    assert (kernel("gaussian-derivative", angle=angle + 90) * ramp).sum() == pytest.approx(0, abs=1e-12)


def test_blurs_keep_brightness_and_motion_blur_lies_on_its_line() -> None:
    for text in ("box-blur:size=7", "gaussian-blur:size=9", "gaussian-blur:sigma=2", "motion-blur:angle=25", "unsharp"):
        assert read_kernel(text).sum() == pytest.approx(1)
    flat, upright, slanted = (kernel("motion-blur", size=7, angle=angle) for angle in (0, 90, 30))
    y, x = np.indices((7, 7)) - 3
    off_line = abs(x * math.sin(math.radians(30)) + y * math.cos(math.radians(30)))

    np.testing.assert_allclose(flat[3], np.full(7, 1 / 7))
    np.testing.assert_array_equal(flat, upright.T)
    assert (slanted[off_line > math.sqrt(2)] == 0).all()
    assert slanted.min() >= 0


def test_binomial_blurs_are_repeated_ones() -> None:
    rows = np.array([1.0])
    for _ in range(6):
        rows = np.convolve(rows, [0.5, 0.5])
    np.testing.assert_allclose(kernel("gaussian-blur", size=7), np.outer(rows, rows))


@pytest.mark.parametrize("name", NAMES)
def test_every_kernel_is_described_and_takes_what_it_says(name: str) -> None:
    entry = GALLERY[name]
    values = kernel(name)

    assert entry.about[-1] != "."
    assert entry.as_dict() == {"name": name, "about": entry.about, "parameters": list(entry.parameters)}
    assert values.dtype == np.float64
    assert values.shape[0] == values.shape[1]
    assert values.shape[0] % 2 == 1
    for key, value in {"size": 5, "angle": 90, "sigma": 1.5, "wavelength": 3, "phase": 45}.items():
        if key in entry.parameters:
            assert np.isfinite(kernel(name, **{key: value})).all()
            assert key != "size" or kernel(name, size=5).shape == (5, 5)
        else:
            with pytest.raises(ParameterError, match=f"has no parameter '{key}'"):
                kernel(name, **{key: value})


def test_turning_goes_counter_clockwise_and_eight_times_45_degrees_is_once_around() -> None:
    np.testing.assert_array_equal(turned(kernel("sobel-x"), 90), -kernel("sobel-y"))  # bright above
    np.testing.assert_array_equal(turned(kernel("horizontal-edge"), 45), kernel("diagonal-edge"))
    values = np.arange(9.0).reshape(3, 3)
    around = values
    for _ in range(8):
        around = turned(around, 45)
    np.testing.assert_array_equal(around, values)
    np.testing.assert_array_equal(turned(values, -45), turned(values, 315))
    np.testing.assert_array_equal(turned(np.arange(6).reshape(2, 3), 90), [[2, 5], [1, 4], [0, 3]])


def test_kernels_are_read_from_names_files_and_rows(tmp_path: Path) -> None:
    file = tmp_path / "mine.CSV"
    file.write_text("1,2\n3,4\n", encoding="utf-8")

    np.testing.assert_array_equal(read_kernel(str(file)), [[1, 2], [3, 4]])
    np.testing.assert_array_equal(read_kernel(" sobel-x : angle=180 "), kernel("sobel-x", angle=180))
    np.testing.assert_array_equal(
        read_kernel("gabor:size=11, angle=30,wavelength=5"), kernel("gabor", size=11, angle=30, wavelength=5)
    )
    np.testing.assert_array_equal(read_kernel("-1,0;0,1/2"), [[-1, 0], [0, 0.5]])
    np.testing.assert_array_equal(read_kernel(".5"), [[0.5]])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("sobelx", "There is no kernel 'sobelx'; the nearest are sobel-x, sobel-y."),
        ("Laplacian_Diagonal", "the nearest are laplacian-diagonal"),
        ("quux", "There is no kernel 'quux'; there are identity, "),
        ("identify", "There is no kernel 'identify'; the nearest is identity."),
        ("gabor:size=4", "The 'size' parameter of gabor must be an odd whole number from 1 to 255; got 4."),
        ("gabor:size=1e9", "from 1 to 255; got 1e+09."),
        ("gabor:size=3.5", "got 3.5."),
        ("gabor:angle=inf", "The 'angle' parameter of gabor must be a finite number; got inf."),
        ("gabor:wavelength=0", "The 'wavelength' parameter of gabor must be from 0.1 to 30 pixels; got 0."),
        ("log:sigma=-1", "must be from 0.1 to 30 pixels; got -1."),
        ("gabor:tilt=2", "The kernel gabor has no parameter 'tilt'; its parameters are: size, angle, sigma"),
        ("sharpen:size=3", "The kernel sharpen has no parameter 'size'; its parameters are: none."),
        ("sobel-x:angle=30", "The 'angle' parameter of sobel-x must be a multiple of 45 degrees; got 30."),
        ("gabor:size=11,size=13", "The 'size' parameter of gabor must be given once; got it twice."),
        ("1e16 1", "The largest magnitude of the kernel must be from 1e-15 to 1e+15, or 0; got 1e+16; scale it."),
        ("1e-320", "The largest magnitude of the kernel must be"),
        ("sobel-x:angle", "The 'angle' parameter of sobel-x must be a number; got ''."),
        ("1,2;3", "The kernel must have rows of equal length"),
        ("", "The kernel must be rows of numbers"),
        (";".join(["1"] * 1000), "The kernel must have at most 255 rows and columns; got 1000×1."),
    ],
)
def test_what_is_no_kernel_is_refused_in_a_sentence(text: str, reason: str) -> None:
    with pytest.raises(ParameterError) as error:
        read_kernel(text)
    assert reason in str(error.value)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "words.txt").write_text("one two")

    with pytest.raises(FileError, match=r"missing.txt' must be a readable file; got: No such file"):
        read_kernel(str(tmp_path / "missing.txt"))
    with pytest.raises(FileError, match="must be a text file of rows of numbers; got something else"):
        read_kernel(str(tmp_path / "binary.txt"))
    with pytest.raises(ParameterError, match=r"kernel in '.*words.txt' must hold finite numbers"):
        read_kernel(str(tmp_path / "words.txt"))


@pytest.mark.parametrize(
    "written",
    ["1;0;-1\n2;0;-2\n", "1; 0; -1\r\n2; 0; -2", "\ufeff1,0,-1\n2,0,-2\n", "\ufeff1\t0\t-1\r\n2\t0\t-2\r\n\r\n"],
)
def test_a_row_of_a_file_is_a_line_as_spreadsheets_write_it(tmp_path: Path, written: str) -> None:
    (tmp_path / "a.csv").write_text(written, encoding="utf-8", newline="")
    np.testing.assert_array_equal(read_kernel(str(tmp_path / "a.csv")), [[1, 0, -1], [2, 0, -2]])


@pytest.mark.parametrize("written", ["0,5;0;-0,5\n1;0;-1\n", "1,0,-1; 2,0,-2", "0,5\t0\t-0,5"])
def test_a_file_of_mixed_separators_is_not_guessed_at(tmp_path: Path, written: str) -> None:
    (tmp_path / "a.csv").write_text(written)
    with pytest.raises(ParameterError, match="not several of them; write a row on each line"):
        read_kernel(str(tmp_path / "a.csv"))


def test_kernels_that_can_be_turned_say_by_how_much() -> None:
    with pytest.raises(ParameterError, match="'angle' parameter of emboss must be a multiple of 45 degrees; got 10"):
        kernel("emboss", angle=10)
    with pytest.raises(ParameterError, match="There is no kernel '5'"):
        kernel(5)  # type: ignore[arg-type]


def test_the_largest_sigma_makes_no_kernel_beyond_the_largest_size() -> None:
    for name in ("gaussian-blur", "log", "gaussian-derivative", "gabor"):
        assert len(kernel(name, sigma=MAX_SCALE)) <= MAX_SIZE
    assert len(kernel("gabor", wavelength=MAX_SCALE)) <= MAX_SIZE
