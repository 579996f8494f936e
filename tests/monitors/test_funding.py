"""The funding rate beside a change of open interest."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from monitors import funding
from monitors.market import Kind, Venue
from monitors.models import Market, OpenInterestSample
from monitors.sight import Contract
from tests.builders import make_signal

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def sampled(venue: str, asset: str, coins: int, rate: float | None, hours: int | None = None, at: datetime = NOW, quote: str = "USDT") -> dict[int, Contract]:
    market, _ = Market.objects.get_or_create(
        venue=venue, venue_symbol=f"{asset}{quote}", defaults={"symbol": f"{asset}/{quote}:{quote}", "asset": asset, "refreshed_at": NOW}
    )
    OpenInterestSample.objects.create(market=market, oi_base=coins, occurred_at=at, received_at=at, funding_rate=rate, funding_hours=hours)  # type: ignore[misc]
    return {market.pk: Contract(Venue(venue), market.symbol, asset)}


def told(contracts: dict[int, Contract], asset: str = "BTC") -> str | None:
    (signal,) = funding.beside([make_signal(kind=Kind.OPEN_INTEREST, asset=asset)], contracts, NOW)
    return signal.details.get("funding")


def test_each_venue_tells_that_of_its_largest_contract() -> None:
    contracts = sampled("bybit", "BTC", 500, 0.0001, 8) | sampled("bybit", "BTC", 20, 0.0009, 8, quote="USDC") | sampled("binance", "BTC", 900, -0.00012345)
    assert told(contracts) == "binance=-0.00012345 bybit=0.0001/8"


def test_the_newest_rate_counts_and_an_old_one_does_not() -> None:
    contracts = sampled("bybit", "BTC", 500, 0.0001, 8, NOW - timedelta(minutes=1)) | sampled("bybit", "BTC", 500, 0.0002, 8, NOW - timedelta(seconds=2))
    assert told(contracts) == "bybit=0.0002/8"
    assert told(sampled("okx", "BTC", 500, 0.0003, 8, NOW - timedelta(minutes=4))) is None


def test_where_no_answer_carries_it_nothing_is_said() -> None:
    assert told(sampled("okx", "BTC", 500, None)) is None
    assert told(sampled("bybit", "ETH", 500, 0.0001, 8)) is None
    assert funding.beside([], {}, NOW) == []
