"""Funding rates where an answer carries them, and nothing where it does not."""

import pytest

from monitors.market import Funding
from monitors.venues.funding import of_binance, of_bybit


def test_binances_premium_index_tells_the_rate_only() -> None:
    assert of_binance({"symbol": "BTCUSDT", "lastFundingRate": "0.00038246", "nextFundingTime": 1597392000000}) == Funding(0.00038246)
    assert of_binance({"symbol": "BTCUSDT_260925", "lastFundingRate": "", "nextFundingTime": 0}) is None
    assert of_binance({"symbol": "BTCUSDT"}) is None


def test_bybits_tickers_tell_how_often_as_well_unless_they_are_old() -> None:
    assert of_bybit({"fundingRate": "-0.001034", "fundingIntervalHour": "8"}) == Funding(-0.001034, 8)
    assert of_bybit({"fundingRate": "0.0001"}) == of_bybit({"fundingRate": "0.0001", "fundingIntervalHour": ""}) == Funding(0.0001)
    assert of_bybit({"fundingRate": "0"}) == Funding(0.0)


@pytest.mark.parametrize(("rate", "hours"), [("x", "8"), ("NaN", "8"), ("1e9", "8"), (None, "8"), ("0.0001", "x"), ("0.0001", "-8"), ([], "8")])
def test_what_is_no_rate_is_left_out(rate: object, hours: object) -> None:
    assert of_bybit({"fundingRate": rate, "fundingIntervalHour": hours}) is None
