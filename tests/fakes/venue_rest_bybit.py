"""What does Bybit answer over REST? The shapes of its v5 documentation, category linear."""

import time

from tests.fakes.venue_frames import Json
from tests.fakes.venue_markets import BYBIT, Listing, Markets
from tests.fakes.venue_rest_common import DELIVERY_MS, Answer, Query, asked, coins, now_ms, one, opens, volume

SYMBOL_TYPE = {"coin": "", "stock": "stock", "commodity": "commodity"}
STEP_MS = {"1": 60_000, "5": 300_000, "15": 900_000, "60": 3_600_000, "240": 14_400_000, "D": 86_400_000}


def _instruments_info(markets: Markets, query: Query) -> Json:
    wanted = asked(markets, BYBIT, query) if query.get("category") == "linear" and query.get("status", "Trading") == "Trading" else []
    return _result({"category": query.get("category", ""), "list": [_instrument_info(listing) for listing in wanted], "nextPageCursor": ""})


def _instrument_info(listing: Listing) -> Json:
    return {
        "symbol": listing.symbol,
        "contractType": "LinearFutures" if listing.term == "dated" else "LinearPerpetual",
        "status": "Trading" if listing.trading else "Delivering",
        "baseCoin": listing.base,
        "quoteCoin": listing.quote,
        "settleCoin": listing.quote,
        "symbolType": SYMBOL_TYPE[listing.kind],
        "launchTime": str(listing.listed_ms),
        "deliveryTime": str(DELIVERY_MS if listing.term == "dated" else 0),
        "deliveryFeeRate": "",
        "priceScale": "7",
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
        "priceFilter": {"minPrice": "0.0000001", "maxPrice": "1999999.8", "tickSize": "0.0000001"},
        "lotSizeFilter": {"minOrderQty": "0.001", "maxOrderQty": "10000000", "qtyStep": "0.001", "minNotionalValue": "5"},
        "unifiedMarginTrade": True,
        "fundingInterval": 480,
        "isPreListing": False,
    }


def _tickers(markets: Markets, query: Query) -> Json:
    rows = [
        {
            "symbol": listing.symbol,
            "lastPrice": str(listing.price),
            "indexPrice": str(listing.price),
            "markPrice": str(listing.price),
            "prevPrice24h": str(listing.price),
            "price24hPcnt": "0",
            "highPrice24h": str(listing.price),
            "lowPrice24h": str(listing.price),
            "openInterest": str(listing.open_interest * 2),  # both sides
            "singleOpenInterest": str(listing.open_interest),
            "openInterestValue": str(listing.open_interest * 2 * listing.price),
            "turnover24h": str(listing.turnover_usd),
            "volume24h": coins(listing),
            "fundingRate": "0.0001",
            "fundingIntervalHour": "8",
            "nextFundingTime": str(now_ms() + 3_600_000),
            "ask1Price": str(listing.price),
            "bid1Price": str(listing.price),
            "ask1Size": "1",
            "bid1Size": "1",
        }
        for listing in asked(markets, BYBIT, query)
    ]
    return _result({"category": query.get("category", ""), "list": rows})


def _kline(markets: Markets, query: Query) -> Json:
    listing, step_ms = one(markets, BYBIT, query), STEP_MS[query["interval"]]
    price = str(listing.price)
    start, end = (int(query[name]) if name in query else None for name in ("start", "end"))
    times = opens(step_ms, int(query.get("limit", "200")), start, end)
    rows = [[str(at), price, price, price, price, *volume(markets, listing, at, step_ms)] for at in reversed(times)]
    return _result({"category": "linear", "symbol": listing.symbol, "list": rows})


def _time(markets: Markets, query: Query) -> Json:
    return _result({"timeSecond": str(now_ms() // 1000), "timeNano": str(time.time_ns())})


def _result(result: Json) -> Json:
    return {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": now_ms()}


ANSWERS: dict[str, Answer] = {
    "/v5/market/instruments-info": _instruments_info,
    "/v5/market/tickers": _tickers,
    "/v5/market/kline": _kline,
    "/v5/market/time": _time,
}


def unknown() -> tuple[int, Json]:
    """The answer for a symbol that is not listed."""
    return 200, {"retCode": 10001, "retMsg": "params error: symbol invalid", "result": {}, "retExtInfo": {}, "time": now_ms()}
