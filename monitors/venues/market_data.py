"""What does a venue list, at which size and price? Asked over REST through ccxt."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from monitors.market import Contract, Venue
from monitors.venues.clients import client_of, understanding
from monitors.venues.contracts import LONGEST_NAME, NOT_ASSETS, split_multiplier
from monitors.venues.troubles import MarketDataError as MarketDataError
from monitors.venues.troubles import Trouble
from monitors.venues.wire import ODD, positive

log = logging.getLogger(__name__)

Json = Mapping[str, Any]

BYBIT_CRYPTO = frozenset({"", "innovation", "adventure"})  # symbolType; stocks, commodities and forex have others
OKX_CRYPTO = frozenset({"", "1"})  # instCategory; 3 stocks, 4 commodities...
TICKERS_COST = {Venue.BINANCE: 40}  # weight of all tickers at once; 1 elsewhere
MARKS_COST = {Venue.BINANCE: 10}


@dataclass(frozen=True, slots=True)
class MarketFacts:
    """One contract as the venue lists it: `turnover_usd` of 24 h, `price_usd` per coin of the asset (None when unknown), `listed_at_ms` epoch."""

    contract: Contract
    turnover_usd: float
    price_usd: Decimal | None
    listed_at_ms: int | None


def fetch_contracts(venue: Venue, rest_url: str = "") -> list[MarketFacts]:
    """The linear USDT and USDC perpetuals of crypto assets that trade now; raises MarketDataError."""
    client = client_of(venue, rest_url)
    markets, tickers = client.call("load_markets", True), client.call("fetch_tickers", cost=TICKERS_COST.get(venue, 1))
    # Bybit's tickers hold the marks
    marks = tickers if venue is Venue.BYBIT else client.call("fetch_mark_prices", cost=MARKS_COST.get(venue, 1))
    with understanding(venue):
        found = list(_readable(venue, markets, tickers, marks))
    if not found:
        raise MarketDataError(venue, Trouble.MALFORMED, "it lists no perpetual at all")
    return found


def _readable(venue: Venue, markets: Json, tickers: Json, marks: Json) -> Iterator[MarketFacts]:
    """The facts of every contract that is ours; one that cannot be read never costs the others."""
    for symbol, market in markets.items():
        try:
            if _ours(venue, market):
                yield _facts(venue, market, tickers.get(symbol) or {}, marks.get(symbol) or {})
        except ODD as error:
            log.warning("%s: the contract %s cannot be read (%s: %s)", venue.title, symbol, type(error).__name__, error)


def _ours(venue: Venue, market: Json) -> bool:
    """Whether the contract belongs to what we watch (the universe of each venue, by the venue's own fields)."""
    linear = market["swap"] and market["linear"] and market["quote"] in ("USDT", "USDC") and market["settle"] == market["quote"]
    fits = len(market["id"]) <= LONGEST_NAME and len(market["symbol"]) <= 64
    return bool(linear and fits and _IS_CRYPTO_PERPETUAL[venue](market["info"])) and split_multiplier(market["base"])[0] not in NOT_ASSETS


# Binance lists gold, equities and pre-market contracts as well, and over 100 that are SETTLING.
_IS_CRYPTO_PERPETUAL: Mapping[Venue, Callable[[Json], bool]] = {
    Venue.BINANCE: lambda info: (info["contractType"], info["underlyingType"], info["status"]) == ("PERPETUAL", "COIN", "TRADING"),
    Venue.BYBIT: lambda info: (
        (info["contractType"], info["status"]) == ("LinearPerpetual", "Trading") and info.get("symbolType", "") in BYBIT_CRYPTO and not info.get("isPreListing")
    ),
    Venue.OKX: lambda info: (info["ctType"], info["state"]) == ("linear", "live") and info.get("instCategory", "") in OKX_CRYPTO,
}


def _facts(venue: Venue, market: Json, ticker: Json, mark: Json) -> MarketFacts:
    info, quoted = market["info"], ticker.get("info") or {}
    asset, multiplier = split_multiplier(market["base"])
    size = positive(info["ctVal"]) * positive(info.get("ctMult") or "1") if venue is Venue.OKX else Decimal(1)
    contract = Contract(venue, market["id"], market["symbol"], asset, size, Decimal(multiplier))
    price = next(_prices(mark.get("markPrice"), (mark.get("info") or {}).get("markPrice"), ticker.get("last")), None)
    # OKX's tickers have no quote volume: coins times the last price
    turnover_usd = _product(quoted.get("volCcy24h"), ticker.get("last")) if venue is Venue.OKX else _product(ticker.get("quoteVolume"), 1)
    return MarketFacts(contract, turnover_usd, price and price / multiplier, market.get("created"))


def _prices(*candidates: Any) -> Iterator[Decimal]:
    for candidate in candidates:
        try:
            yield positive(candidate)
        except (ArithmeticError, ValueError):
            continue


def _product(amount: Any, price: Any) -> float:
    """Turnover in dollars; 0 when the venue does not say."""
    found = [*_prices(amount), *_prices(price)]
    return float(found[0] * found[1]) if len(found) == 2 else 0.0
