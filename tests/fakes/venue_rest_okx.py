"""What does OKX answer over REST? The shapes of its v5 documentation, instType SWAP."""

from decimal import Decimal

from tests.fakes.venue_frames import Json
from tests.fakes.venue_markets import OKX, Listing, Markets
from tests.fakes.venue_rest_common import Answer, Query, asked, coins, now_ms, one, opens, volume

INST_CATEGORY = {"coin": "1", "stock": "3", "commodity": "4"}
STEP_MS = {"1m": 60_000, "5m": 300_000, "15m": 900_000, "1H": 3_600_000, "4H": 14_400_000, "1Dutc": 86_400_000}


def _instruments(markets: Markets, query: Query) -> Json:
    return _data([*(_instrument(listing) for listing in asked(markets, OKX, query)), _PREOPEN])


def _instrument(listing: Listing) -> Json:
    family = listing.symbol.removesuffix("-SWAP")
    return {
        "instType": "SWAP",
        "instId": listing.symbol,
        "instFamily": family,
        "uly": family,
        "instCategory": INST_CATEGORY[listing.kind],
        "category": "1",
        "baseCcy": "",
        "quoteCcy": "",
        "settleCcy": listing.base if listing.inverse else listing.quote,
        "ctVal": listing.contract_size,
        "ctMult": "1",
        "ctValCcy": "USD" if listing.inverse else listing.base,
        "ctType": "inverse" if listing.inverse else "linear",
        "state": "live" if listing.trading else "suspend",
        "listTime": str(listing.listed_ms),
        "expTime": "",
        "lever": "100",
        "tickSz": "0.0000001",
        "lotSz": "0.01",
        "minSz": "0.01",
        "ruleType": "normal",
        "alias": "",
        "optType": "",
        "stk": "",
    }


def _tickers(markets: Markets, query: Query) -> Json:
    return _data([
        {
            "instType": "SWAP",
            "instId": listing.symbol,
            "last": str(listing.price),
            "lastSz": "1",
            "askPx": str(listing.price),
            "askSz": "1",
            "bidPx": str(listing.price),
            "bidSz": "1",
            "open24h": str(listing.price),
            "high24h": str(listing.price),
            "low24h": str(listing.price),
            "vol24h": str(Decimal(coins(listing)) / Decimal(listing.contract_size)),
            "volCcy24h": coins(listing),
            "sodUtc0": str(listing.price),
            "sodUtc8": str(listing.price),
            "ts": str(now_ms()),
        }
        for listing in asked(markets, OKX, query)
    ])  # fmt: skip


def _mark_prices(markets: Markets, query: Query) -> Json:
    return _data([{"instType": "SWAP", "instId": m.symbol, "markPx": str(m.price), "ts": str(now_ms())} for m in asked(markets, OKX, query)])


def _open_interest(markets: Markets, query: Query) -> Json:
    return _data([_interest(listing) for listing in asked(markets, OKX, query)])


def _interest(listing: Listing) -> Json:
    dollars = listing.open_interest * listing.price
    contracts = (dollars if listing.inverse else listing.open_interest) / Decimal(listing.contract_size)
    return {
        "instType": "SWAP",
        "instId": listing.symbol,
        "oi": f"{contracts:f}",
        "oiCcy": f"{listing.open_interest:f}",
        "oiUsd": f"{dollars:f}",
        "ts": str(now_ms()),
    }


def _candles(markets: Markets, query: Query) -> Json:
    """`after` and `before` are exclusive bounds of the open time: older than the one, newer than the other."""
    listing, step_ms = one(markets, OKX, query), STEP_MS[query["bar"]]
    price = str(listing.price)
    start = int(query["before"]) + 1 if "before" in query else None
    end = int(query["after"]) - 1 if "after" in query else None
    times = opens(step_ms, int(query.get("limit", "100")), start, end)
    sizes = [(at, *volume(markets, listing, at, step_ms)) for at in reversed(times)]
    return _data([
        [str(at), price, price, price, price, str(Decimal(size) / Decimal(listing.contract_size)), size, usd, str(int(at + step_ms <= now_ms()))]
        for at, size, usd in sizes
    ])  # fmt: skip


def _data(rows: list[Json] | list[list[str]]) -> Json:
    return {"code": "0", "msg": "", "data": rows}


_PREOPEN = dict.fromkeys(_instrument(Listing(OKX, "", "", "", "", Decimal(1), Decimal(1), Decimal(1))), "") | {
    "instId": "ETH-USD_UM-SWAP",
    "instType": "SWAP",
    "state": "preopen",
}

ANSWERS: dict[str, Answer] = {
    "/api/v5/public/instruments": _instruments,
    "/api/v5/market/tickers": _tickers,
    "/api/v5/public/mark-price": _mark_prices,
    "/api/v5/public/open-interest": _open_interest,
    "/api/v5/market/candles": _candles,
    "/api/v5/market/history-candles": _candles,
    "/api/v5/public/time": lambda markets, query: _data([{"ts": str(now_ms())}]),
}


def unknown() -> tuple[int, Json]:
    """The answer for an instrument that is not listed."""
    return 200, {"code": "51001", "msg": "Instrument ID, Instrument ID code, or Spread ID doesn't exist.", "data": []}
