import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid import ops
from tests.ops import cases
from tests.ops.running import check, exact, family, sums_of_products

MOVES = {
    "reshape": cases.reshapes(),
    "flatten": cases.flattens(),
    "transpose": cases.transposes(),
    "slice": cases.slices(),
    "concatenate": cases.concatenations(),
    "shuffle": cases.shuffles(),
    "expand": cases.expansions(),
}


@pytest.mark.parametrize("name", MOVES)
@family
@given(data=st.data())
def test_moves_are_pytorchs(name, data):
    move = data.draw(MOVES[name])
    inputs = {part: move.case.array(part) for part in move.case.shapes}
    bounds = sums_of_products if isinstance(move.op, ops.Expand) else exact  # its gradient is a sum
    check(move.op, inputs, move.torch_function, move.case.gradient, wrt=list(inputs), bounds=bounds)
