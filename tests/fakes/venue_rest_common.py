"""What do all venues' REST answers share? Which listings a query asks for, the clock, and candles."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.fakes.venue_markets import Listing, Markets

Query = Mapping[str, str]
Answer = Callable[[Markets, Query], Any]

DELIVERY_MS = 1_798_185_600_000  # 2026-12-25 08:00 UTC
DAY_MS = 86_400_000


class UnknownSymbol(LookupError):
    """The venue does not list the symbol that was asked for."""


def asked(markets: Markets, venue: str, query: Query) -> list[Listing]:
    """All listings of the venue, or the one that the query names; UnknownSymbol when there is none."""
    symbol = query.get("symbol", query.get("instId"))
    found = [listing for listing in markets.of(venue) if symbol in (None, listing.symbol)]
    if not found:
        raise UnknownSymbol(symbol)
    return found


def one(markets: Markets, venue: str, query: Query) -> Listing:
    """The one listing that the query has to name."""
    return asked(markets, venue, {"symbol": query.get("symbol", query.get("instId", ""))})[0]


def coins(listing: Listing) -> str:
    """The 24 h volume in coins of the contract's base."""
    return f"{(listing.turnover_usd / listing.price):.3f}"


def opens(step_ms: int, limit: int, start_ms: int | None, end_ms: int | None) -> list[int]:
    """The open times of `limit` candles, oldest first: from `start_ms` on, else the newest up to `end_ms`; the last may be unfinished."""
    newest = min(now_ms(), end_ms if end_ms is not None else now_ms()) // step_ms * step_ms
    first = newest - (limit - 1) * step_ms
    if start_ms is not None:
        first = -(-start_ms // step_ms) * step_ms
    return list(range(first, newest + 1, step_ms)[:limit])


def volume(markets: Markets, listing: Listing, opened_at_ms: int, step_ms: int) -> tuple[str, str]:
    """A share of the day's volume, in coins of the contract's base and in dollars: never the same, and larger where a test has pushed it."""
    usual = 1 + Decimal(opened_at_ms // step_ms * 7919 % 101 - 50) / 250  # within 20 %, the same for the same candle
    usd = listing.turnover_usd * step_ms / DAY_MS * usual * markets.pushed(listing, opened_at_ms)
    return f"{usd / listing.price:.6f}", f"{usd:.4f}"


def now_ms() -> int:
    """The venues' clock: the wall clock, unless a test has set it off."""
    return int(time.time() * 1000) + CLOCK.ahead_ms


@dataclass
class Clock:
    """How far the venues' clock is ahead of ours."""

    ahead_ms: int = 0


CLOCK = Clock()
