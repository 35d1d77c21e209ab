"""The playground's answers against SciPy and arithmetic by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from pellucid.errors import ParameterError, ShapeError
from pellucid.explain.kernels.gallery import read_kernel
from pellucid.explain.kernels.ranking import rank
from pellucid.studio.answers import answer
from pellucid.studio.studio import Studio
from pellucid.studio.tensors import to_array, to_tensor
from pellucid.types import Array

MODES = {"zeros": "constant", "replicate": "nearest", "reflect": "mirror", "circular": "wrap"}
HORIZONTAL, VERTICAL = [[1, 1, 1], [0, 0, 0], [-1, -1, -1]], [[1, 0, -1]] * 3


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("studio"))


def packed(values: Any) -> dict[str, Any]:
    packed: dict[str, Any] = json.loads(to_tensor(np.asarray(values, np.float32)).model_dump_json())
    return packed


def asked(drawing: Any, kernels: Any, **settings: Any) -> dict[str, Any]:
    return {"drawing": packed(drawing), "kernels": [packed(kernel) for kernel in kernels], **settings}


def maps(told: Any) -> Array:
    return to_array(told.maps, None, None, None)


def some_kernels(random: np.random.Generator) -> list[Array]:
    shapes = [(3, 3), (1, 7), (5, 5), (3, 3), (2, 2), (6, 3)]
    return [random.integers(-4, 5, shape).astype(np.float32) for shape in shapes]


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("border", MODES)
def test_maps_are_scipys_for_kernels_of_all_sizes(studio: Studio, border: str, flip: bool) -> None:
    random = np.random.default_rng(0)
    drawing = random.integers(0, 2, (8, 12)).astype(np.float32)
    kernels = some_kernels(random)

    found = maps(answer("playground.maps", asked(drawing, kernels, border=border, flip=flip), studio))

    for map_, kernel in zip(found, kernels, strict=True):
        slid = kernel[::-1, ::-1] if flip else kernel
        origin = [-((side + 1) % 2) for side in kernel.shape]  # of an even size the cell up and left of the middle
        expected = ndimage.correlate(drawing, slid, mode=MODES[border], origin=origin)
        assert np.array_equal(map_, expected)


def test_a_horizontal_line_ranks_horizontal_first_and_a_vertical_one_vertical(studio: Studio) -> None:
    drawing = np.zeros((20, 20), np.float32)
    drawing[10] = 1

    lying = answer("playground.maps", asked(drawing, [VERTICAL, HORIZONTAL], border="replicate"), studio)
    standing = answer("playground.maps", asked(drawing.T, [VERTICAL, HORIZONTAL], border="replicate"), studio)

    assert lying.order == [1, 0]
    assert standing.order == [0, 1]
    assert lying.responses[0].energy == 0


def test_responses_are_those_of_rank_and_zeros_answer_nothing(studio: Studio) -> None:
    drawing = np.random.default_rng(1).random((16, 16)).astype(np.float32)
    kernels = {"0": np.array(VERTICAL), "1": read_kernel("laplacian"), "2": 10 * read_kernel("sharpen")}

    told = answer("playground.maps", asked(drawing, [*kernels.values(), np.zeros((3, 3))], border="replicate"), studio)

    ranked = rank(drawing, kernels)
    assert told.order == [*(int(one.name) for one in ranked), 3]
    for one in ranked:
        assert told.responses[int(one.name)].energy == pytest.approx(one.energy, rel=1e-5)
        assert told.responses[int(one.name)].smallest == pytest.approx(one.smallest, rel=1e-5)
    assert told.responses[3].energy == 0


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("border", MODES)
def test_a_cells_arithmetic_is_the_maps_number(studio: Studio, border: str, flip: bool) -> None:
    random = np.random.default_rng(2)
    drawing = random.random((9, 10)).astype(np.float32)
    for kernel in some_kernels(random):
        found = maps(answer("playground.maps", asked(drawing, [kernel], border=border, flip=flip), studio))[0]
        question = {"drawing": packed(drawing), "kernel": packed(kernel), "border": border, "flip": flip}
        for y, x in ((0, 0), (4, 5), (8, 9)):
            cell = answer("playground.cell", {**question, "y": y, "x": x}, studio)
            patch, weights, products = (
                to_array(part, None, None) for part in (cell.patch, cell.weights, cell.products)
            )
            assert cell.value == found[y, x]
            assert abs(cell.explained - cell.value) <= cell.bound
            assert np.array_equal(weights, kernel[::-1, ::-1] if flip else kernel)
            np.testing.assert_allclose(products, patch * weights, rtol=1e-6)
            assert products.sum() == pytest.approx(cell.explained, abs=1e-5)
            for (row, column), value in np.ndenumerate(patch):
                at = cell.rows[row], cell.columns[column]
                assert value == (0 if -1 in at else drawing[at])


def test_the_window_of_a_corner_overhangs(studio: Studio) -> None:
    question = {"drawing": packed(np.eye(8)), "kernel": packed(np.ones((3, 5))), "y": 0, "x": 7}
    cell = answer("playground.cell", question, studio)

    assert (cell.top, cell.left) == (-1, 5)
    assert cell.rows == [-1, 0, 1]
    assert cell.columns == [5, 6, 7, -1, -1]


@pytest.mark.parametrize("border", MODES)
def test_a_pixel_reaches_just_the_cells_that_it_changes(studio: Studio, border: str) -> None:
    shapes = [(3, 3), (1, 7), (2, 4)]
    kernels = [np.ones(shape) for shape in shapes]
    for y, x in ((0, 0), (1, 10), (5, 5), (7, 11)):
        drawing = np.zeros((8, 12))
        drawing[y, x] = 1
        changed = maps(answer("playground.maps", asked(drawing, kernels, border=border), studio))
        question = {"height": 8, "width": 12, "kernels": shapes, "border": border, "y": y, "x": x}
        for map_, reached in zip(changed, answer("playground.reach", question, studio).maps, strict=True):
            expected = np.zeros((8, 12), bool)
            expected[np.ix_(reached.rows, reached.columns)] = True
            assert np.array_equal(map_ != 0, expected)


def test_kernels_name_themselves(studio: Studio) -> None:
    def named(kernel: Any) -> Any:
        return answer("playground.kernel", {"kernel": packed(kernel)}, studio)

    sobel = named([[2, 0, -2], [4, 0, -4], [2, 0, -2]])
    assert (sobel.match.name, sobel.match.scale, sobel.total, sobel.parity) == ("sobel-x", "−2", "0", "odd")
    assert (sobel.column, sobel.row, sobel.bright, sobel.edges) == (["2", "4", "2"], ["1", "0", "−1"], 180, 90)
    turned = named(np.rot90(read_kernel("emboss")))
    assert (turned.match.name, turned.match.turn) == ("emboss", 90)
    unknown = named([[3, 1, 4], [1, 5, 9], [2, 6, 5]])
    assert (unknown.match, unknown.total, unknown.zero) == (None, "36", False)
    assert named([[0]]).zero


def test_every_kernel_of_the_gallery_is_named_after_itself_and_fits(studio: Studio) -> None:
    exhibits = answer("playground.gallery", {}, studio).kernels

    assert len({exhibit.text for exhibit in exhibits}) == len(exhibits) > 20
    for exhibit in exhibits:
        values, known = to_array(exhibit.kernel, None, None), read_kernel(exhibit.text).astype(np.float32)
        if not np.array_equal(values, known):  # a formula, whose strength is arbitrary
            assert abs(values).max() == 1
            assert (values * known).sum() > 0.999 * np.linalg.norm(values) * np.linalg.norm(known)
        assert max(exhibit.kernel.shape) <= 7


def test_a_picture_is_cut_and_reduced_to_the_grid(studio: Studio) -> None:
    wide = np.zeros((1, 16, 24))
    wide[:, :, 4:12] = 1  # the left half of its middle
    question = {"picture": {"kind": "drawing", "values": packed(wide)}, "size": 8}
    drawing = to_array(answer("playground.picture", question, studio).drawing, 8, 8)
    assert np.array_equal(drawing, np.repeat([[1, 0]], 4, axis=1).repeat(8, axis=0))

    question = {"picture": {"kind": "sample", "data": "fashion-mnist-mini", "index": 0}, "size": 28}
    drawing = to_array(answer("playground.picture", question, studio).drawing, 28, 28)
    assert 0 == drawing.min() < drawing.max() <= 1
    assert answer("playground.samples", {}, studio).data["fashion-mnist-mini"] == 1000


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"drawing": packed(np.zeros((7, 8)))}, ShapeError, "8 to 64 rows and columns; got 7×8"),
        ({"drawing": packed(np.full((8, 8), 2))}, ParameterError, "from 0, black, to 1, white"),
        ({"kernels": [packed(np.zeros((8, 3)))]}, ShapeError, "1 to 7 rows and columns; got 8×3"),
        ({"kernels": [packed([[1e7]])]}, ParameterError, "at most 1,000,000; got 1e"),
        ({"kernels": []}, ParameterError, "The 'kernels' of playground.maps is not right"),
        ({"border": "none"}, ParameterError, "The 'border' of playground.maps is not right"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    studio: Studio, change: Any, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said.replace("(", r"\(")):
        answer("playground.maps", {**asked(np.zeros((8, 8)), [VERTICAL]), **change}, studio)


def test_a_cell_beyond_the_map_is_refused(studio: Studio) -> None:
    question = {"drawing": packed(np.eye(8)), "kernel": packed(VERTICAL), "y": 8, "x": 0}
    with pytest.raises(ParameterError, match="must be 0 to 7"):
        answer("playground.cell", question, studio)


def test_nothing_is_kept(studio: Studio, tmp_path: Path) -> None:
    first = answer("playground.maps", asked(np.eye(8), [VERTICAL]), studio)
    answer("playground.maps", asked(np.zeros((8, 8)), [VERTICAL]), studio)
    assert first == answer("playground.maps", asked(np.eye(8), [VERTICAL]), Studio(tmp_path))
