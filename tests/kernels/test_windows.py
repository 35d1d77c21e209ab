import numpy as np

from pellucid.kernels.windows import Windows


def matrix(windows, size):
    """The table as a matrix (outputs, cells) of weights over divisors."""
    dense = np.zeros((windows.outputs, size))
    for output in range(windows.outputs):
        for place in range(windows.table[output], windows.table[output + 1]):
            dense[output, windows.table[place]] += windows.weights[place] / windows.weights[output]
    return dense


def test_outputs_name_their_cells():
    windows = Windows.of([[0, 2], [], [1]], [[0.5, 0.25], [], [3.0]], [2, 1, 4])
    assert windows.counts.tolist() == [2, 0, 1]
    np.testing.assert_array_equal(matrix(windows, 3), [[0.25, 0, 0.125], [0, 0, 0], [0, 0.75, 0]])


def test_without_weights_all_are_1():
    np.testing.assert_array_equal(matrix(Windows.of([[0, 1], [1]]), 2), [[1, 1], [0, 1]])


def test_the_gradient_reads_the_transposed_table():
    cells = [[0, 2], [1, 1], [], [2, 3]]
    windows = Windows.of(cells, [[1, 2], [3, 4], [], [5, 6]], [1, 2, 1, 4])
    np.testing.assert_array_equal(matrix(windows.transposed(5), 4), matrix(windows, 5).T)
    assert windows.transposed(5).outputs == 5
