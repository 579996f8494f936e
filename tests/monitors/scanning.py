"""What do tests of scans start from? Fake venues in the settings, contracts that are known, and a past to compare with."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from monitors import services
from monitors.market import TIMEFRAME_MS, Venue, from_epoch_ms
from monitors.models import CandleRow, Market, OpenInterestSample, ScanStatus
from tests.fakes.venue_rest_common import now_ms
from tests.fakes.venues import FakeVenues

WATCHED = ["BTC", "ETH", "WIF", "PEPE"]


@contextmanager
def scanned_venues(settings: Any, assets: list[str] | None = None) -> Iterator[FakeVenues]:
    """Fakes that the settings lead to; only the named assets (WATCHED when there are none) are scanned."""
    with FakeVenues() as fakes:
        for name, url in fakes.env.items():
            setattr(settings, name, url)
        settings.ASSETS = WATCHED if assets is None else assets
        settings.MAX_ASSETS = 0
        services.refresh_markets(timezone.now())
        for server in fakes.servers.values():
            server.requests.clear()
        yield fakes


@contextmanager
def priced_venues(settings: Any) -> Iterator[FakeVenues]:
    """Fakes that the settings lead to, whose contracts of WATCHED are known without having been asked for: for tests that ask for prices alone."""
    with FakeVenues() as fakes:
        for name, url in fakes.env.items():
            setattr(settings, name, url)
        usual = [listing for listing in fakes.markets.listings if (listing.kind, listing.term, listing.inverse) == ("coin", "perpetual", False)]
        Market.objects.bulk_create(
            Market(
                venue=listing.venue, venue_symbol=listing.symbol, symbol=f"{listing.base}/{listing.quote}:{listing.quote}", asset=listing.asset,
                contract_size=Decimal(listing.contract_size), multiplier=Decimal(listing.multiplier), turnover_usd=float(listing.turnover_usd),
                refreshed_at=timezone.now(),
            )
            for listing in usual if listing.asset in WATCHED
        )  # fmt: skip
        yield fakes


def past_samples(minutes: int, change: str = "1", venue: str = "") -> None:
    """A sample a minute before the newest one of each contract, `change` times as large, `minutes` long."""
    rows = []
    for market in Market.objects.all():
        newest = OpenInterestSample.objects.filter(market=market).order_by("-occurred_at").first()
        if newest is None or venue not in ("", market.venue):
            continue
        rows += [
            sample(market, newest.oi_base * Decimal(change), newest.mark_price, newest.occurred_at - timedelta(minutes=ago)) for ago in range(1, minutes + 1)
        ]
    OpenInterestSample.objects.bulk_create(rows)


def sample(market: Market, coins: Decimal, mark: Decimal | None, at: datetime) -> OpenInterestSample:
    """One stored sample."""
    return OpenInterestSample(market=market, oi_base=coins, mark_price=mark, occurred_at=at, received_at=at)  # type: ignore[misc]  # the mark may be null


def past_candles(days: float = 7.1, usd: float = 1_000_000, asset: str = "") -> None:
    """Closed candles of each scanned contract up to the venues' now, between 0.8 and 1.2 times `usd` each; as many dollars on each venue."""
    times = [ended_ms() - back * TIMEFRAME_MS for back in range(int(days * 288))]
    rows = [
        CandleRow(
            market=market, opened_at=from_epoch_ms(at), open=100, close=100.2 + at // TIMEFRAME_MS % 3 / 10,
            volume_usd=usd * (0.8 + at // TIMEFRAME_MS * 7919 % 41 / 100), closed=True, received_at=from_epoch_ms(at),
        )
        for market in Market.objects.filter(active=True, asset=asset, symbol__endswith="USDT:USDT") for at in times
    ]  # fmt: skip
    CandleRow.objects.bulk_create(rows, batch_size=1000)


def ended_ms() -> int:
    """Open time of the candle that has just ended by the venues' clock."""
    return now_ms() // TIMEFRAME_MS * TIMEFRAME_MS - TIMEFRAME_MS


def status(venue: Venue | str, kind: str = "open_interest") -> ScanStatus:
    """How the venue's scans do."""
    return ScanStatus.objects.get(venue=venue, kind=kind)
