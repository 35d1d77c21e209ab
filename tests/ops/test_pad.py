import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from pellucid import ops
from pellucid.types import TensorType
from tests.ops.running import check, family
from tests.strategies import pad_cases

TORCH_MODE = {"zeros": "constant", "replicate": "replicate", "reflect": "reflect", "circular": "circular"}


def moved(op, inputs, dy, expected):
    """Values are copied; a cell's gradient is the sum of those of its copies."""
    return {"y": 0.0, "dx": dy.size * op.reference_backward(("x",), (TensorType.of(inputs["x"]),), abs(dy))[0]}


@family
@given(pad_cases(), st.sampled_from((0.0, -1.5)))
def test_pad_is_pytorchs(case, value):
    rows, columns = case.settings["padding"][2:]
    mode = case.settings["mode"]
    value = value if mode == "zeros" else 0.0
    check(
        ops.Pad(tuple(case.settings["padding"]), mode, value),
        {"x": case.array("x")},
        lambda x: F.pad(x, (*columns, *rows), mode=TORCH_MODE[mode], value=value or None),
        case.gradient,
        bounds=moved,
    )
