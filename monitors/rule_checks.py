"""Can this threshold rule work? The checks of the admin's form; a rule file, for a replay to try things, has to have its ladder in order; pure."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

from monitors.market import UNIT_OF_KIND, Kind, Unit, Venue

RUNGS = ("low", "moderate", "high", "extreme")
QUOTES = ("USDT", "USDC")
MAX_EVENTS = 10_000
MOST = {Unit.USD: Decimal(10) ** 12, Unit.PERCENT: Decimal(10) ** 7}  # all that is open on all venues is a fraction of the first


def normal_asset(text: str) -> str:
    """`text` as assets are kept: "btc " is BTC, "BEAM.BYBIT" one that is kept apart, empty any other. ValueError when it is a symbol or no asset."""
    asset = text.strip().upper()
    if not asset:
        return ""
    for quote in QUOTES:
        base = asset.removesuffix(f":{quote}").removesuffix(quote).rstrip("/-_")
        if base != asset and base:
            raise ValueError(f"Asset: write the asset only, {base} instead of {asset}.")
    name, _, venue = asset.partition(".")  # BEAM.BYBIT: kept apart from the others' BEAM
    if not name.isalnum() or venue and venue.lower() not in list(Venue):
        raise ValueError(f"Asset: letters and digits only, like BTC; got {asset}. Leave it empty for any other asset.")
    return asset


def problems(values: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with a rule's values: a message for each field concerned, empty when all is well."""
    return ladder_problems(values) | _size_problems(values) | _guard_problems(values)


def ladder_problems(values: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with its rungs alone: without them in their order there is no severity."""
    found: dict[str, str] = {}
    rungs: list[tuple[str, Decimal | None]] = [(name, values.get(name)) for name in RUNGS]
    for name, value in rungs:
        if value is not None and value <= 0:
            found[name] = f"{name.upper()} must be above 0."
    for (below, low), (above, high) in pairwise(rungs):
        if low is not None and high is not None and low >= high:
            found.setdefault(above, f"{above.upper()} must be above {below.upper()} ({_plain(low)}); got {_plain(high)}.")
    return found


def _size_problems(values: Mapping[str, Any]) -> dict[str, str]:
    unit = UNIT_OF_KIND[Kind(values["kind"])] if values.get("kind") else Unit.USD
    most = f"{MOST[unit]:,} {'dollars' if unit is Unit.USD else '%'}"
    return {
        name: f"{name.upper()} must be at most {most}: no market reaches more."
        for name in RUNGS
        if (value := values.get(name)) is not None and value > MOST[unit]
    }


def _guard_problems(values: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    min_usd, min_events, min_venues = (values.get(name) for name in ("min_usd", "min_events", "min_venues"))
    if min_usd is not None and min_usd < 0:
        found["min_usd"] = "Dollars, at least: must be 0 or more."
    if min_usd is not None and min_usd > MOST[Unit.USD]:
        found["min_usd"] = f"Dollars, at least: must be at most {MOST[Unit.USD]:,}: no market reaches more."
    if min_events is not None and min_events > MAX_EVENTS:
        found["min_events"] = f"Events, at least: {MAX_EVENTS:,} at most; no window ever holds more."
    if values.get("kind") == Kind.LIQUIDATION:
        if min_events not in (None, 1):
            found["min_events"] = "Events, at least: a liquidation is one event, so this must be 1; several events are a cascade."
        if min_venues not in (None, 1):
            found["min_venues"] = "Venues to confirm: a liquidation comes from one venue, so this must be 1."
    return found


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
