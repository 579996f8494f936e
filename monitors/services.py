"""What is done to the stored market? Contracts are refreshed, and what is too old goes."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction

from monitors.joining import assets_of
from monitors.market import Contract, Venue, from_epoch_ms
from monitors.models import Liquidation, Market, Signal
from monitors.venues.market_data import MarketDataError, MarketFacts, fetch_contracts

log = logging.getLogger(__name__)

CHUNK = 2_000  # rows deleted at a time, so that no writer waits long
PRUNE_SLICE_S = 30.0  # then the rest is left to the next run: a task must stay under its time limit
MARKET_FIELDS = ["symbol", "asset", "contract_size", "multiplier", "active", "listed_at", "turnover_usd", "refreshed_at"]

Found = Mapping[Venue, Sequence[MarketFacts]]


def refresh_markets(now: datetime, fetch: Callable[[Venue, str], Sequence[MarketFacts]] = fetch_contracts) -> int:
    """Ask every watched venue for its contracts and store them; return how many trade. A venue that fails leaves the others, and its own rows."""
    with ThreadPoolExecutor(len(Venue)) as pool:  # all at once, because three slow venues in a row would pass the task's time limit
        answers = {venue: pool.submit(fetch, venue, getattr(settings, f"{venue.upper()}_REST_URL")) for venue in settings.VENUES}
    found: dict[Venue, Sequence[MarketFacts]] = {}
    for venue, answer in answers.items():
        try:
            found[venue] = answer.result()
        except MarketDataError as error:
            log.warning("%s; its contracts stay as they are", error)
    store_markets(found, now)
    return sum(len(facts) for facts in found.values())


def store_markets(found: Found, now: datetime) -> None:
    """Store the contracts of the venues that answered; those that vanished there become inactive."""
    assets = _assets(found)
    rows = [_as_row(fact, assets[fact.contract], now) for facts in found.values() for fact in facts]
    with transaction.atomic():
        Market.objects.bulk_create(rows, update_conflicts=True, unique_fields=["venue", "venue_symbol"], update_fields=MARKET_FIELDS, batch_size=500)
        Market.objects.filter(venue__in=list(found), active=True, refreshed_at__lt=now).update(active=False)


def _assets(found: Found) -> Mapping[Contract, str]:
    """The asset of each contract. While a venue is missing its prices are, too: contracts that are known then stay what they are."""
    assets = assets_of([fact for facts in found.values() for fact in facts])
    if set(found) >= set(settings.VENUES):
        return assets
    stored = {(venue, symbol): asset for venue, symbol, asset in Market.objects.order_by().values_list("venue", "venue_symbol", "asset")}
    return {contract: stored.get((contract.venue, contract.venue_symbol), asset) for contract, asset in assets.items()}


def _as_row(fact: MarketFacts, asset: str, now: datetime) -> Market:
    contract = fact.contract
    return Market(
        venue=contract.venue,
        venue_symbol=contract.venue_symbol,
        symbol=contract.symbol,
        asset=asset[:32],
        contract_size=contract.contract_size,
        multiplier=contract.multiplier,
        active=True,
        listed_at=from_epoch_ms(fact.listed_at_ms) if fact.listed_at_ms else None,
        turnover_usd=fact.turnover_usd,
        refreshed_at=now,
    )


def prune(now: datetime) -> int:
    """Delete liquidations older than the retention, and decided signals of then that belong to no alert; return how many rows."""
    before = now - timedelta(days=settings.LIQUIDATION_RETENTION_DAYS)
    unneeded = Signal.objects.filter(received_at__lt=before, decided_at__isnull=False, decision__alert=None)  # `decision`: the trigger engine's, by its name
    until = time.monotonic() + PRUNE_SLICE_S
    return _delete(Liquidation.objects.filter(received_at__lt=before), until) + _delete(unneeded, until)


def _delete(rows: "models.QuerySet[Any]", until: float) -> int:
    deleted = 0
    while time.monotonic() < until:
        keys = list(rows.order_by().values_list("pk", flat=True)[:CHUNK])
        if not keys:
            break
        rows.model._default_manager.filter(pk__in=keys).delete()
        deleted += len(keys)
    return deleted
