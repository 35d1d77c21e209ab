import math

import pytest

from pellucid.explain.numbers import factor, fixed, number, percent, signed


@pytest.mark.parametrize(
    ("value", "digits", "written"),
    [
        (4608.0, 3, "4608"),
        (-1020.4, 3, "−1020"),
        (12345.67, 4, "12346"),
        (999.96, 4, "1000"),
        (0.99996, 4, "1"),
        (2_500_000.5, 3, "2.5e6"),
        (3e20, 3, "3e20"),
        (-1.25e-7, 3, "−1.25e−7"),
        (0.000123456, 3, "0.000123"),
        (-0.0, 3, "0"),
        (math.nan, 3, "nan"),
        (-math.inf, 3, "−inf"),
    ],
)
def test_numbers_are_written_for_people(value: float, digits: int, written: str) -> None:
    assert number(value, digits) == written


@pytest.mark.parametrize("value", [0.0, 1e-12, -0.25, 17.0, 1234.5, -98765.4, 123456789.0, 6.02e23])
def test_what_is_written_is_the_number_but_for_rounding(value: float) -> None:
    for write in (number, signed):
        assert float(write(value, 4).replace("−", "-")) == pytest.approx(value, rel=1e-3)


def test_a_sign_stands_before_all_but_0() -> None:
    assert [signed(value) for value in (2.0, -2.0, 0.0, -0.0, 0.1235)] == ["+2", "−2", "0", "0", "+0.123"]


def test_only_negative_factors_stand_in_parentheses() -> None:
    assert [factor(value) for value in (2.0, -2.0, 0.0, -0.0)] == ["2", "(−2)", "0", "0"]


def test_fixed_decimals_have_no_minus_before_0() -> None:
    assert [fixed(value, 3) for value in (-0.0004, -0.0006, 2.0)] == ["0.000", "−0.001", "2.000"]


def test_a_share_is_never_rounded_to_nothing_or_all() -> None:
    assert [percent(share) for share in (0.0, 1e-9, 0.5, 0.99999, 1.0)] == [
        "0 %", "under 0.01 %", "50 %", "over 99.9 %", "100 %",
    ]  # fmt: skip
