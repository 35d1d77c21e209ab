import numpy as np
import pytest
import torch
from torch.nn import functional as F

from pellucid.errors import ParameterError, ShapeError
from pellucid.lessons.figures.channels import channels
from pellucid.lessons.figures.convolve import PICTURES, convolved
from pellucid.lessons.figures.field import field
from pellucid.lessons.figures.learning import scored
from pellucid.lessons.figures.networks import first_filters, turned
from tests.lessons.reference import convolved as by_loops

VERTICAL = np.array([[1, 0, -1]] * 3, np.float32)


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_small_and_convolved_as_by_loops(name):
    picture = PICTURES[name]
    assert max(picture.shape) <= 12
    found = convolved(picture, VERTICAL, padding=1)
    assert found.stages[0].values.tolist() == by_loops(picture.tolist(), VERTICAL.tolist(), padding=1)


def test_what_a_cell_reads_moves_it_and_nothing_else_does():
    rng = np.random.default_rng(3)
    picture = rng.random((6, 7)).astype(np.float32)
    kernel = rng.random((3, 2)).astype(np.float32) + 0.5
    before = convolved(picture, kernel, stride=2, padding=1).stages[0]
    for y, x in np.ndindex(picture.shape):
        changed = picture.copy()
        changed[y, x] += 1
        moved = convolved(changed, kernel, stride=2, padding=1).stages[0].values != before.values
        reads = [[y in rows and x in columns for columns in before.columns] for rows in before.rows]
        assert moved.tolist() == reads


@pytest.mark.parametrize("shape", [(13, 3), (0, 3), (4,)])
def test_pictures_that_are_too_large_or_none_are_refused(shape):
    with pytest.raises(ShapeError, match="The picture must have 1 to 12 rows and columns; got shape"):
        convolved(np.zeros(shape, np.float32), VERTICAL)


def test_a_cell_beyond_the_map_is_its_last():
    found = convolved(PICTURES["worked"], VERTICAL, cell=(9, 9))
    assert found.sum.endswith(
        f"= {convolved(PICTURES['worked'], VERTICAL).stages[0].values[2, 2]:.0f}".replace("-", "−")
    )


def test_channels_add_up():
    for cell in ((0, 0), (0, 1), (1, 0), (1, 1)):
        found = channels(cell)
        patch = found.picture[:, cell[0] : cell[0] + 3, cell[1] : cell[1] + 3]
        assert list(found.parts) == (patch * found.kernels).sum(axis=(1, 2)).tolist()
        assert sum(found.parts) + 1 == found.map[cell]


def test_a_field_is_what_moves_the_top_cell():
    layers = [(3, 2, 1), (3, 1, 2), (2, 2, 1)]
    rows = field(layers)
    pixels = torch.rand(1, 1, rows[0].cells, dtype=torch.float64, requires_grad=True)
    y = pixels
    for (kernel, stride, dilation), row in zip(layers, rows[1:], strict=True):
        y = F.conv1d(y, torch.ones(1, 1, kernel, dtype=torch.float64), stride=stride, dilation=dilation)
        assert y.shape[2] == row.cells
    y[0, 0, 1].backward()
    assert pixels.grad[0, 0].nonzero()[:, 0].tolist() == list(rows[0].behind)


@pytest.mark.parametrize("layers", [[], [(3, 1, 1)] * 7, [(9, 4, 1)] * 4])
def test_fields_that_cannot_be_drawn_are_refused(layers):
    with pytest.raises(ParameterError, match=r"to draw a field of|wide to be drawn"):
        field(layers)


def test_gradients_add_up_to_nothing():
    found = scored([3, -1, 0.5, 0], 1)
    assert sum(found.probabilities) == pytest.approx(1)
    assert sum(found.gradient) == pytest.approx(0, abs=1e-6)
    with pytest.raises(ParameterError, match="2 to 10 scores"):
        scored([1], 0)


def test_networks():
    assert first_filters().shape == (32, 3, 3)
    assert turned(3, 0).truth == turned(3, 45).truth == "Trouser"
    with pytest.raises(ParameterError, match="The picture must be one from 0 to 999; got 1000"):
        turned(1000, 0)
