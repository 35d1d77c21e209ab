import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from pellucid import ops
from tests.ops.running import check, family
from tests.strategies import pad_cases

TORCH_MODE = {"zeros": "constant", "replicate": "replicate", "reflect": "reflect", "circular": "circular"}


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
    )
