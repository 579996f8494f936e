"""What was the funding rate beside a change of open interest? Of each venue's contract with the most of it, as its last scan's answer carried it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from monitors.market import Signal, Venue
from monitors.models import OpenInterestSample
from monitors.sight import BLIND_AFTER, Contract

Contracts = Mapping[int, Contract]  # by the key of their rows


def beside(signals: Sequence[Signal], contracts: Contracts, now: datetime) -> list[Signal]:
    """The signals with the funding rates in their details: "binance=0.00012 bybit=0.0001/8" (of the position's value, and hours where they are told)."""
    assets = {signal.asset for signal in signals}
    rates = _rates({pk: contract for pk, contract in contracts.items() if contract.asset in assets}, now) if signals else {}
    found = {asset: " ".join(f"{venue}={told}" for venue, told in sorted(of_venue.items())) for asset, of_venue in rates.items()}
    return [replace(signal, details={**signal.details, "funding": found[signal.asset]}) if signal.asset in found else signal for signal in signals]


def _rates(contracts: Contracts, now: datetime) -> dict[str, dict[Venue, str]]:
    """By asset and venue, of the contract with the most open interest."""
    samples = OpenInterestSample.objects.filter(market__in=list(contracts), occurred_at__gt=now - BLIND_AFTER, funding_rate__isnull=False)
    rows = samples.order_by("market", "occurred_at").values_list("market", "oi_base", "funding_rate", "funding_hours")
    newest = {market: (coins, rate, hours) for market, coins, rate, hours in rows}
    rates: dict[str, dict[Venue, str]] = {}
    for market, (_, rate, hours) in sorted(newest.items(), key=lambda item: item[1][0]):  # the largest last
        contract = contracts[market]
        rates.setdefault(contract.asset, {})[contract.venue] = f"{rate:.8f}".rstrip("0").rstrip(".") + (f"/{hours}" if hours else "")
    return rates
