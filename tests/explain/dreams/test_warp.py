"""Moved pictures against SciPy's, their adjoints against its definition, total variation against PyTorch's."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from pellucid.explain.dreams.warp import Warp, total_variation

MOVES = [((0, 0), 0, 1), ((2, -3), 0, 1), ((0, 0), 33, 1), ((1, 2), -8, 1.1), ((-1, 0), 171, 0.8), ((30, -40), 45, 0.3)]


@pytest.mark.parametrize(("shift", "angle", "scale"), MOVES)
@pytest.mark.parametrize("size", [(7, 7), (5, 8), (1, 6)])
def test_the_adjoint_is_one(size: tuple[int, int], shift: tuple[int, int], angle: float, scale: float) -> None:
    warp = Warp.turned(size, shift, angle, scale)
    x, y = np.random.default_rng(0).standard_normal((2, 3, 2, *size))

    moved, back = warp(x), warp.adjoint(y)

    assert moved.shape == back.shape == x.shape
    assert np.vdot(moved, y) == pytest.approx(np.vdot(x, back), rel=1e-10)


@pytest.mark.parametrize(("shift", "angle", "scale"), MOVES[:-1])
def test_pictures_are_moved_as_scipy_moves_them(shift: tuple[int, int], angle: float, scale: float) -> None:
    picture = np.random.default_rng(1).uniform(size=(9, 12))
    c, s = np.cos(np.radians(angle)) / scale, np.sin(np.radians(angle)) / scale
    backwards, middle = np.array([[c, s], [-s, c]]), np.array([4.0, 5.5])
    offset = middle - backwards @ (middle + shift)
    theirs = ndimage.affine_transform(picture, backwards, offset, order=1, mode="mirror")

    np.testing.assert_allclose(Warp.turned((9, 12), shift, angle, scale)(picture), theirs, atol=1e-6)


def test_a_quarter_turn_is_counter_clockwise_and_a_shift_goes_down_and_right() -> None:
    picture = np.arange(25.0).reshape(5, 5)

    np.testing.assert_allclose(Warp.turned((5, 5), (0, 0), 90)(picture), np.rot90(picture), atol=1e-5)
    np.testing.assert_array_equal(Warp.turned((5, 5), (1, 2))(picture)[1:, 2:], picture[:-1, :-2])


def test_every_pixel_counts_alike_where_pictures_are_only_shifted() -> None:
    weight = np.mean([Warp.turned((9, 9), (d, r)).adjoint(np.ones((9, 9))) for d in (-2, 2) for r in (-2, 2)], axis=0)

    assert weight.max() <= 4
    assert weight[0, 0] < 1 < weight[2, 2]  # a border that is repeated would count its corner nine times


def test_the_gradient_of_total_variation_is_pytorchs() -> None:
    pictures = np.random.default_rng(2).uniform(size=(2, 3, 6, 5))
    x = torch.from_numpy(pictures).requires_grad_()
    down = torch.cat([x[..., 1:, :] - x[..., :-1, :], torch.zeros_like(x[..., :1, :])], dim=-2)
    right = torch.cat([x[..., 1:] - x[..., :-1], torch.zeros_like(x[..., :1])], dim=-1)
    roughness = (torch.sqrt(down**2 + right**2 + 1e-4) - 1e-2).sum(dim=(1, 2, 3))
    roughness.sum().backward()

    value, slopes = total_variation(pictures)

    np.testing.assert_allclose(value, roughness.detach(), rtol=1e-12)
    np.testing.assert_allclose(slopes, x.grad, rtol=1e-10, atol=1e-12)
