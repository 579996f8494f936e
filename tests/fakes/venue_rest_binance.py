"""What does Binance USD-M answer over REST? The shapes of its futures documentation."""

from typing import Any

from tests.fakes.venue_frames import Json
from tests.fakes.venue_markets import BINANCE, Listing, Markets
from tests.fakes.venue_rest_common import DELIVERY_MS, Answer, Query, asked, coins, now_ms, one, opens, volume

NEVER_MS = 4_133_404_800_000  # the delivery date of a perpetual
UNDERLYING_TYPE = {"coin": "COIN", "index": "INDEX", "stock": "EQUITY", "commodity": "COMMODITY", "premarket": "PREMARKET"}
STEP_MS = {"1m": 60_000, "5m": 300_000, "15m": 900_000, "1h": 3_600_000, "4h": 14_400_000, "1d": 86_400_000}


def _exchange_info(markets: Markets, query: Query) -> Json:
    return {
        "timezone": "UTC",
        "serverTime": now_ms(),
        "rateLimits": [],
        "exchangeFilters": [],
        "assets": [],
        "symbols": [_symbol(m) for m in markets.of(BINANCE)],
    }


def _symbol(listing: Listing) -> Json:
    dated = listing.term == "dated"
    usual = "TRADIFI_PERPETUAL" if listing.kind == "stock" else "PERPETUAL"
    return {
        "symbol": listing.symbol,
        "pair": listing.symbol.partition("_")[0],
        "contractType": "CURRENT_QUARTER" if dated else usual,
        "deliveryDate": DELIVERY_MS if dated else NEVER_MS,
        "onboardDate": listing.listed_ms,
        "status": "TRADING" if listing.trading else "SETTLING",
        "baseAsset": listing.base,
        "quoteAsset": listing.quote,
        "marginAsset": listing.quote,
        "pricePrecision": 7,
        "quantityPrecision": 3,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": UNDERLYING_TYPE[listing.kind],
        "underlyingSubType": [],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.0000001", "maxPrice": "10000000", "tickSize": "0.0000001"},
            {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "10000000", "stepSize": "0.001"},
            {"filterType": "MIN_NOTIONAL", "notional": "5"},
        ],
        "orderTypes": ["LIMIT", "MARKET"],
        "timeInForce": ["GTC", "IOC"],
    }


def _tickers(markets: Markets, query: Query) -> Any:
    rows = [
        {
            "symbol": listing.symbol,
            "priceChange": "0",
            "priceChangePercent": "0.000",
            "weightedAvgPrice": str(listing.price),
            "lastPrice": str(listing.price),
            "lastQty": "1",
            "openPrice": str(listing.price),
            "highPrice": str(listing.price),
            "lowPrice": str(listing.price),
            "volume": coins(listing),
            "quoteVolume": str(listing.turnover_usd),
            "openTime": now_ms() - 86_400_000,
            "closeTime": now_ms(),
            "firstId": 1,
            "lastId": 2,
            "count": 2,
        }
        for listing in asked(markets, BINANCE, query)
    ]
    return rows[0] if "symbol" in query else rows


def _premium_index(markets: Markets, query: Query) -> Any:
    rows = [
        {
            "symbol": listing.symbol,
            "markPrice": str(listing.price),
            "indexPrice": str(listing.price),
            "estimatedSettlePrice": str(listing.price),
            "lastFundingRate": "0.00010000",
            "interestRate": "0.00010000",
            "nextFundingTime": now_ms() + 3_600_000,
            "time": now_ms(),
        }
        for listing in asked(markets, BINANCE, query)
    ]
    return rows[0] if "symbol" in query else rows


def _open_interest(markets: Markets, query: Query) -> Json:
    listing = one(markets, BINANCE, query)
    return {"symbol": listing.symbol, "openInterest": str(listing.open_interest if listing.trading else 0), "time": now_ms()}


def _klines(markets: Markets, query: Query) -> list[list[Any]]:
    listing, step_ms = one(markets, BINANCE, query), STEP_MS[query["interval"]]
    price = str(listing.price)
    start, end = (int(query[name]) if name in query else None for name in ("startTime", "endTime"))
    times = opens(step_ms, int(query.get("limit", "500")), start, end)
    sizes = [(at, *volume(markets, listing, at, step_ms)) for at in times]
    return [[at, price, price, price, price, coins_of, at + step_ms - 1, usd, 1, "0", "0", "0"] for at, coins_of, usd in sizes]


ANSWERS: dict[str, Answer] = {
    "/fapi/v1/exchangeInfo": _exchange_info,
    "/fapi/v1/ticker/24hr": _tickers,
    "/fapi/v1/premiumIndex": _premium_index,
    "/fapi/v1/openInterest": _open_interest,
    "/fapi/v1/klines": _klines,
    "/fapi/v1/time": lambda markets, query: {"serverTime": now_ms()},
    "/fapi/v1/ping": lambda markets, query: {},
}


def unknown() -> tuple[int, Json]:
    """The answer for a symbol that is not listed."""
    return 400, {"code": -1121, "msg": "Invalid symbol."}
