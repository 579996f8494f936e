"""What was traded in each five minutes? Candles of one contract with their volume in dollars, from each venue's own answer."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from monitors.market import TIMEFRAME_MS, Candle, Contract, Venue
from monitors.venues.clients import Client, understanding
from monitors.venues.wire import positive, timestamp_ms

MOST = 99  # candles a request: Binance's weight is 1 up to 99, and all venues give that many


def fetch_candles(client: Client, contract: Contract, limit: int, before_ms: int | None = None, spare: int = 0, patience_s: float = 20.0) -> list[Candle]:
    """The newest `limit` (at most MOST) candles that opened before `before_ms` (None: up to now), oldest first; raises MarketDataError.

    Whether one is closed is told by the venue's clock, for only OKX marks it.
    """
    limit = min(limit, MOST)
    now_ms = client.now_ms()
    method, params, bucket = _REQUESTS[client.venue](contract.venue_symbol, limit, before_ms)
    answer = client.call(method, params, bucket=bucket, spare=spare, patience_s=patience_s)
    with understanding(client.venue):
        candles = READERS[client.venue](answer, contract, now_ms)
    return sorted((candle for candle in candles if before_ms is None or candle.opened_at_ms < before_ms), key=lambda candle: candle.opened_at_ms)


def _binance_request(symbol: str, limit: int, before_ms: int | None) -> tuple[str, dict[str, Any], str]:
    bound = {} if before_ms is None else {"endTime": before_ms - 1}
    return "fapiPublicGetKlines", {"symbol": symbol, "interval": "5m", "limit": limit, **bound}, ""


def _bybit_request(symbol: str, limit: int, before_ms: int | None) -> tuple[str, dict[str, Any], str]:
    bound = {} if before_ms is None else {"end": before_ms - 1}
    return "publicGetV5MarketKline", {"category": "linear", "symbol": symbol, "interval": "5", "limit": limit, **bound}, ""


def _okx_request(symbol: str, limit: int, before_ms: int | None) -> tuple[str, dict[str, Any], str]:
    """OKX's `candles` reaches 1,440 candles back; `after` asks for those older than a time, which `history-candles` has without such an end."""
    params: dict[str, Any] = {"instId": symbol, "bar": "5m", "limit": limit}
    if before_ms is None:
        return "publicGetMarketCandles", params, "candles"
    return "publicGetMarketHistoryCandles", {**params, "after": before_ms}, "history"


def read_binance(answer: Sequence[Sequence[Any]], contract: Contract, now_ms: int) -> list[Candle]:
    """`[[1499040000000,"0.01634790","0.80000000","0.01575800","0.01577100","148976.11427815",1499644799999,"2434.19055334",308,...],...]`.

    Open time, open, high, low, close, volume in coins, close time, volume in dollars, trades...
    """
    return [_candle(contract, row[:5], row[5], row[7], now_ms) for row in answer]


def read_bybit(answer: Mapping[str, Any], contract: Contract, now_ms: int) -> list[Candle]:
    """`{"result":{"list":[["1670608800000","17071","17073","17027","17055.5","268611","15.74462667"],...]}}`, newest first.

    Start time, open, high, low, close, volume in coins, turnover in dollars.
    """
    return [_candle(contract, row[:5], row[5], row[6], now_ms) for row in answer["result"]["list"]]


def read_okx(answer: Mapping[str, Any], contract: Contract, now_ms: int) -> list[Candle]:
    """`{"data":[["1597026383085","3.721","3.743","3.677","3.708","8422410","22698348.04828491","12698348.04828491","0"],...]}`, newest first.

    Open time, open, high, low, close, volume in contracts, in coins, in dollars, and `confirm` (0: unfinished).
    """
    return [_candle(contract, row[:5], row[6], row[7], now_ms) for row in answer["data"]]


Reader = Callable[[Any, Contract, int], list[Candle]]
READERS: Mapping[Venue, Reader] = {Venue.BINANCE: read_binance, Venue.BYBIT: read_bybit, Venue.OKX: read_okx}
_REQUESTS = {Venue.BINANCE: _binance_request, Venue.BYBIT: _bybit_request, Venue.OKX: _okx_request}


def _candle(contract: Contract, prices: Sequence[Any], coins: Any, usd: Any, now_ms: int) -> Candle:
    opened_at_ms = timestamp_ms(prices[0])
    opened, high, low, close = (float(positive(price)) for price in prices[1:])
    volume_usd = _volume(usd) or _volume(coins) * (high + low + close) / 3  # at the typical price where the venue gives no dollars
    times = float(contract.multiplier)
    closed = opened_at_ms + TIMEFRAME_MS <= now_ms
    return Candle(contract.venue, contract.symbol, contract.asset, opened_at_ms, opened / times, close / times, volume_usd, closed)


def _volume(text: Any) -> float:
    volume = float(text)
    if not 0 <= volume < float("inf"):
        raise ValueError(f"{text!r} is not a volume")
    return volume
