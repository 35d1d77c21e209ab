import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.analysis.windows import slide
from pellucid.errors import ParameterError, ShapeError

MODES = {"zeros": "constant", "replicate": "edge", "reflect": "reflect", "circular": "wrap"}


@given(
    size=st.integers(1, 14),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 6),
    padding=st.integers(0, 4),
    dilation=st.integers(1, 3),
    ceil=st.booleans(),
)
def test_stops_and_cells_never_read_are_those_of_a_window_moved_by_hand(size, kernel, stride, padding, dilation, ceil):
    padded = [None] * padding + list(range(size)) + [None] * padding
    extent = dilation * (kernel - 1) + 1
    starts = [at for at in range(0, len(padded), stride) if at + extent <= len(padded)]
    if not starts:
        with pytest.raises(ShapeError, match="does not fit"):
            slide(size, kernel, stride, padding, dilation, ceil)
        return
    if ceil:
        more = [starts[-1] + stride] if len(padded) > starts[-1] + extent else []
        all_starts = [*starts, *more]
        starts = all_starts[:-1] if all_starts[-1] >= size + padding else all_starts  # PyTorch's rule
    found = slide(size, kernel, stride, padding, dilation, ceil)
    assert found.starts == tuple(at - padding for at in starts)
    read = {padded[at + tap * dilation] for at in starts for tap in range(kernel) if at + tap * dilation < len(padded)}
    assert found.unread == tuple(cell for cell in range(size) if cell not in read)
    assert found.output == len(starts)
    assert found.formula.endswith(f"= {len(starts)}")


@pytest.mark.parametrize("border", MODES)
@pytest.mark.parametrize("padding", [0, 1, 3])
def test_borders_are_numpys(border, padding):
    image = np.arange(25, dtype=np.float32).reshape(5, 5)
    found = slide(5, kernel=3, stride=2, padding=padding)
    assert np.array_equal(found.padded(image, border), np.pad(image, padding, MODES[border]))


def test_sums_are_those_of_the_windows_and_the_overhang_is_zeros():
    image = np.arange(1, 37, dtype=np.float32).reshape(6, 6)
    found = slide(6, kernel=3, stride=2, ceil_mode=True)
    padded = found.padded(image)
    assert found.overhang == 1
    assert np.array_equal(padded, np.pad(image, ((0, 1), (0, 1))))
    rows = [[padded[y : y + 3, x : x + 3].sum() for x in (0, 2, 4)] for y in (0, 2, 4)]
    assert np.array_equal(found.sums(padded), rows)


def test_named_paddings():
    assert [slide(7, 3, padding=name).output for name in ("valid", "same", "full")] == [5, 7, 9]
    with pytest.raises(ParameterError, match="needs stride 1"):
        slide(7, 3, stride=2, padding="same")


@pytest.mark.parametrize("wrong", [{"size": 0}, {"kernel": 0}, {"stride": True}, {"dilation": 1.5}, {"padding": -1}])
def test_what_is_no_window_is_refused(wrong):
    (name,) = wrong
    with pytest.raises(ParameterError, match=f"The '{name}' parameter of slide"):
        slide(**({"size": 7, "kernel": 3} | wrong))
