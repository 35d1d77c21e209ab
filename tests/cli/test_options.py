import pytest
import typer

from pellucid.cli.options import parse_numbers


def test_lists_are_read_in_their_order_each_number_once() -> None:
    assert parse_numbers("--channels", None) is None
    assert parse_numbers("--channels", "7") == [7]
    assert parse_numbers("--channels", " 3, 0-2,1,3") == [3, 0, 1, 2]


@pytest.mark.parametrize("text", ["", " ", "a", "1_0", "٢", "²", "-3", "5-3", "1-2-3", "1,,2", "+1", "1.0", "9" * 5000])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="--channels must be numbers and ranges, such as 0-15,40; got "):
        parse_numbers("--channels", text)


def test_endless_lists_are_refused() -> None:
    with pytest.raises(typer.BadParameter, match="--channels must list at most 100,000 numbers; got 1,000,000"):
        parse_numbers("--channels", "0-999999")
