"""Signed digits of an integer, with which a constant multiplication takes fewest additions."""

from __future__ import annotations


def signed_digits(number: int) -> list[tuple[int, int]]:
    """(position, sign) of the digits ±1 of ``number``, lowest first, no two adjacent.

    No other form has fewer digits; a product takes one addition less than there are digits.
    """
    digits, position = [], 0
    while number:
        if number % 2:
            sign = 2 - number % 4
            digits.append((position, sign))
            number -= sign
        number //= 2
        position += 1
    return digits
