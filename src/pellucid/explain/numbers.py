"""Numbers as people read them: a true minus, no more digits than say something, never a "−0"."""

from __future__ import annotations

_IN_FULL, _EXACT = 1e6, 1e15
"""Magnitudes below which the whole part of any number, and whole numbers, are written out."""


def number(value: float, digits: int = 4) -> str:
    """Write a number in so many digits, its whole part in full; whole numbers and very large or small ones as such.

    >>> number(-27.0), number(0.123456), number(1234.56, 3), number(-1e-9), number(-0.0)
    ('−27', '0.1235', '1235', '−1e−9', '0')
    """
    value = float(value)
    is_whole = value.is_integer() and abs(value) < _EXACT
    if is_whole or 10**digits <= abs(value) < _IN_FULL:
        return f"{value:.0f}".replace("-", "−") if value else "0"
    text, _, power = f"{value:.{digits}g}".partition("e")
    return (f"{text}e{int(power)}" if power else text).replace("-", "−")


def signed(value: float, digits: int = 3) -> str:
    """Write a number with its sign; 0 has none.

    >>> signed(0.5), signed(-289.4), signed(0.0)
    ('+0.5', '−289', '0')
    """
    return f"+{number(value, digits)}" if value > 0 else number(value, digits)


def factor(value: float, digits: int = 4) -> str:
    """Write a number as a later part of a sum or product: in parentheses where it is negative.

    >>> factor(2.0), factor(-0.5)
    ('2', '(−0.5)')
    """
    return f"({number(value, digits)})" if value < 0 else number(value, digits)


def fixed(value: float, decimals: int = 2) -> str:
    """Write a number with so many decimals, as columns need it.

    >>> fixed(-0.5), fixed(0.0), fixed(-0.001)
    ('−0.50', '0.00', '0.00')
    """
    text = f"{value:.{decimals}f}"
    return text.replace("-", "−") if float(text) else text.removeprefix("-")


def percent(share: float) -> str:
    """Write a share in three digits, without hiding that it is not quite nothing or all.

    >>> percent(0.7354), percent(1.0), percent(0.99997), percent(3e-7)
    ('73.5 %', '100 %', 'over 99.9 %', 'under 0.01 %')
    """
    if 0 < share < 1e-4:
        return "under 0.01 %"
    return "over 99.9 %" if 0.9995 <= share < 1 else f"{100 * share:.3g} %"
