"""What holds for every operation: gradients by finite differences, dtypes, strides, inputs left alone."""

import numpy as np
import pytest

from pellucid import reference
from tests.reference.finite_difference import assert_gradients
from tests.reference.operations import OPERATIONS, ref


def gradient_for(y):
    return np.random.default_rng(9).standard_normal(y.shape).astype(y.dtype)


def run(operation, inputs):
    """Return y and the gradients of the inputs."""
    y = operation.forward(*inputs)
    return [y, *operation.backward(gradient_for(y), y, *inputs)]


@pytest.fixture(params=OPERATIONS)
def operation(request):
    return OPERATIONS[request.param]


def test_gradients_are_those_of_finite_differences(operation):
    inputs = operation.inputs()
    y, *gradients = run(operation, inputs)
    assert_gradients(operation.forward, inputs, gradient_for(y), gradients)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_is_kept(operation, dtype):
    results = run(operation, operation.inputs(dtype))
    assert [result.dtype.name for result in results] == [dtype] * len(results)


def test_float32_is_float64_rounded(operation):
    for single, double in zip(
        run(operation, operation.inputs("float32")), run(operation, operation.inputs()), strict=True
    ):
        np.testing.assert_allclose(single, double, rtol=1e-4, atol=1e-4)


def test_strides_do_not_matter(operation):
    inputs = operation.inputs()
    # every axis backwards in memory, with a gap after each cell of the last
    strided = [np.repeat(np.flip(x).copy(), 2, axis=-1)[..., ::2] for x in inputs]
    strided = [np.flip(x) for x in strided]
    assert all(x.size == 1 or not x.flags.c_contiguous for x in strided)
    for actual, expected in zip(run(operation, strided), run(operation, inputs), strict=True):
        # a matrix product may sum in another order
        np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-13)


def test_inputs_are_left_alone(operation):
    inputs = operation.inputs()
    y = operation.forward(*inputs)
    dy = gradient_for(y)
    for array in (*inputs, y, dy):
        array.flags.writeable = False
    operation.forward(*inputs)
    operation.backward(dy, y, *inputs)


def test_every_function_of_the_reference_has_an_example():
    for operation in OPERATIONS.values():
        run(operation, operation.inputs())
    assert ref.used == set(reference.__all__)
