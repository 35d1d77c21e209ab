import numpy as np
import pytest
import torch

from pellucid import ops
from pellucid.errors import ShapeError
from pellucid.types import TensorType
from tests.ops.running import check, exact


def turned(weight):
    turns = [torch.rot90(weight, r, (-2, -1)) for r in range(4)]
    if weight.ndim == 5:
        turns = [torch.roll(turn, r, 2).flatten(1, 2) for r, turn in enumerate(turns)]
    return torch.stack(turns, 1).flatten(0, 1)


@pytest.mark.parametrize("shape", [(3, 2, 1, 1), (3, 2, 3, 3), (1, 5, 4, 4), (3, 2, 4, 3, 3), (2, 1, 4, 5, 5)])
def test_orientations_and_their_gradient_are_pytorchs(shape):
    weight = np.random.default_rng(0).integers(-9, 10, shape).astype(float)  # sums of four are then exact
    rows = 4 * shape[0], shape[1] * (4 if len(shape) == 5 else 1), *shape[-2:]
    dy = np.random.default_rng(1).integers(-9, 10, rows).astype(float)
    check(ops.Orientations(), {"x": weight}, turned, lambda y: dy, wrt=["x"], bounds=exact)


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 3), (2, 3, 3, 2), (2, 3, 3, 3, 3), (2, 3, 4, 3, 2)])
def test_what_is_no_kernel_to_turn_is_refused(shape):
    with pytest.raises(ShapeError, match=r"^needs biases \(O,\) or square kernels .*, got shape "):
        ops.Orientations().checked_infer((TensorType(shape),))
