"""Convolutions and dense layers around the edges of their tiles, against the reference: exact on whole numbers.

Memory that a program did not write holds NaN here, so a number read from beyond an image shows.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid import ops
from pellucid.kernels import team
from tests.kernels.lowered import interpreted
from tests.ops.convolutions import (
    LEAST,
    ROWS,
    VECTORS,
    W,
    around,
    assert_whole,
    check_whole,
    direct,
    linear,
    padding,
    tiles_of,
    whole,
    winograd,
)
from tests.ops.running import run

drawn = settings(max_examples=150, deadline=None)
PANEL = VECTORS * W
SIDES = range(1, 10)
WIDE = [11, 12, 13, 16, 17]


@pytest.fixture(autouse=True, scope="module")
def _spoilt_memory():
    usual = team.aligned

    def spoilt(nbytes):
        memory = usual(nbytes)
        memory[:] = 255  # every float of it is NaN
        return memory

    team.aligned = spoilt
    yield
    team.aligned = usual


class TestWinograd:
    """F(4×4, 3×3), forwards and both gradients, and F(2×2, 3×3) forwards and for the data."""

    @pytest.fixture(autouse=True, params=[4, 2])
    def _tiles(self, request):
        with tiles_of(request.param):
            yield

    @pytest.mark.parametrize("width", [*SIDES, *WIDE])
    @pytest.mark.parametrize("height", SIDES)
    def test_every_remainder_of_a_tile(self, height, width):
        check_whole(winograd(1, LEAST, LEAST, height, width))

    @pytest.mark.parametrize("height", WIDE)
    def test_tall_images(self, height):
        check_whole(winograd(2, LEAST, LEAST, height, 5))

    @pytest.mark.parametrize("tiles", [*SIDES, 15, 16, 17, 23, 24, 25, 31, 32, 33, 47, 48, 49, 63, 65, 96, 97, 101])
    def test_every_number_of_tiles(self, tiles):
        check_whole(winograd(1, LEAST, LEAST + 1, 4, 4 * tiles))

    @pytest.mark.parametrize("filters", around(1, 2, 3, 4, least=LEAST))
    @pytest.mark.parametrize("channels", around(1, 2, 3, 4, least=LEAST))
    def test_channels_and_filters_around_whole_vectors(self, channels, filters):
        check_whole(winograd(1, channels, filters, 5, 6), largest=2)

    @pytest.mark.parametrize("n", [1, 2, 3, 5])
    @pytest.mark.parametrize(
        "pad", [padding(0), padding(1), padding(2), ((0, 2), (1, 0)), ((2, 0), (0, 1)), padding(3), ((3, 0), (0, 5))]
    )
    def test_every_padding(self, n, pad):
        check_whole(winograd(n, LEAST, LEAST, 4, 7, pad))

    def test_turned_kernels_and_no_bias(self):
        check_whole(winograd(2, LEAST, LEAST + 1, 5, 5, flip=True))
        check_whole(winograd(2, LEAST, LEAST + 1, 5, 5, bias=False))

    @drawn
    @given(st.data())
    def test_drawn(self, data):
        n, height, width = (data.draw(st.integers(*ends)) for ends in ((1, 3), (1, 19), (1, 19)))
        channels, filters = (data.draw(st.integers(LEAST, 2 * PANEL + 1)) for _ in range(2))
        before_and_after = [tuple(data.draw(st.integers(0, 2)) for _ in range(2)) for _ in range(2)]
        pad = tuple(
            (a + max(0, 3 - side - a - b), b) for side, (a, b) in zip((height, width), before_and_after, strict=True)
        )
        flip, bias = data.draw(st.booleans()), data.draw(st.booleans())
        check_whole(winograd(n, channels, filters, height, width, pad, bias, flip=flip), largest=2)


class TestDirect:
    """Gathered products, rows of taps, and the gradients of any kernel."""

    @pytest.mark.parametrize("width", SIDES)
    @pytest.mark.parametrize("height", SIDES)
    def test_every_remainder_of_a_tile(self, height, width):
        check_whole(direct(1, W, 3, (height, width), (3, 3), pad=padding(1)))
        check_whole(direct(1, 1, 3, (height, width), (3, 3), pad=padding(1)))

    @pytest.mark.parametrize("cells", [*range(1, 2 * ROWS + 2), 95, 96, 97, 191, 193])
    def test_every_number_of_cells(self, cells):
        check_whole(direct(1, W, W, (1, cells), (1, 1)))
        check_whole(direct(cells, W, W, (1, 1), (1, 1)))

    @pytest.mark.parametrize("filters", around(1, 2, 4))
    @pytest.mark.parametrize("channels", around(1, 2, 4))
    def test_channels_and_filters_around_whole_vectors(self, channels, filters):
        check_whole(direct(1, channels, filters, (3, 4), (1, 1)))
        check_whole(direct(2, channels, filters, (4, 5), (3, 2), (2, 1), padding(1)))

    @pytest.mark.parametrize("channels", sorted({1, 2, 3, 4, W // 2 - 1, W // 2}))
    @pytest.mark.parametrize("kernel", [(1, 1), (1, 2), (2, 1), (3, 3), (5, 5), (7, 7), (1, 7), (4, 6)], ids=str)
    def test_the_first_layer(self, channels, kernel):
        """Pixels times columns of a kernel go around the pairs and tiles in which gradients are summed."""
        for stride, flip in ((1, False), (2, True)):
            check_whole(direct(2, channels, W + 1, (9, 8), kernel, (stride, stride), padding(1), flip=flip))

    @pytest.mark.parametrize("stride", [(1, 1), (1, 2), (2, 1), (2, 2), (3, 2), (5, 4)], ids=str)
    @pytest.mark.parametrize("kernel", [(1, 1), (2, 2), (3, 3), (5, 5), (3, 1), (2, 4)], ids=str)
    def test_strides_beyond_the_kernel_and_below(self, kernel, stride):
        for n, dilation in ((1, (1, 1)), (3, (1, 2)), (2, (3, 1))):
            check_whole(direct(n, W, W + 1, (14, 13), kernel, stride, ((2, 0), (1, 3)), dilation))

    @pytest.mark.parametrize("images", [1, 2, 15, 16, 17, 33])
    def test_runs_of_images(self, images):
        check_whole(direct(images, W, 3, (3, 2), (2, 2)))

    def test_nothing_but_border_under_some_cells(self):
        check_whole(direct(2, W, 3, (2, 3), (2, 2), (3, 3), padding(5)))
        check_whole(direct(2, 1, 3, (2, 3), (2, 2), (3, 3), padding(5)))

    @drawn
    @given(st.data())
    def test_drawn(self, data):
        def pair(low, high):
            return tuple(data.draw(st.integers(low, high)) for _ in range(2))

        n, channels, filters = (data.draw(st.integers(*ends)) for ends in ((1, 3), (1, 2 * W + 1), (1, PANEL + 1)))
        kernel, stride, dilation, pad = pair(1, 5), pair(1, 4), pair(1, 3), (pair(0, 4), pair(0, 4))
        size = tuple(
            max(1, d * (k - 1) + 1 - sum(p)) + more
            for d, k, p, more in zip(dilation, kernel, pad, pair(0, 9), strict=True)
        )
        bias, flip = data.draw(st.booleans()), data.draw(st.booleans())
        check_whole(direct(n, channels, filters, size, kernel, stride, pad, dilation, bias, flip=flip))


class TestGroups:
    """Several groups as one product, and one kernel for each channel."""

    @pytest.mark.parametrize("groups", [2, 3, 4, 8])
    @pytest.mark.parametrize(("channels", "filters"), [(1, 1), (1, 3), (3, 1), (2, 2), (3, 4), (4, 8)])
    def test_groups_of_few_channels(self, groups, channels, filters):
        check_whole(direct(2, groups * channels, groups * filters, (5, 6), (3, 3), pad=padding(1), groups=groups))
        shape = (2, groups * channels, groups * filters, (7, 6), (3, 2), (2, 1), ((1, 0), (0, 2)), (1, 2), False)
        check_whole(direct(*shape, groups=groups, flip=True))

    @pytest.mark.parametrize("filters", around(1, 2))
    @pytest.mark.parametrize("groups", [2, 3])
    def test_groups_around_whole_vectors(self, groups, filters):
        for channels in (W - 1, W, 2 * W + 1):
            check_whole(direct(1, groups * channels, groups * filters, (3, 4), (3, 3), pad=padding(1), groups=groups))

    @pytest.mark.parametrize("groups", [4, 6, 8])
    @pytest.mark.parametrize("filters", sorted({W // 4, W // 2, W, PANEL}))
    def test_groups_of_which_several_fill_a_panel(self, groups, filters):
        for channels in (1, 3, W // 2):
            check_whole(direct(2, groups * channels, groups * filters, (3, 4), (1, 2), groups=groups))

    @pytest.mark.parametrize("channels", [2, 3, *around(1, 2)[2:]])
    @pytest.mark.parametrize("stride", [(1, 1), (2, 2), (3, 1)], ids=str)
    def test_one_kernel_for_each_channel(self, channels, stride):
        """More on these in the tests of their kernels."""
        for kernel, width in (((3, 3), 9), ((5, 5), 8), ((7, 2), 17)):
            check_whole(direct(2, channels, channels, (7, width), kernel, stride, padding(2), groups=channels))

    @drawn
    @given(st.data())
    def test_drawn(self, data):
        def pair(low, high):
            return tuple(data.draw(st.integers(low, high)) for _ in range(2))

        n, groups, channels, filters = (data.draw(st.integers(*ends)) for ends in ((1, 3), (2, 9), (1, W), (1, W)))
        kernel, stride, pad = pair(1, 4), pair(1, 3), (pair(0, 3), pair(0, 3))
        size = tuple(max(1, k - sum(p)) + more for k, p, more in zip(kernel, pad, pair(0, 7), strict=True))
        bias, flip = data.draw(st.booleans()), data.draw(st.booleans())
        channels, filters = groups * channels, groups * filters
        check_whole(
            direct(n, channels, filters, size, kernel, stride, pad, bias=bias, groups=groups, flip=flip), largest=2
        )


class TestLinear:
    """The dense layer's three products."""

    @pytest.mark.parametrize("outputs", around(1, 2, 4))
    @pytest.mark.parametrize("inputs", around(1, 2, 4))
    def test_inputs_and_outputs_around_whole_vectors(self, inputs, outputs):
        for n in (1, ROWS + 1):
            check_whole(linear(n, inputs, outputs))

    @pytest.mark.parametrize("n", [*range(1, 2 * ROWS + 2), 31, 33])
    def test_every_number_of_rows(self, n):
        check_whole(linear(n, W + 3, PANEL + 3))

    @pytest.mark.parametrize("outputs", [63, 64, 65, 511, 513, 577])
    def test_several_parts(self, outputs):
        check_whole(linear(64, 130, outputs))
        check_whole(linear(65, outputs, 70, bias=False))

    @drawn
    @given(st.integers(1, 40), st.integers(1, 150), st.integers(1, 150), st.booleans())
    def test_drawn(self, n, inputs, outputs, bias):
        check_whole(linear(n, inputs, outputs, bias))


