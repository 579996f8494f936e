"""What does a venue list, at which size and price? Asked over REST through ccxt; the one module that speaks it."""

import importlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from monitors.market import Contract, Venue
from monitors.venues.contracts import LONGEST_NAME, NOT_ASSETS, split_multiplier
from monitors.venues.wire import positive

log = logging.getLogger(__name__)

TIMEOUT_MS = 10_000
Json = Mapping[str, Any]

# ccxt's class of each venue, and what keeps load_markets from asking for spot, options and currencies.
CLIENTS: Mapping[Venue, tuple[str, dict[str, Any]]] = {
    Venue.BINANCE: ("binanceusdm", {"fetchCurrencies": False}),
    Venue.BYBIT: ("bybit", {"fetchMarkets": {"types": ["linear"]}, "defaultSubType": "linear"}),
    Venue.OKX: ("okx", {"defaultType": "swap", "fetchMarkets": {"types": ["swap"]}}),
}
BYBIT_CRYPTO = frozenset({"", "innovation", "adventure"})  # symbolType; stocks, commodities and forex have others
OKX_CRYPTO = frozenset({"", "1"})  # instCategory; 3 stocks, 4 commodities...


class MarketDataError(Exception):
    """The venue did not answer, or not in a way that is understood; the text is one clear line."""


@dataclass(frozen=True, slots=True)
class MarketFacts:
    """One contract as the venue lists it: `turnover_usd` of 24 h, `price_usd` per coin of the asset (None when unknown), `listed_at_ms` epoch."""

    contract: Contract
    turnover_usd: float
    price_usd: Decimal | None
    listed_at_ms: int | None


def open_client(venue: Venue, rest_url: str = "") -> Any:
    """A ccxt client of the venue's linear perpetuals; `rest_url` replaces the host of every address and keeps the paths."""
    ccxt = importlib.import_module("ccxt")  # 0.6 s and 73 MB that the monitor, the bot and the web process do without
    name, options = CLIENTS[venue]
    client = getattr(ccxt, name)({"timeout": TIMEOUT_MS, "enableRateLimit": True, "options": options})
    client.has["fetchCurrencies"] = False
    if rest_url:
        client.urls["api"] = {part: rest_url.rstrip("/") + urlsplit(url).path for part, url in client.urls["api"].items()}
    return client


def fetch_contracts(venue: Venue, rest_url: str = "") -> list[MarketFacts]:
    """The linear USDT and USDC perpetuals of crypto assets that trade now; raises MarketDataError."""
    client = open_client(venue, rest_url)
    ccxt = importlib.import_module("ccxt")
    try:
        markets, tickers = client.load_markets(), client.fetch_tickers()
        marks = tickers if venue is Venue.BYBIT else client.fetch_mark_prices()  # Bybit's tickers hold the marks
        found = list(_readable(venue, markets, tickers, marks))
    except ccxt.BaseError as error:
        raise MarketDataError(f"{venue.title} over REST: {type(error).__name__}: {_first_line(error)}") from error
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise MarketDataError(f"{venue.title} over REST: its answer is not understood ({type(error).__name__}: {_first_line(error)})") from error
    if not found:
        raise MarketDataError(f"{venue.title} over REST: it lists no perpetual at all")
    return found


def _readable(venue: Venue, markets: Json, tickers: Json, marks: Json) -> Iterator[MarketFacts]:
    """The facts of every contract that is ours; one that cannot be read never costs the others."""
    for symbol, market in markets.items():
        try:
            if _ours(venue, market):
                yield _facts(venue, market, tickers.get(symbol) or {}, marks.get(symbol) or {})
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            log.warning("%s: the contract %s cannot be read (%s: %s)", venue.title, symbol, type(error).__name__, error)


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:150]


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
