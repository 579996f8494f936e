"""How do people read a number of dollars?"""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.rules.money import amount, dollars, percent, price

UNITS = {"k": 1_000, "M": 1_000_000, "B": 1_000_000_000, "T": 1_000_000_000_000}


def read(text: str) -> Decimal:
    """The number that a reader takes from "$4.23M"."""
    body = text.removeprefix("$")
    return Decimal(body[:-1]) * UNITS[body[-1]] if body[-1] in UNITS else Decimal(body)


@pytest.mark.parametrize(("usd", "text"), [("4200000", "$4.2M"), ("850000", "$850k"), ("999999.99", "$999k"), ("12345678", "$12.3M"), ("950.7", "$950")])
def test_dollars_read_as_people_write_them(usd: str, text: str) -> None:
    assert dollars(Decimal(usd)) == text


@given(st.decimals(min_value="0.01", max_value="1e12", places=2))
def test_rounding_never_shows_more_than_was_measured(usd: Decimal) -> None:
    shown = read(dollars(usd))
    assert shown <= usd
    assert usd - shown < 1_000 or (usd - shown) * 10 < usd


@pytest.mark.parametrize(("coins", "digits", "text"), [("950.7", 3, "950"), ("4237000", 3, "4.23M"), ("181500", 4, "181.5k"), ("74516129032258", 4, "74.51T")])
def test_coins_have_so_many_digits(coins: str, digits: int, text: str) -> None:
    assert amount(Decimal(coins), digits) == text


@pytest.mark.parametrize(("usd", "text"), [("62310.4", "62,310"), ("1800.76", "1,800.8"), ("0.0219123", "0.021912"), ("123456.7", "123,457")])
def test_a_price_keeps_five_digits_or_whole_dollars(usd: str, text: str) -> None:
    assert price(Decimal(usd)) == text


@pytest.mark.parametrize(("change", "text"), [("-1.38", "−1.4 %"), ("0.42", "+0.4 %"), ("0.01", "0.0 %"), ("-0.04", "0.0 %")])
def test_a_change_has_its_sign(change: str, text: str) -> None:
    assert percent(Decimal(change)) == text