EVERY_KERNEL = [
    winograd(2, LEAST, LEAST + 1, 9, 14),
    winograd(2, LEAST, LEAST + 1, 5, 6),
    direct(2, 1, W + 1, (5, 6), (3, 3), pad=padding(1)),
    direct(2, W, W + 1, (5, 6), (3, 2), (2, 1), padding(1)),
    direct(2, W, 3 * W, (5, 6), (3, 2), (2, 1), padding(1), groups=2),
    direct(2, W + 1, W + 1, (5, 6), (3, 3), (2, 1), padding(1), groups=W + 1),
    linear(ROWS + 1, W + 1, W + 1),
]


def test_every_kernel_is_among_the_problems_that_follow():
    for op in (ops.Conv2d(), ops.Linear()):
        lists = [op.candidates(), *(op.backward_candidates(wrt) for wrt in (("x",), ("weight",)))]
        lowered = {candidate.name for candidates in lists for candidate in candidates if candidate.lower}
        assert lowered <= {kernel for problem in EVERY_KERNEL for kernel in problem.kernels}


@pytest.mark.parametrize("problem", EVERY_KERNEL, ids=str)
def test_one_wrong_cell_is_found(problem):
    inputs, dy = problem.arrays(whole())
    found, expected = (problem.run(inputs, dy, executor).all() for executor in ("fast", "reference"))
    generator = np.random.default_rng(0)
    for name, array in found.items():
        spoilt = array.copy()
        cell = tuple(int(generator.integers(side)) for side in array.shape)
        spoilt[cell] += 1
        place = r"\(" + ", ".join(map(str, cell)) + r",?\)"
        with pytest.raises(AssertionError, match=f"{problem.kernel_of(name)}: cell {place} is"):
            assert_whole(problem, found | {name: spoilt}, expected)


