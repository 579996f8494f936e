"""Are mark prices fetched once, in as few requests as possible, and kept? Over REST, from the fake venues."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings
from redis import Redis

from monitors import price_candles
from monitors.market import MINUTE_MS, Venue
from monitors.models import Market
from monitors.models import PriceCandle as Row
from monitors.venues.troubles import MarketDataError
from tests.fakes.venue_rest_common import now_ms
from tests.fakes.venues import FakeVenues
from tests.monitors.scanning import priced_venues

pytestmark = pytest.mark.django_db


@pytest.fixture
def venues(settings: Settings, valkey: "Redis") -> Iterator[FakeVenues]:
    with priced_venues(settings) as fakes:
        yield fakes


def minute(back: int) -> int:
    """Open time of the minute so many before the one that is open now."""
    return now_ms() // MINUTE_MS * MINUTE_MS - back * MINUTE_MS


def limits(venues: FakeVenues) -> list[int]:
    return [int(request.query["limit"]) for request in venues.requests("binance", "markPriceKlines")]


def test_the_fewest_requests_bring_what_is_wanted() -> None:
    at = 1_783_771_200_000
    wanted = [at + number * MINUTE_MS for number in (0, 1, 2, 98, 99, 100, 250)]
    assert price_candles.requests_for(wanted, 1_000) == [(at, at + 250 * MINUTE_MS)]
    assert price_candles.requests_for(reversed(wanted), 100) == [
        (at, at + 99 * MINUTE_MS), (at + 100 * MINUTE_MS, at + 100 * MINUTE_MS), (at + 250 * MINUTE_MS, at + 250 * MINUTE_MS),
    ]  # fmt: skip
    assert price_candles.requests_for([], 100) == []


def test_the_venues_come_in_order_and_those_that_list_it_no_more_last(venues: FakeVenues) -> None:
    assert [contract.venue for contract in price_candles.contracts_of("BTC")] == [Venue.BINANCE, Venue.BYBIT, Venue.OKX]
    assert price_candles.contracts_of("BTC")[0].venue_symbol == "BTCUSDT", "the contract of most turnover, not the one in USDC"
    Market.objects.filter(venue="binance", asset="BTC").update(active=False)
    assert [contract.venue for contract in price_candles.contracts_of("BTC")] == [Venue.BYBIT, Venue.OKX, Venue.BINANCE]
    assert price_candles.contracts_of("NOPE") == []


def test_a_minute_is_asked_for_once(venues: FakeVenues) -> None:
    [binance, *_] = price_candles.contracts_of("ETH")
    first = price_candles.price_candles(binance, [minute(back) for back in (9, 8, 7, 3)])
    assert limits(venues) == [7], "those between come along"
    assert len(first) == 7
    again = price_candles.price_candles(binance, [minute(back) for back in range(2, 11)])
    assert limits(venues) == [7, 9], "one request for both ends"
    assert set(again) == {minute(back) for back in range(2, 11)}
    assert Row.objects.filter(asset="ETH", venue="binance").count() == 9
    price_candles.price_candles(binance, [minute(back) for back in range(2, 11)])
    assert len(limits(venues)) == 2


def test_the_minute_that_is_open_comes_and_is_not_kept(venues: FakeVenues) -> None:
    [binance, *_] = price_candles.contracts_of("ETH")
    found = price_candles.price_candles(binance, [minute(1), minute(0)])
    assert len(found) == 2
    newest = Row.objects.latest("opened_at").opened_at
    assert newest <= timezone.now() - timedelta(minutes=1)


def test_a_gap_stays_a_gap(venues: FakeVenues) -> None:
    okx = price_candles.contracts_of("WIF")[2]
    venues.set_mark_candle("WIF", minute(5), None, "okx")
    found = price_candles.price_candles(okx, [minute(back) for back in (6, 5, 4)])
    assert set(found) == {minute(6), minute(4)}


def test_prices_are_per_coin_of_the_asset_whatever_the_venue_counts(venues: FakeVenues) -> None:
    prices = [price_candles.price_candles(contract, [minute(4)])[minute(4)].close for contract in price_candles.contracts_of("PEPE")]
    assert prices == [pytest.approx(0.0000031)] * 3


def test_a_venue_that_does_not_answer_raises_and_what_came_before_is_kept(venues: FakeVenues) -> None:
    okx = price_candles.contracts_of("BTC")[2]
    venues.rest_answers("okx", 503, "", times=9, path="history-mark")
    with pytest.raises(MarketDataError):
        price_candles.price_candles(okx, [minute(1_500), minute(3)])
    assert Row.objects.count() == 0
    with pytest.raises(MarketDataError):
        price_candles.price_candles(okx, [minute(3), minute(2_000)])
    venues.servers["okx"].faults.clear()
    assert len(price_candles.price_candles(okx, [minute(3), minute(2_000)])) == 2
