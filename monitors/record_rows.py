"""How do stored samples and candles read in a recording? In the venue's own base coins, as they were saved."""

import heapq
from collections.abc import Iterator
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

Line = tuple[int, Venue, str, dict[str, Any]]  # at in epoch ms, venue, feed, payload
Key = tuple[str, int, datetime]  # one arrival: an open candle arrives again and again


def okx_markets() -> dict[str, dict[str, dict[str, int | float]]]:
    """The header's `markets`: OKX counts contracts."""
    rows = Market.objects.filter(venue=Venue.OKX, active=True).order_by("venue_symbol").values_list("venue_symbol", "contract_size")
    return {"okx": {symbol: {"contract_size": plain_number(size)} for symbol, size in rows}}


def arrived_since(since: datetime) -> Iterator[tuple[Key, Line]]:
    """What live scans have saved since then. A contract that is kept apart is left out: in a recording its name is another asset's."""
    markets = list(Market.objects.filter(apart="").values_list("pk", flat=True))  # their tables are indexed by market and time
    samples = OpenInterestSample.objects.filter(market__in=markets, occurred_at__gt=since - NEWS, received_at__gte=since)
    for sample in samples.select_related("market").order_by("received_at"):
        if sample.occurred_at > sample.received_at - NEWS:
            yield ("open_interest", sample.pk, sample.received_at), _sample_line(sample, sample.received_at)
    candles = CandleRow.objects.filter(market__in=markets, opened_at__gt=since - NEWS, received_at__gte=since)
    for candle in candles.select_related("market").order_by("received_at"):
        if candle.opened_at > candle.received_at - NEWS:
            yield ("candles", candle.pk, candle.received_at), _candle_line(candle, candle.received_at)


def past(now: datetime) -> Iterator[Line]:
    """What was stored before, in the order of its time: without it a replay has nothing to compare the first samples and candles with."""
    samples = OpenInterestSample.objects.filter(occurred_at__range=(now - SAMPLES_BACK, now), market__apart="")
    candles = CandleRow.objects.filter(opened_at__range=(now - CANDLES_BACK, now - TIMEFRAME), market__apart="", closed=True)
    older = (_sample_line(row, row.occurred_at) for row in samples.select_related("market").order_by("occurred_at").iterator(CHUNK))
    ended = (_candle_line(row, row.opened_at + TIMEFRAME) for row in candles.select_related("market").order_by("opened_at").iterator(CHUNK))
    return heapq.merge(older, ended, key=lambda line: line[0])


def _sample_line(sample: OpenInterestSample, at: datetime) -> Line:
    market = sample.market
    mark = None if sample.mark_price is None else _plain(sample.mark_price * market.multiplier)
    coins = _plain(sample.oi_base / market.multiplier)
    payload = {"symbol": market.symbol, "timestamp": epoch_ms(sample.occurred_at), "open_interest": coins, "mark_price": mark}
    return epoch_ms(at), Venue(market.venue), "open_interest", payload


def _candle_line(candle: CandleRow, at: datetime) -> Line:
    """High and low are not stored, for nothing asks for them: those of open and close; coins are dollars at the typical price."""
    market, times = candle.market, float(candle.market.multiplier)
    high, low = max(candle.open, candle.close), min(candle.open, candle.close)
    coins = candle.volume_usd / ((high + low + candle.close) / 3 * times)
    prices = [price * times for price in (candle.open, high, low, candle.close)]
    payload = {"symbol": market.symbol, "timeframe": "5m", "candle": [epoch_ms(candle.opened_at), *prices, coins], "closed": candle.closed}
    return epoch_ms(at), Venue(market.venue), "candles", payload


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