@pytest.mark.parametrize("problem", EVERY_KERNEL, ids=str)
@pytest.mark.parametrize("wrt", [("x",), ("weight",), ("bias",), ("x", "weight")], ids=str)
def test_some_gradients_alone(problem, wrt):
    inputs, dy = problem.arrays(whole())
    found, expected = (run(problem.op, inputs, dy, wrt, executor=executor) for executor in ("fast", "reference"))
    assert_whole(problem, found.all(), expected.all())
    assert not {"reference", "conv2d_im2col"} & {found.kernels[name] for name in found.kernels if "op" in name}


@pytest.mark.parametrize("problem", [p for p in EVERY_KERNEL if len(p.x) == 4], ids=str)
def test_images_that_lie_channels_last(problem):
    inputs, dy = problem.arrays(whole())
    laid = np.ascontiguousarray(inputs["x"].transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    found, expected = problem.run(inputs | {"x": laid}, dy), problem.run(inputs, dy, "reference")
    assert_whole(problem, found.all(), expected.all())


SMALL = [
    winograd(1, LEAST, LEAST, 8, 12),
    winograd(1, LEAST, LEAST, 3, 5),
    direct(1, 1, 3, (4, 3), (3, 3), pad=padding(1)),
    direct(1, W, 3, (4, 3), (3, 2), (2, 1), padding(1)),
    direct(1, 6, 4, (4, 3), (3, 2), (2, 1), padding(1), groups=2),
    direct(1, 3, 3, (4, 3), (3, 2), (2, 1), padding(1), groups=3),
    linear(ROWS + 1, W + 1, 5),
]


@pytest.mark.parametrize("problem", SMALL, ids=str)
def test_every_access_is_inside_its_buffer(problem):
    """Interpreted, a kernel that reads or writes outside a buffer raises IndexError."""
    inputs, dy = problem.arrays(whole())
    expected = problem.run(inputs, dy, "reference").all()
    assert_whole(problem, interpreted(problem.op, inputs, dy, problem.wrt), expected)
