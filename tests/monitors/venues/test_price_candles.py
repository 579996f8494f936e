"""Do the venues' documented mark price candles become prices per coin of the asset?"""

import logging
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import Settings
from redis import Redis

from monitors.market import MINUTE_MS, Contract, PriceCandle, Venue
from monitors.venues.clients import client
from monitors.venues.price_candles import MOST, ROWS, fetch_price_candles
from tests.fakes.venue_rest_common import now_ms
from tests.fakes.venues import FakeVenues

# https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Mark-Price-Kline-Candlestick-Data
# https://bybit-exchange.github.io/docs/v5/market/mark-kline
# https://www.okx.com/docs-v5/en/#public-data-rest-api-get-mark-price-candlesticks
ANSWERS: dict[Venue, Any] = {
    Venue.BINANCE: [[1591256460000, "9653.29201333", "9654.56401333", "9653.07367333", "9653.07367333", "0", 1591256519999, "0", 60, "0", "0", "0"]],
    Venue.BYBIT: {"retCode": 0, "result": {"symbol": "BTCUSDT", "list": [["1670608800000", "17164.16", "17164.16", "17121.5", "17131.64"]]}},
    Venue.OKX: {"code": "0", "data": [["1597026383085", "3.721", "3.743", "3.677", "3.708", "1"], ["1597026323085", "3.731", "3.799", "3.494", "3.72", "1"]]},
}  # fmt: skip
ONE = {Venue.BINANCE: "BTCUSDT", Venue.BYBIT: "BTCUSDT", Venue.OKX: "BTC-USDT-SWAP"}


@pytest.fixture
def venues(settings: Settings, valkey: "Redis") -> Any:
    with FakeVenues() as fakes:
        for name, url in fakes.env.items():
            setattr(settings, name, url)
        yield fakes


def contract(venue: Venue, multiplier: int = 1, symbol: str = "") -> Contract:
    return Contract(venue, symbol or ONE[venue], "X/USDT:USDT", "X", multiplier=Decimal(multiplier))


@pytest.mark.parametrize("venue", Venue)
def test_the_rows_of_the_documentation_hold_time_and_prices(venue: Venue) -> None:
    first, *_ = ROWS[venue](ANSWERS[venue])
    assert int(first[0]) > 1_500_000_000_000
    assert float(first[3]) <= float(first[4]) <= float(first[2])


@pytest.mark.parametrize("venue", Venue)
def test_each_venue_gives_its_minutes_oldest_first_and_says_which_is_open(venues: FakeVenues, venue: Venue) -> None:
    last_ms = now_ms() // MINUTE_MS * MINUTE_MS
    venues.set_mark_candle("BTC", last_ms - 2 * MINUTE_MS, (100, 103, 97, 101), venue.value)
    found = fetch_price_candles(client(venue), contract(venue), last_ms - 4 * MINUTE_MS, last_ms)
    assert [candle.opened_at_ms for candle in found] == [last_ms - back * MINUTE_MS for back in (4, 3, 2, 1, 0)]
    assert found[2] == PriceCandle(venue, "X", last_ms - 2 * MINUTE_MS, 100, 103, 97, 101, True)
    assert [candle.closed for candle in found[:4]] == [True] * 4
    [request] = [request for request in venues.requests(venue) if "time" not in request.path]
    assert request.query["limit"] == "5"


@pytest.mark.parametrize("venue", Venue)
def test_as_many_minutes_come_as_one_request_may_ask_for(venues: FakeVenues, venue: Venue) -> None:
    last_ms = now_ms() // MINUTE_MS * MINUTE_MS - 3 * 86_400_000
    found = fetch_price_candles(client(venue), contract(venue), last_ms - (MOST[venue] - 1) * MINUTE_MS, last_ms)
    assert len(found) == MOST[venue]
    assert all(candle.closed for candle in found)


def test_okx_has_its_old_minutes_elsewhere(venues: FakeVenues) -> None:
    now = now_ms() // MINUTE_MS * MINUTE_MS
    for back in (1_430, 1_450):
        at = now - back * MINUTE_MS
        assert len(fetch_price_candles(client(Venue.OKX), contract(Venue.OKX), at, at)) == 1
    paths = [request.path for request in venues.requests(Venue.OKX) if "mark-price" in request.path]
    assert paths == ["/api/v5/market/mark-price-candles", "/api/v5/market/history-mark-price-candles"]


def test_prices_are_per_coin_of_the_asset(venues: FakeVenues) -> None:
    at = now_ms() // MINUTE_MS * MINUTE_MS - MINUTE_MS
    [candle] = fetch_price_candles(client(Venue.BINANCE), contract(Venue.BINANCE, 1_000, "1000PEPEUSDT"), at, at)
    assert candle.close == pytest.approx(0.0000031)


def test_a_minute_that_makes_no_sense_is_a_gap_and_the_others_stay(venues: FakeVenues, caplog: pytest.LogCaptureFixture) -> None:
    at = now_ms() // MINUTE_MS * MINUTE_MS - 5 * MINUTE_MS
    venues.set_mark_candle("BTC", at, (100, 99, 98, 100))
    venues.set_mark_candle("BTC", at + MINUTE_MS, (100, 100, 0, 100))
    with caplog.at_level(logging.WARNING):
        found = fetch_price_candles(client(Venue.BYBIT), contract(Venue.BYBIT), at, at + 3 * MINUTE_MS)
    assert [candle.opened_at_ms for candle in found] == [at + 2 * MINUTE_MS, at + 3 * MINUTE_MS]
    assert "Bybit: 2 of 4 minutes of BTCUSDT are not understood" in caplog.text
