"""How do people read a number of dollars?"""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.rules.money import dollars, price

UNITS = {"k": 1_000, "M": 1_000_000, "B": 1_000_000_000}


def read(text: str) -> Decimal:
    """The number that a reader takes from "$4.23M"."""
    body = text.removeprefix("$")
    return Decimal(body[:-1]) * UNITS[body[-1]] if body[-1] in UNITS else Decimal(body)


@pytest.mark.parametrize(("usd", "text"), [("4200000", "$4.2M"), ("850000", "$850k"), ("999999.99", "$999k"), ("12345678", "$12.3M"), ("950.7", "$950")])
def test_dollars_read_as_people_write_them(usd: str, text: str) -> None:
    assert dollars(Decimal(usd)) == text


@given(st.decimals(min_value="0.01", max_value="1e12", places=2))
def test_rounding_never_shows_more_than_was_measured(usd: Decimal) -> None:
    assert usd * Decimal("0.99") < read(dollars(usd)) <= usd


@pytest.mark.parametrize(("usd", "text"), [("64183.1", "$64,183.1"), ("0.021912", "$0.021912"), ("123456.7", "$123,457")])
def test_a_price_keeps_six_digits(usd: str, text: str) -> None:
    assert price(Decimal(usd)) == text
