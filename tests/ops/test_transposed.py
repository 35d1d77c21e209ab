"""Transposed convolutions, compiled, against PyTorch's on whole numbers, which come out exactly."""

import numpy as np
import pytest
import torch

from pellucid import ops
from pellucid.kernels.host import host
from tests.comparison import assert_matches
from tests.ops.running import run

W = host().width
KERNELS = {
    "op": "conv_transpose2d_gather",
    "d.op.x": "conv_transpose2d_backward_data_gather",
    "d.op.weight.bias": "conv_transpose2d_backward_weight",
}
CASES = [
    # stride, padding, output padding, dilation, groups; channels and filters of a group, kernel, image
    ((1, 1), (0, 0), (0, 0), (1, 1), 1, 1, 1, (1, 1), (1, 1)),
    ((2, 2), (0, 0), (0, 0), (1, 1), 1, 2 * W, W, (2, 2), (5, 7)),  # a U-Net's
    ((2, 2), (1, 1), (1, 1), (1, 1), 1, W + 1, 2 * W + 3, (3, 3), (4, 6)),
    ((3, 2), (2, 0), (1, 0), (1, 1), 1, 5, 7, (4, 3), (6, 3)),
    ((1, 3), (1, 2), (1, 0), (2, 1), 1, W - 1, 3, (3, 5), (7, 4)),
    ((4, 4), (0, 0), (3, 3), (1, 1), 1, 6, W, (2, 1), (3, 3)),  # cells that no tap meets
    ((2, 1), (1, 1), (0, 0), (1, 2), 3, 4, 5, (3, 3), (5, 5)),
    ((2, 2), (0, 1), (1, 1), (1, 1), 2, W, 2 * W, (3, 3), (3, 4)),
    ((2, 2), (1, 1), (0, 0), (1, 1), 6, 1, 1, (4, 4), (4, 4)),
]


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("bias", [True, False])
def test_it_is_pytorchs(case, bias):
    stride, padding, output_padding, dilation, groups, channels, filters, kernel, image = case
    numbers = np.random.default_rng(0)
    shapes = {"x": (3, channels * groups, *image), "weight": (channels * groups, filters, *kernel)}
    shapes |= {"bias": (filters * groups,)} if bias else {}
    arrays = {name: numbers.integers(-3, 4, shape).astype(np.float32) for name, shape in shapes.items()}
    tensors = {name: torch.tensor(array, requires_grad=True) for name, array in arrays.items()}
    y = torch.nn.functional.conv_transpose2d(
        tensors["x"], tensors["weight"], tensors.get("bias"), stride, padding, output_padding, groups, dilation
    )
    dy = numbers.integers(-3, 4, y.shape).astype(np.float32)
    y.backward(torch.from_numpy(dy))
    op = ops.ConvTranspose2d(stride, tuple((p, p) for p in padding), output_padding, dilation, groups)
    found = run(op, {**arrays, "bias": arrays.get("bias")}, dy, tuple(arrays), executor="fast")
    expected = KERNELS if bias else {name.removesuffix(".bias"): kernel for name, kernel in KERNELS.items()}
    assert {name: found.kernels[name] for name in expected} == expected
    assert_matches(found.results["y"], y.detach().numpy(), kernel="y")
    for name, tensor in tensors.items():
        assert_matches(found.gradients[name], tensor.grad.numpy(), kernel=f"d{name}")


def test_other_numbers_go_to_the_reference():
    x, weight = np.ones((1, 2, 3, 3)), np.ones((2, 1, 2, 2))
    found = run(ops.ConvTranspose2d(), {"x": x, "weight": weight, "bias": None}, executor="fast")
    assert found.kernels["op"] == "reference"
