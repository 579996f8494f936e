"""How do stored samples and candles read in a recording? In the venue's own base coins, as they were saved."""

import heapq
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from monitors.detectors.baseline import SAME_TIME_DAYS
from monitors.market import Venue, epoch_ms
from monitors.models import CandleRow, Market, OpenInterestSample
from monitors.rulefile import plain_number

NEWS = timedelta(minutes=10)  # older at their arrival: filled in, not sent by a live feed
SAMPLES_BACK, CANDLES_BACK = timedelta(hours=1), timedelta(days=SAME_TIME_DAYS, hours=1)  # what detection looks back on
TIMEFRAME = timedelta(minutes=5)
CHUNK = 2_000
SAMPLE = ("market", "occurred_at", "oi_base", "mark_price")
CANDLE = ("market", "opened_at", "open", "close", "volume_usd", "closed")

Line = tuple[int, Venue, str, dict[str, Any]]  # at in epoch ms, venue, feed, payload
Key = tuple[str, int, datetime]  # one arrival: an open candle arrives again and again


def okx_markets() -> dict[str, dict[str, dict[str, int | float]]]:
    """The header's `markets`: OKX counts contracts."""
    rows = Market.objects.filter(venue=Venue.OKX, active=True).order_by("venue_symbol").values_list("venue_symbol", "contract_size")
    return {"okx": {symbol: {"contract_size": plain_number(size)} for symbol, size in rows}}


def arrived_since(since: datetime) -> Iterator[tuple[Key, Line]]:
    """What live scans have saved since then. A contract that is kept apart is left out: in a recording its name is another asset's.

    Both tables are indexed by market and time, not by arrival.
    """
    markets = _markets()
    samples = OpenInterestSample.objects.filter(market__in=markets, occurred_at__gt=since - NEWS, received_at__gte=since)
    for key, arrived_at, *row in samples.order_by("received_at").values_list("pk", "received_at", *SAMPLE):
        if row[1] > arrived_at - NEWS:
            yield ("open_interest", key, arrived_at), _sample_line(markets, arrived_at, *row)
    candles = CandleRow.objects.filter(market__in=markets, opened_at__gt=since - NEWS, received_at__gte=since)
    for key, arrived_at, *row in candles.order_by("received_at").values_list("pk", "received_at", *CANDLE):
        if row[1] > arrived_at - NEWS:
            yield ("candles", key, arrived_at), _candle_line(markets, arrived_at, *row)


def past(now: datetime) -> Iterator[Line]:
    """What was stored before, in the order of its time: without it a replay has nothing to compare the first samples and candles with."""
    markets = _markets()
    samples = OpenInterestSample.objects.filter(market__in=markets, occurred_at__range=(now - SAMPLES_BACK, now))
    candles = CandleRow.objects.filter(market__in=markets, opened_at__range=(now - CANDLES_BACK, now - TIMEFRAME), closed=True)
    older = (_sample_line(markets, row[1], *row) for row in samples.order_by("occurred_at").values_list(*SAMPLE).iterator(CHUNK))
    ended = (_candle_line(markets, row[1] + TIMEFRAME, *row) for row in candles.order_by("opened_at").values_list(*CANDLE).iterator(CHUNK))
    return heapq.merge(older, ended, key=lambda line: line[0])


def _markets() -> Mapping[int, Market]:
    return Market.objects.filter(apart="").order_by().in_bulk()


def _sample_line(markets: Mapping[int, Market], at: datetime, key: int, occurred_at: datetime, oi_base: Decimal, mark_price: Decimal | None) -> Line:
    market = markets[key]
    mark = None if mark_price is None else _plain(mark_price * market.multiplier)
    payload = {"symbol": market.symbol, "timestamp": epoch_ms(occurred_at), "open_interest": _plain(oi_base / market.multiplier), "mark_price": mark}
    return epoch_ms(at), Venue(market.venue), "open_interest", payload


def _candle_line(markets: Mapping[int, Market], at: datetime, key: int, opened_at: datetime, opened: float, close: float, usd: float, closed: bool) -> Line:
    """High and low are not stored, for nothing asks for them: those of open and close; coins are dollars at the typical price."""
    market = markets[key]
    times = float(market.multiplier)
    high, low = max(opened, close), min(opened, close)
    coins = usd / ((high + low + close) / 3 * times)
    candle = [epoch_ms(opened_at), opened * times, high * times, low * times, close * times, coins]
    return epoch_ms(at), Venue(market.venue), "candles", {"symbol": market.symbol, "timeframe": "5m", "candle": candle, "closed": closed}


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
