"""What was the mark price in each minute? Candles of one contract from each venue's own answer."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from monitors.market import MINUTE_MS, Contract, PriceCandle, Venue
from monitors.venues.clients import Client, first_line, understanding
from monitors.venues.wire import ODD, positive, timestamp_ms

log = logging.getLogger(__name__)

MOST: Mapping[Venue, int] = {Venue.BINANCE: 1_000, Venue.BYBIT: 1_000, Venue.OKX: 100}  # minutes a request
BINANCE_WEIGHT = ((99, 1), (499, 2), (1_000, 5))  # minutes asked for, units of its budget
OKX_RECENT_MS = 1_439 * MINUTE_MS  # what its list of recent candles reaches back; older ones are in another


def fetch_price_candles(client: Client, contract: Contract, first_ms: int, last_ms: int, spare: int = 0, patience_s: float = 20.0) -> list[PriceCandle]:
    """The minutes that opened from `first_ms` to `last_ms` (at most MOST of them), oldest first, as far as the venue has them; raises MarketDataError.

    Whether one is closed is told by the venue's clock.
    """
    now_ms = client.now_ms()
    method, params, bucket, cost = _REQUESTS[client.venue](contract.venue_symbol, first_ms, last_ms, now_ms)
    answer = client.call(method, params, cost=cost, bucket=bucket, spare=spare, patience_s=patience_s)
    with understanding(client.venue):
        rows = list(ROWS[client.venue](answer))
    candles = _readable(contract, rows, now_ms)
    return sorted((candle for candle in candles if first_ms <= candle.opened_at_ms <= last_ms), key=lambda candle: candle.opened_at_ms)


def _minutes(first_ms: int, last_ms: int) -> int:
    return (last_ms - first_ms) // MINUTE_MS + 1


def _binance_request(symbol: str, first_ms: int, last_ms: int, now_ms: int) -> tuple[str, dict[str, Any], str, int]:
    limit = _minutes(first_ms, last_ms)
    cost = next(units for most, units in BINANCE_WEIGHT if limit <= most)
    return "fapiPublicGetMarkPriceKlines", {"symbol": symbol, "interval": "1m", "startTime": first_ms, "endTime": last_ms, "limit": limit}, "", cost


def _bybit_request(symbol: str, first_ms: int, last_ms: int, now_ms: int) -> tuple[str, dict[str, Any], str, int]:
    params = {"category": "linear", "symbol": symbol, "interval": "1", "start": first_ms, "end": last_ms, "limit": _minutes(first_ms, last_ms)}
    return "publicGetV5MarketMarkPriceKline", params, "", 1


def _okx_request(symbol: str, first_ms: int, last_ms: int, now_ms: int) -> tuple[str, dict[str, Any], str, int]:
    """`after` asks for what is older than a time, `before` for what is newer; neither includes it."""
    params = {"instId": symbol, "bar": "1m", "limit": _minutes(first_ms, last_ms), "before": first_ms - 1, "after": last_ms + 1}
    if first_ms > now_ms - OKX_RECENT_MS:
        return "publicGetMarketMarkPriceCandles", params, "marks", 1
    return "publicGetMarketHistoryMarkPriceCandles", params, "old marks", 1


def rows_of_binance(answer: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
    """`[[1591256460000,"9653.29201333","9654.56401333","9653.07367333","9653.07367333","0",1591256519999,"0",60,"0","0","0"],...]`.

    Open time, open, high, low, close; the rest says nothing of marks.
    """
    return answer


def rows_of_bybit(answer: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
    """`{"result":{"symbol":"BTCUSDT","category":"linear","list":[["1670608800000","17164.16","17164.16","17121.5","17131.64"],...]}}`, newest first."""
    rows: Sequence[Sequence[Any]] = answer["result"]["list"]
    return rows


def rows_of_okx(answer: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
    """`{"data":[["1597026383085","3.721","3.743","3.677","3.708","1"],...]}`, newest first; the last is `confirm`."""
    rows: Sequence[Sequence[Any]] = answer["data"]
    return rows


Rows = Callable[[Any], Sequence[Sequence[Any]]]
ROWS: Mapping[Venue, Rows] = {Venue.BINANCE: rows_of_binance, Venue.BYBIT: rows_of_bybit, Venue.OKX: rows_of_okx}
_REQUESTS = {Venue.BINANCE: _binance_request, Venue.BYBIT: _bybit_request, Venue.OKX: _okx_request}


def _readable(contract: Contract, rows: Sequence[Sequence[Any]], now_ms: int) -> Iterator[PriceCandle]:
    """The candles that are understood; each other one is a gap."""
    odd: list[Exception] = []
    for row in rows:
        try:
            yield _candle(contract, row, now_ms)
        except ODD as error:
            odd.append(error)
    if odd:
        log.warning("%s: %s of %s minutes of %s are not understood (%s)", contract.venue.title, len(odd), len(rows), contract.venue_symbol, first_line(odd[0]))


def _candle(contract: Contract, row: Sequence[Any], now_ms: int) -> PriceCandle:
    opened_at_ms, times = timestamp_ms(row[0]), float(contract.multiplier)
    opened, high, low, close = (float(positive(price)) / times for price in row[1:5])
    if not low <= min(opened, close) <= max(opened, close) <= high:
        raise ValueError(f"high and low do not hold open and close: {row[:5]!r}")
    return PriceCandle(contract.venue, contract.asset, opened_at_ms, opened, high, low, close, opened_at_ms + MINUTE_MS <= now_ms)
