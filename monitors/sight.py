"""Which venues see an asset now? Those whose scans answer; the others that list it are blind, and their old data counts for nothing."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from monitors import selectors
from monitors.detectors.scan_signals import Coverage
from monitors.market import Kind, Venue
from monitors.models import Market, ScanStatus

BLIND_AFTER = timedelta(seconds=150)  # without a scan that brought data: two were missed
DUE_AFTER = timedelta(seconds=45)  # since a venue's last scan began: the next one is about to come, for there is one each minute ...
MISSED_AFTER = timedelta(seconds=90)  # ... and since it ended: the next one has missed its turn
MATURE_AFTER = timedelta(hours=24)  # after its listing: until then a contract is sampled and raises nothing
TOO_YOUNG = "listed for less than 24 h"
LEFT_TO_ANOTHER = "left to another venue's scan that is about to come"


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract that may raise something."""

    venue: Venue
    symbol: str
    asset: str


@dataclass(frozen=True, slots=True)
class Sight:
    """The mature contracts of some assets by the key of their rows, the venues that see, and those of them whose next scan is about to come.

    `unknown` are the venues that have not told their contracts yet: each asset may be listed there.
    """

    contracts: Mapping[int, Contract]
    live: frozenset[Venue]
    awaited: frozenset[Venue] = frozenset()
    unknown: frozenset[Venue] = frozenset()

    def coverage(self) -> dict[str, Coverage]:
        """The live and the blind venues of each asset; one without a mature contract is missing."""
        listing: dict[str, set[Venue]] = defaultdict(set)
        for contract in self.contracts.values():
            listing[contract.asset].add(contract.venue)
        return {asset: self._coverage(venues) for asset, venues in listing.items()}

    def waits(self, coverage: Coverage) -> bool:
        """Whether to leave an asset to a scan that is about to come: what all venues show at once is one message, not one and its correction."""
        return not self.awaited.isdisjoint(coverage.live)

    def of(self, assets: Collection[str]) -> dict[int, Contract]:
        """The contracts of these assets at venues that see."""
        return {pk: contract for pk, contract in self.contracts.items() if contract.asset in assets and contract.venue in self.live}

    def _coverage(self, venues: Iterable[Venue]) -> Coverage:
        listed = sorted({*venues, *self.unknown}, key=list(Venue).index)
        return Coverage(tuple(venue for venue in listed if venue in self.live), tuple(venue for venue in listed if venue not in self.live))


def sight(kind: Kind, assets: Collection[str], now: datetime) -> Sight:
    """What is known of these assets, by the scans of this kind."""
    rows = Market.objects.filter(active=True, venue__in=settings.VENUES, asset__in=assets).exclude(listed_at__gt=now - MATURE_AFTER).order_by()
    contracts = {pk: Contract(Venue(venue), symbol, asset) for pk, venue, symbol, asset in rows.values_list("pk", "venue", "symbol", "asset")}
    statuses = [status for status in ScanStatus.objects.filter(kind=kind, venue__in=settings.VENUES) if not blindness(status, now)]
    awaited = frozenset(Venue(status.venue) for status in statuses if _about_to_come(status, now))
    return Sight(contracts, frozenset(Venue(status.venue) for status in statuses), awaited, frozenset(selectors.venues_without_contracts()))


def _about_to_come(status: ScanStatus, now: datetime) -> bool:
    if status.started_at is None:
        return False
    since = now - status.started_at
    return since >= DUE_AFTER and since - timedelta(milliseconds=status.duration_ms) <= MISSED_AFTER


def blindness(status: ScanStatus, now: datetime) -> str:
    """Why this venue's scans do not see the market now; "" when they do."""
    if status.paused_until is not None and status.paused_until > now:
        return "; ".join(filter(None, (f"paused until {status.paused_until:%H:%M:%S} UTC", status.note)))
    if status.succeeded_at is None:
        return status.note or "no scan has brought data yet"
    if now - status.succeeded_at > BLIND_AFTER:
        return status.note or f"no data since {status.succeeded_at:%H:%M:%S} UTC"
    return ""


def scan_troubles(now: datetime) -> dict[Venue, str]:
    """What the scans of each venue do not see now, in words; nothing of a venue whose scans are well or have not begun."""
    found: dict[Venue, str] = {}
    for status in ScanStatus.objects.filter(venue__in=settings.VENUES).order_by("kind"):
        if why := blindness(status, now):
            found[Venue(status.venue)] = "; ".join(filter(None, (found.get(Venue(status.venue)), f"{status.get_kind_display()} blind: {why}")))
    return found
