import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.errors import ParameterError
from pellucid.explain.kernels.matrices import parse_rows, whole_numbers, write_number
from tests.strategies import quick


@pytest.mark.parametrize(
    "text",
    ["1,0,-1;2,0,-2", "1 0 -1\n2 0 -2\n", " 1, 0,−1 ; 4/2 ,0 , -6/3 ;", "\t1e0\t0.0\t-1\r\n\r\n2\t0\t-2"],
)
def test_rows_are_read_however_they_are_spaced(text: str) -> None:
    found = parse_rows(text, "kernel")

    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, [[1, 0, -1], [2, 0, -2]])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1,2;3", "The image must have rows of equal length; got 2 in row 1 and 1 in row 2."),
        ("1;2;3;4,5", "The image must have rows of equal length; got 1 in row 1 and 2 in row 4."),
        (" ;\n", "The image must be rows of numbers, such as '1,0,-1; 2,0,-2'; got nothing."),
        ("1,a", "The image must hold finite numbers or fractions only; got 'a'."),
        ("1,,2", "got ''"),
        ("1/0", "got '1/0'"),
        ("nan 1", "got 'nan'"),
        ("1e999", "got '1e999'"),
        ("1/2/3", "got '1/2/3'"),
    ],
)
def test_what_is_no_matrix_is_refused_in_a_sentence(text: str, reason: str) -> None:
    with pytest.raises(ParameterError) as error:
        parse_rows(text, "image")
    assert reason in str(error.value)


@quick
@given(st.lists(st.lists(st.floats(-1e300, 1e300), min_size=3, max_size=3), min_size=1, max_size=4))
def test_numbers_come_back_as_they_were_written(rows: list[list[float]]) -> None:
    text = ";".join(",".join(map(repr, row)) for row in rows)
    np.testing.assert_array_equal(parse_rows(text, "kernel"), rows)


@quick
@given(st.lists(st.integers(-99, 99), min_size=1, max_size=9), st.integers(1, 90))
def test_whole_numbers_over_a_divisor_are_the_smallest(numerators: list[int], divisor: int) -> None:
    values = np.array([numerators]) / divisor
    found = whole_numbers(values)

    assert found is not None
    whole, over = found
    np.testing.assert_allclose(whole / over, values, rtol=1e-12)
    assert np.gcd.reduce([*whole.ravel(), over]) == 1


@pytest.mark.parametrize("values", [[[np.pi, 1.0]], [[1e5, 1.0]], [[1e-5, 1.0]]])
def test_other_numbers_are_not_forced_to_be_whole(values: list[list[float]]) -> None:
    assert whole_numbers(np.array(values)) is None


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.67, "0.67"),
        (1 / 256, "1/256"),
        (-1 / 3, "−1/3"),
        (0.25, "1/4"),
        (1e-9, "1e−9"),
        (np.pi, "3.14"),
        (120, "120"),
    ],
)
def test_numbers_are_written_for_people(value: float, written: str) -> None:
    assert write_number(value) == written
