import numpy as np
import pytest
import torch

from pellucid import reference as ref


@pytest.mark.parametrize("side", [1, 2, 3, 4])
def test_orientations_are_pytorchs_turns_laid_out_as_the_formulas_say(side):
    lift, conv = (
        np.arange(np.prod(shape), dtype="float64").reshape(shape)
        for shape in ((2, 3, side, side), (2, 3, 4, side, side))
    )
    lifted, convolved, biases = ref.orientations(lift), ref.orientations(conv), ref.orientations(np.array([5.0, 7.0]))
    assert lifted.shape == (8, 3, side, side)
    assert convolved.shape == (8, 12, side, side)
    assert biases.tolist() == [5.0] * 4 + [7.0] * 4
    for o in range(2):
        for r in range(4):
            turned = torch.rot90(torch.from_numpy(lift[o]), r, (1, 2)).numpy()
            np.testing.assert_array_equal(lifted[4 * o + r], turned)
            for c in range(3):
                for s in range(4):
                    plane = torch.rot90(torch.from_numpy(conv[o, c, (s - r) % 4]), r, (0, 1)).numpy()
                    np.testing.assert_array_equal(convolved[4 * o + r, 4 * c + s], plane)


@pytest.mark.parametrize("shape", [(2,), (2, 3, 3, 3), (2, 3, 4, 3, 3)])
def test_the_gradient_is_the_adjoint(shape):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape)
    dy = rng.standard_normal(ref.orientations(x).shape)
    assert np.vdot(ref.orientations(x), dy) == pytest.approx(np.vdot(x, ref.orientations_backward(dy, shape)))
