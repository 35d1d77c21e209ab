"""Whatever the description of the questions allows, and much that it does not: no answer is a breakdown."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error

from pellucid.studio.answers import ROOMS
from pellucid.studio.guard import Door
from pellucid.studio.pages import Pages
from pellucid.studio.server import create_app
from pellucid.studio.studio import Studio
from pellucid.studio.tensors import to_tensor
from tests.studio.served import write_page
from tests.studio.standin import OPEN, PORT, TOKEN


@pytest.fixture
def api(tmp_path: Path) -> schemathesis.BaseSchema:
    app = create_app(Studio(tmp_path / "runs"), Door(TOKEN, PORT), Pages(write_page(tmp_path / "page")))
    return schemathesis.openapi.from_asgi("/api/openapi.json", app, headers=OPEN)


def with_numbers(body: Any, random: np.random.Generator) -> Any:
    """Put arrays that fit in the place of tensors, which chance alone never makes: or no question gets far."""
    if isinstance(body, list):
        return [with_numbers(item, random) for item in body]
    if not isinstance(body, dict):
        return body
    if set(body) != {"shape", "data"} or not isinstance(body["shape"], list):
        return {name: with_numbers(item, random) for name, item in body.items()}
    shape = [int(random.integers(1, 4 if axis < len(body["shape"]) - 2 else 16)) for axis in range(len(body["shape"]))]
    return to_tensor(random.random(shape, np.float32)).model_dump()


def fuzz(api: schemathesis.BaseSchema, part: str, examples: int) -> int:
    """Send made-up requests to every address of a part; return how many addresses it has."""
    found = [result.ok() for result in api.get_all_operations()]
    operations = [one for one in found if one.path.startswith(f"/api/{part}")]
    for operation in operations:

        @settings(
            max_examples=examples,
            phases=[Phase.generate, Phase.target],
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        @given(case=operation.as_strategy(), seed=st.none() | st.integers(0, 99))
        def check(case: schemathesis.Case, seed: int | None) -> None:
            if seed is not None:
                case.body = with_numbers(case.body, np.random.default_rng(seed))
            case.call_and_validate(headers=OPEN, timeout=60, checks=[not_a_server_error])

        check()
    return len(operations)


@pytest.mark.parametrize("part", [*ROOMS, "uploads"])
def test_nothing_breaks(api: schemathesis.BaseSchema, part: str) -> None:
    assert fuzz(api, part, examples=5) > 0


@pytest.mark.long
@pytest.mark.parametrize("part", [*ROOMS, "uploads"])
def test_nothing_breaks_at_length(api: schemathesis.BaseSchema, part: str) -> None:
    assert fuzz(api, part, examples=200) > 0
