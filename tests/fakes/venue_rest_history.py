"""What do the venues answer about past open interest? Their documented statistics, with their limits: how many, how far back, in which unit."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tests.fakes.venue_markets import BINANCE, BYBIT, OKX, Listing, Markets
from tests.fakes.venue_rest_common import DAY_MS, Answer, Query, now_ms, one

STEP_MS = 300_000
BINANCE_BACK_MS = 30 * DAY_MS
OKX_BACK_STEPS = 1_440
BYBIT_STEPS_MS = {"5min": STEP_MS, "15min": 3 * STEP_MS, "30min": 6 * STEP_MS, "1h": 12 * STEP_MS, "4h": 48 * STEP_MS, "1d": DAY_MS}


class Refused(ValueError):
    """A request that the venue does not accept: status and body."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(body)
        self.answer = (status, body)


def past(listing: Listing, at_ms: int) -> Decimal:
    """Open interest of then, one side, in coins of the contract's base: within 0.1 % of today's, the same for the same moment."""
    return listing.open_interest * (1 + Decimal(at_ms // STEP_MS * 7919 % 11 - 5) / 5_000)


def _steps(listing: Listing, start_ms: int, end_ms: int, step_ms: int = STEP_MS) -> list[int]:
    """Every step from `start_ms` to `end_ms`, both included, since the listing, newest first."""
    newest = min(end_ms, now_ms()) // step_ms * step_ms
    return list(range(newest, max(start_ms, listing.listed_ms) - 1, -step_ms))


def _binance(markets: Markets, query: Query) -> list[dict[str, Any]]:
    listing, limit = one(markets, BINANCE, query), int(query.get("limit", "30"))
    start, end = int(query.get("startTime", now_ms() - BINANCE_BACK_MS)), int(query.get("endTime", now_ms()))
    if start < now_ms() - BINANCE_BACK_MS - STEP_MS:
        raise Refused(400, {"code": -1130, "msg": "Data sent for parameter 'startTime' is not valid."})
    if query.get("period") != "5m" or limit > 500:
        raise Refused(400, {"code": -1130, "msg": "Data sent for parameter 'limit' is not valid."})
    return [
        {
            "symbol": listing.symbol,
            "sumOpenInterest": f"{past(listing, at):.8f}",
            "sumOpenInterestValue": f"{past(listing, at) * listing.price:.8f}",
            "timestamp": at,
        }
        for at in reversed(_steps(listing, start, end)[:limit])
    ]


def _bybit(markets: Markets, query: Query) -> dict[str, Any]:
    """Both sides, as in the tickers."""
    listing, limit = one(markets, BYBIT, query), int(query.get("limit", "50"))
    if query.get("category") != "linear" or query.get("intervalTime") not in BYBIT_STEPS_MS or limit > 200:
        return {"retCode": 10001, "retMsg": "params error", "result": {}, "retExtInfo": {}, "time": now_ms()}
    times = _steps(listing, int(query.get("startTime", "0")), int(query.get("endTime", now_ms())), BYBIT_STEPS_MS[query["intervalTime"]])[:limit]
    rows = [{"openInterest": f"{past(listing, at) * 2:.8f}", "timestamp": str(at)} for at in times]
    result = {"symbol": listing.symbol, "category": "linear", "list": rows, "nextPageCursor": ""}
    return {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": now_ms()}


def _okx(markets: Markets, query: Query) -> dict[str, Any]:
    """`begin` and `end` are exclusive; contracts, coins and dollars."""
    listing, limit = one(markets, OKX, query), int(query.get("limit", "100"))
    if query.get("period") != "5m" or limit > 100:
        return {"code": "51000", "msg": "Parameter period error", "data": []}
    oldest = now_ms() - OKX_BACK_STEPS * STEP_MS
    times = _steps(listing, max(int(query.get("begin", "0")) + 1, oldest), int(query.get("end", now_ms() + 1)) - 1)[:limit]
    sizes = [(at, past(listing, at)) for at in times]
    rows = [[str(at), f"{coins / Decimal(listing.contract_size):f}", f"{coins:f}", f"{coins * listing.price:f}"] for at, coins in sizes]
    return {"code": "0", "msg": "", "data": rows}


ANSWERS: Mapping[str, Mapping[str, Answer]] = {
    BINANCE: {"/futures/data/openInterestHist": _binance},
    BYBIT: {"/v5/market/open-interest": _bybit},
    OKX: {"/api/v5/rubik/stat/contracts/open-interest-history": _okx},
}
