"""Values that tests start from: make_*() with sensible numbers, times in ms after `NOW_MS`."""

from decimal import Decimal
from typing import Any

from alerts.rules.incident import Incident
from monitors.market import Direction, Kind, Liquidation, Signal, Venue
from monitors.thresholds import Rule, Rulebook

NOW_MS = 1_783_771_200_000
LADDER = {"low": 1_000, "moderate": 2_000, "high": 4_000, "extreme": 8_000}


def make_liquidation(usd: float | str = 1_000, after_ms: int = 0, **fields: Any) -> Liquidation:
    """A Bybit long of `usd` dollars at a price of 1, stamped `after_ms` after `NOW_MS`."""
    dollars = Decimal(str(usd))
    values = {"venue": Venue.BYBIT, "symbol": "BTC/USDT:USDT", "asset": "BTC", "position_side": Direction.LONG, "price": Decimal(1)}
    return Liquidation(**{**values, "quantity_base": dollars, "notional_usd": dollars, "occurred_at_ms": NOW_MS + after_ms, **fields})


def make_signal(value: float | str | Decimal = 1_000, after_ms: int = 0, kind: Kind = Kind.CASCADE, **fields: Any) -> Signal:
    """A cascade of BTC longs on one venue, its frame received `after_ms` after `NOW_MS`."""
    dollars = Decimal(str(value))
    at_ms = NOW_MS + after_ms
    fields["venues"] = {venue: Decimal(str(part)) for venue, part in fields.get("venues", {Venue.BYBIT: value}).items()}
    values = {"kind": kind, "asset": "BTC", "direction": Direction.LONG, "value": dollars, "count": 7, "window_s": 30}
    return Signal(**{**values, "occurred_at_ms": at_ms - 100, "received_at_ms": at_ms, "listed_on": 3, "price": Decimal("62310"), **fields})


def make_rule(kind: Kind = Kind.CASCADE, asset: str = "", **fields: Any) -> Rule:
    """LOW at $1,000, each rung twice the one below; two events and one venue are enough; 300 s of cooldown."""
    usual = {"window_s": 30, "min_events": 2 if kind is Kind.CASCADE else 1, "min_venues": 1, "min_usd": 0, "cooldown_s": 300}
    given: dict[str, Any] = {**LADDER, **usual, **fields}
    values: dict[str, Any] = {name: Decimal(str(value)) if name in (*LADDER, "min_usd") else value for name, value in given.items()}
    return Rule(kind, asset, **values)


def make_rulebook(*rules: Rule, custom_floors: dict[tuple[Kind, str], Decimal] | None = None) -> Rulebook:
    """`rules`, or one for liquidations and one for cascades of any asset."""
    return Rulebook.of(rules or (make_rule(Kind.LIQUIDATION), make_rule(Kind.CASCADE)), custom_floors)


def make_incident(step: int = 1, after_ms: int = 0, kind: Kind = Kind.CASCADE, **fields: Any) -> Incident:
    """An open incident at `step`, opened and last seen `after_ms` after `NOW_MS`."""
    at_ms, peak = NOW_MS + after_ms, make_signal(after_ms=after_ms, kind=kind)
    values = {"kind": kind, "step": step, "opened_at_ms": at_ms, "last_seen_ms": at_ms, "newest_signal_ms": at_ms, "peak": peak, "rule": make_rule(kind)}
    return Incident(**{**values, "unconfirmed": False, **fields})
