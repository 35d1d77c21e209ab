import numpy as np
import pytest

from pellucid.views.scales import ACTIVATIONS, WEIGHTS, Scale, for_activations, signed


def test_0_has_no_sign() -> None:
    assert signed(np.zeros(3), WEIGHTS).marks == ("0", "0", "0")
    assert for_activations(np.zeros(3)).marks == ("0", "0")


@pytest.mark.parametrize(
    ("limit", "marks"),
    [(2.0, ("−2", "0", "+2")), (1234.4, ("−1234", "0", "+1234")), (1.25e-7, ("−1.25e−7", "0", "+1.25e−7"))],
)
def test_both_ends_are_written_with_their_signs(limit: float, marks: tuple[str, ...]) -> None:
    assert Scale(-limit, limit, ACTIVATIONS).marks == marks
