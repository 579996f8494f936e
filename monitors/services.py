"""What do the venues list? Their contracts, asked for and stored."""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.db import transaction

from monitors.joining import Joined, join
from monitors.market import Contract, Venue, from_epoch_ms
from monitors.models import BackfillCursor, CandleRow, Market, OpenInterestSample
from monitors.venues.market_data import MarketDataError, MarketFacts, fetch_contracts

log = logging.getLogger(__name__)

MARKET_FIELDS = ["symbol", "asset", "contract_size", "multiplier", "active", "listed_at", "turnover_usd", "apart", "refreshed_at"]

Found = Mapping[Venue, Sequence[MarketFacts]]
Stored = Mapping[tuple[str, str], Market]  # by venue and its symbol


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
    stored = {(row.venue, row.venue_symbol): row for row in Market.objects.order_by()}
    joined = _joined(found, stored)
    rows = [
        _as_row(fact, joined[fact.contract], stored.get((fact.contract.venue, fact.contract.venue_symbol)), now) for facts in found.values() for fact in facts
    ]
    with transaction.atomic():
        Market.objects.bulk_create(rows, update_conflicts=True, unique_fields=["venue", "venue_symbol"], update_fields=MARKET_FIELDS, batch_size=500)
        Market.objects.filter(venue__in=list(found), active=True, refreshed_at__lt=now).update(active=False)
        _forget([row for fact in rows if (row := stored.get((fact.venue, fact.venue_symbol))) and row.multiplier != fact.multiplier])


def _forget(markets: Sequence[Market]) -> None:
    """What is stored of contracts whose coins are counted otherwise from now on would be a jump that never was."""
    for kept in (OpenInterestSample, CandleRow, BackfillCursor):
        kept._default_manager.filter(market__in=markets).delete()


def _joined(found: Found, stored: Stored) -> Mapping[Contract, Joined]:
    """The asset of each contract. While a venue is missing its prices are, too: contracts that are known then stay what they are."""
    joined = join([fact for facts in found.values() for fact in facts])
    if set(found) >= set(settings.VENUES):
        return joined
    known = {contract: stored.get((contract.venue, contract.venue_symbol)) for contract in joined}
    return {contract: Joined(replace(each.contract, asset=row.asset, multiplier=row.multiplier), row.apart) if (row := known[contract]) else each
            for contract, each in joined.items()}  # fmt: skip


def _as_row(fact: MarketFacts, joined: Joined, stored: Market | None, now: datetime) -> Market:
    contract = joined.contract
    listed_at = from_epoch_ms(fact.listed_at_ms) if fact.listed_at_ms else None
    return Market(
        venue=contract.venue,
        venue_symbol=contract.venue_symbol,
        symbol=contract.symbol,
        asset=contract.asset[:32],
        contract_size=contract.contract_size,
        multiplier=contract.multiplier,
        active=True,
        listed_at=listed_at or (stored.listed_at if stored else None),
        turnover_usd=fact.turnover_usd,
        apart=joined.apart[:200],
        refreshed_at=now,
    )
