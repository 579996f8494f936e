"""What is missing of the past, and in which order is it wanted? The cursors of the backfill."""

import heapq
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q, Sum

from monitors import backfill_rows, selectors
from monitors.detectors.baseline import SAME_TIME_DAYS
from monitors.market import Candle, OpenInterest, Venue
from monitors.models import BackfillCursor, Lease, Market, OpenInterestSample
from monitors.venues.troubles import LimitReached, MarketDataError, Trouble

log = logging.getLogger(__name__)

CANDLES, OPEN_INTEREST = "candles", "open_interest"
SPANS = {
    CANDLES: timedelta(days=SAME_TIME_DAYS, hours=1),  # a volume baseline
    OPEN_INTEREST: timedelta(days=29),  # Binance has 30 and refuses what is older; Bybit and OKX end where they have no more
}
DOWN_AFTER = timedelta(minutes=15)  # without a run: what was missed since then is filled in as well
ODD_UNITS = "its past is counted otherwise than its live open interest: not used"
Lane = tuple[Venue, str]  # venue and feed


@dataclass(frozen=True, slots=True)
class Brought:
    """One answer: everything from `reached_at` on is known now (None: the venue has nothing older)."""

    reached_at: datetime | None
    samples: Sequence[OpenInterest] = ()
    candles: Sequence[Candle] = ()


@dataclass(slots=True)
class Line:
    """The unfinished cursors of one venue and feed: those without a page first, then asset by asset in the order of the watched."""

    ranks: Mapping[str, int]
    _heap: list[tuple[bool, int, int, BackfillCursor]] = field(default_factory=list)

    def put(self, cursor: BackfillCursor) -> None:
        """Into its place."""
        begun = cursor.feed == OPEN_INTEREST and cursor.reached_at < cursor.began_at  # a first page lets detection begin, and takes one request
        heapq.heappush(self._heap, (begun, self.ranks[cursor.market.asset], cursor.pk, cursor))

    def take(self) -> BackfillCursor | None:
        """The first, out of the line."""
        return heapq.heappop(self._heap)[-1] if self._heap else None


def last_run_at(lease: str) -> datetime | None:
    """When the backfill ran last; None before its first time."""
    return Lease.objects.filter(name=lease).values_list("until", flat=True).first()


def prepare(now: datetime, last_run: datetime | None) -> None:
    """Give every contract of the scanned assets its cursors; after a downtime, have the gap filled in."""
    scanned = _scanned()
    known = set(BackfillCursor.objects.values_list("market_id", "feed"))
    missing = [(market, feed) for market in scanned for feed in SPANS if (market.pk, feed) not in known]
    BackfillCursor.objects.bulk_create([_cursor(market, feed, now) for market, feed in missing], ignore_conflicts=True)
    if last_run is not None and now - last_run > DOWN_AFTER:
        again = BackfillCursor.objects.filter(market__in=scanned, began_at__lt=now)
        again.filter(done=True).exclude(note=ODD_UNITS).update(from_at=last_run - DOWN_AFTER, began_at=now, reached_at=now, done=False)
        again.filter(done=False).update(began_at=now, reached_at=now)
    for feed, span in SPANS.items():
        BackfillCursor.objects.filter(feed=feed, done=False, from_at__lt=now - span).update(from_at=now - span)


def waiting(now: datetime) -> dict[Lane, Line]:
    """The cursors to be followed now, by venue and feed.

    Open interest waits for a live sample of the contract: units are compared before the past is believed.
    """
    ranks = {asset: rank for rank, asset in enumerate(selectors.scanned_assets())}
    cursors = list(BackfillCursor.objects.filter(done=False, market__active=True, market__venue__in=settings.VENUES).select_related("market"))
    of_interest = [cursor.market_id for cursor in cursors if cursor.feed == OPEN_INTEREST]
    recent = OpenInterestSample.objects.filter(market__in=of_interest, occurred_at__gte=now - backfill_rows.SEAM)  # by their index: there are millions
    sampled = set(recent.order_by().values_list("market_id", flat=True).distinct())
    lines: dict[Lane, Line] = {}
    for cursor in cursors:
        if cursor.market.asset in ranks and (cursor.feed == CANDLES or cursor.market_id in sampled):
            lines.setdefault((Venue(cursor.market.venue), cursor.feed), Line(ranks)).put(cursor)
    return lines


def keep(cursor: BackfillCursor, brought: Brought, now: datetime) -> int:
    """Store what came and move the cursor, both or neither; returns how many rows came."""
    if brought.samples and cursor.reached_at == cursor.began_at and not backfill_rows.like_live(cursor.market, brought.samples[-1]):
        log.warning("Backfill: %s: %s", cursor.market, ODD_UNITS)
        _move(cursor, cursor.reached_at, True, ODD_UNITS, now)
        return 0
    with transaction.atomic():
        count = backfill_rows.store_samples(cursor, brought.samples, now) + backfill_rows.store_candles(cursor, brought.candles)
        cursor.rows += count
        reached_at = brought.reached_at
        if reached_at is None or reached_at >= cursor.reached_at:
            _move(cursor, cursor.reached_at, True, "the venue has nothing older", now)
        else:
            _move(cursor, reached_at, reached_at <= cursor.from_at, "", now)
    return count


def trouble(cursor: BackfillCursor, error: MarketDataError, now: datetime) -> None:
    """Keep why nothing came; a contract that the venue refuses is not asked for again."""
    known = isinstance(error, LimitReached) and error.begun  # told by whoever met it
    if cursor.note != str(error)[:200] and not known:
        log.warning("Backfill: %s: %s", cursor.market, error)
    _move(cursor, cursor.reached_at, error.trouble is Trouble.REFUSED, str(error), now)


def progress() -> str:
    """How far it is: `candles 12 of 150 contracts, open interest 3 of 150; 51,200 rows`."""
    counts = BackfillCursor.objects.filter(market__active=True).order_by("feed").values("feed")
    found = counts.annotate(done_=Count("pk", filter=Q(done=True)), all_=Count("pk"), rows_=Sum("rows"))
    parts = [f"{row['feed'].replace('_', ' ')} {row['done_']} of {row['all_']} contracts" for row in found]
    return f"{', '.join(parts)}; {sum(row['rows_'] for row in found):,} rows"


def _scanned() -> list[Market]:
    return list(Market.objects.filter(active=True, venue__in=settings.VENUES, asset__in=selectors.scanned_assets()))


def _cursor(market: Market, feed: str, now: datetime) -> BackfillCursor:
    from_at = max(now - SPANS[feed], market.listed_at or now - SPANS[feed])
    return BackfillCursor(market=market, feed=feed, from_at=from_at, began_at=now, reached_at=now, updated_at=now)


def _move(cursor: BackfillCursor, reached_at: datetime, done: bool, note: str, now: datetime) -> None:
    cursor.reached_at, cursor.done, cursor.note, cursor.updated_at = reached_at, done, note[:200], now
    cursor.save(update_fields=["reached_at", "done", "note", "rows", "updated_at"])
