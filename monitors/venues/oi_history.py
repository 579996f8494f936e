"""How much open interest did a contract have? Its past in 5-minute steps, in the units of the live samples: one side, coins of the asset."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitors.market import TIMEFRAME_MS, Contract, OpenInterest, Venue
from monitors.venues.clients import Client, understanding
from monitors.venues.open_interest import Json, amount, of_coins, one_side
from monitors.venues.wire import timestamp_ms

MOST: Mapping[Venue, int] = {Venue.BINANCE: 500, Venue.BYBIT: 200, Venue.OKX: 100}  # steps a request


@dataclass(frozen=True, slots=True)
class Page:
    """One answer, oldest sample first; `reached_ms` is the time from which on everything is known now, None when the venue has nothing older."""

    samples: Sequence[OpenInterest]
    reached_ms: int | None


def fetch_oi_history(client: Client, contract: Contract, before_ms: int, from_ms: int, spare: int = 0, patience_s: float = 20.0) -> Page:
    """The steps before `before_ms`, as many as one request gives, on Binance none before `from_ms`; raises MarketDataError.

    Binance has the last 30 days, Bybit all since the listing, OKX about 5 days; Bybit tells no mark price.
    """
    method, params, bucket, read = _REQUESTS[client.venue](contract.venue_symbol, before_ms, from_ms)
    answer = client.call(method, params, bucket=bucket, spare=spare, patience_s=patience_s)
    with understanding(client.venue):
        samples = sorted(read(answer, contract), key=lambda sample: sample.occurred_at_ms)
    samples = [sample for sample in samples if sample.occurred_at_ms < before_ms]
    if client.venue is Venue.BINANCE:
        return Page(samples, params["startTime"])
    return Page(samples, samples[0].occurred_at_ms if samples else None)


def read_binance(answer: Sequence[Json], contract: Contract) -> list[OpenInterest]:
    """`[{"symbol":"BTCUSDT","sumOpenInterest":"20403.63700000","sumOpenInterestValue":"150570784.07809979","timestamp":1583127900000},...]`.

    Coins of the venue's base, one side, and their dollars; oldest first.
    """
    return [_with_dollars(contract, row["sumOpenInterest"], row["sumOpenInterestValue"], row["timestamp"]) for row in answer]


def read_bybit(answer: Json, contract: Contract) -> list[OpenInterest]:
    """`{"result":{"symbol":"BTCUSDT","category":"linear","list":[{"openInterest":"461134384.00000000","timestamp":"1669571400000"},...],"nextPageCursor":""}}`.

    Newest first; `openInterest` counts both sides, as in the tickers.
    """
    return [of_coins(contract, one_side(row), None, timestamp_ms(row["timestamp"])) for row in answer["result"]["list"]]


def read_okx(answer: Json, contract: Contract) -> list[OpenInterest]:
    """`{"code":"0","data":[["1790550000000","2800476.45","28006.5419","2360916466.88"],...],"msg":""}`.

    Time, open interest in contracts, in coins, in dollars; newest first.
    """
    return [_with_dollars(contract, row[2], row[3], row[0]) for row in answer["data"]]


Reader = Callable[[Any, Contract], list[OpenInterest]]
Request = tuple[str, dict[str, Any], str, Reader]


def _binance_request(symbol: str, before_ms: int, from_ms: int) -> Request:
    """Both ends are given: what the venue does with one alone is not documented, and a start over 30 days ago is refused."""
    most = MOST[Venue.BINANCE]
    params = {"symbol": symbol, "period": "5m", "limit": most, "startTime": max(before_ms - most * TIMEFRAME_MS, from_ms), "endTime": before_ms - 1}
    return "fapiDataGetOpenInterestHist", params, "statistics", read_binance


def _bybit_request(symbol: str, before_ms: int, from_ms: int) -> Request:
    params = {"category": "linear", "symbol": symbol, "intervalTime": "5min", "limit": MOST[Venue.BYBIT], "endTime": before_ms - 1}
    return "publicGetV5MarketOpenInterest", params, "", read_bybit


def _okx_request(symbol: str, before_ms: int, from_ms: int) -> Request:
    """`end` is exclusive."""
    params = {"instId": symbol, "period": "5m", "limit": MOST[Venue.OKX], "end": before_ms}
    return "publicGetRubikStatContractsOpenInterestHistory", params, "statistics", read_okx


_REQUESTS: Mapping[Venue, Callable[[str, int, int], Request]] = {Venue.BINANCE: _binance_request, Venue.BYBIT: _bybit_request, Venue.OKX: _okx_request}


def _with_dollars(contract: Contract, coins: Any, usd: Any, at_ms: Any) -> OpenInterest:
    """The mark is what one coin is worth."""
    known, dollars = amount(coins), amount(usd)
    mark = dollars / known if known and dollars else None
    return of_coins(contract, known, mark, timestamp_ms(at_ms))
