"""What do the venues answer about the mark price of each minute? Their documented candles, with their limits."""

from collections.abc import Mapping
from typing import Any

from tests.fakes.venue_markets import BINANCE, BYBIT, OKX, Listing, Markets
from tests.fakes.venue_rest_common import Answer, Query, now_ms, one, opens
from tests.fakes.venue_rest_history import Refused

STEP_MS = 60_000
OKX_RECENT_STEPS = 1_440


def _rows(markets: Markets, listing: Listing, times: list[int]) -> list[tuple[int, list[str]]]:
    """Open time and open, high, low, close of each minute that is there, oldest first."""
    found = [(at, markets.mark_candle(listing, at)) for at in times]
    return [(at, [str(price) for price in ohlc]) for at, ohlc in found if ohlc is not None]


def _bounds(query: Query, start: str, end: str) -> tuple[int | None, int | None]:
    return int(query[start]) if start in query else None, int(query[end]) if end in query else None


def _binance(markets: Markets, query: Query) -> list[list[Any]]:
    listing, limit = one(markets, BINANCE, query), int(query.get("limit", "500"))
    if query.get("interval") != "1m" or not 0 < limit <= 1_500:
        raise Refused(400, {"code": -1130, "msg": "Data sent for parameter 'limit' is not valid."})
    rows = _rows(markets, listing, opens(STEP_MS, limit, *_bounds(query, "startTime", "endTime")))
    return [[at, *prices, "0", at + STEP_MS - 1, "0", 60, "0", "0", "0"] for at, prices in rows]


def _bybit(markets: Markets, query: Query) -> dict[str, Any]:
    listing, limit = one(markets, BYBIT, query), int(query.get("limit", "200"))
    if query.get("category") != "linear" or query.get("interval") != "1" or not 0 < limit <= 1_000:
        return {"retCode": 10001, "retMsg": "params error", "result": {}, "retExtInfo": {}, "time": now_ms()}
    rows = _rows(markets, listing, opens(STEP_MS, limit, *_bounds(query, "start", "end")))
    result = {"symbol": listing.symbol, "category": "linear", "list": [[str(at), *prices] for at, prices in reversed(rows)]}
    return {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": now_ms()}


def _okx_recent(markets: Markets, query: Query) -> dict[str, Any]:
    """Reaches so many minutes back."""
    return _okx(markets, query, now_ms() - OKX_RECENT_STEPS * STEP_MS)


def _okx(markets: Markets, query: Query, oldest_ms: int = 0) -> dict[str, Any]:
    """`after` and `before` are exclusive bounds of the open time: older than the one, newer than the other."""
    listing, limit = one(markets, OKX, query), min(int(query.get("limit", "100")), 100)
    if query.get("bar") != "1m":
        return {"code": "51000", "msg": "Parameter bar error", "data": []}
    newer, older = _bounds(query, "before", "after")
    times = opens(STEP_MS, limit, None if newer is None else newer + 1, None if older is None else older - 1)
    rows = _rows(markets, listing, [at for at in times if at >= oldest_ms])
    return {"code": "0", "msg": "", "data": [[str(at), *prices, str(int(at + STEP_MS <= now_ms()))] for at, prices in reversed(rows)]}


ANSWERS: Mapping[str, Mapping[str, Answer]] = {
    BINANCE: {"/fapi/v1/markPriceKlines": _binance},
    BYBIT: {"/v5/market/mark-price-kline": _bybit},
    OKX: {"/api/v5/market/mark-price-candles": _okx_recent, "/api/v5/market/history-mark-price-candles": _okx},
}
