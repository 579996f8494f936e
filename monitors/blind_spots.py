"""When did we not see the market? Spans in which nothing came of a venue's feed, written down once they are over."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F

from alertsystem.prepared import Given, Prepared
from monitors.feeds import BLIND_AFTER as FEED_BLIND_AFTER
from monitors.market import Venue
from monitors.models import BlindSpot, FeedStatus, ScanStatus
from monitors.sight import BLIND_AFTER as SCAN_BLIND_AFTER

LIQUIDATIONS = "liquidations"
LONG = timedelta(hours=1)
LONG_SPOTS = Prepared(
    lambda: BlindSpot.objects.filter(feed=Given("feed"), until__gt=Given("after"), until__gte=F("since") + LONG).values_list("venue", "since", "until")
)


@dataclass(frozen=True, slots=True)
class Span:
    """When a venue's feed (liquidations, open interest or volume) brought nothing; `until` None: it is so still."""

    venue: Venue
    feed: str
    since: datetime
    until: datetime | None


def note_feeds(stored: Mapping[str, FeedStatus], fresh: Iterable[FeedStatus]) -> None:
    """Write down the blind spots that end with `fresh` statuses, which are about to replace those that are `stored` by venue."""
    spots = [_spot(stored[status.venue], status) for status in fresh if status.venue in stored]
    over = [spot for spot in spots if spot is not None]
    if over:
        BlindSpot.objects.bulk_create(over, ignore_conflicts=True)


def note_scan(status: ScanStatus, now: datetime) -> None:
    """Write down the blind spot that ends with a scan that has brought data `now`, if there was one."""
    last = status.succeeded_at
    if last is not None and now - last > SCAN_BLIND_AFTER:
        BlindSpot.objects.bulk_create([BlindSpot(venue=status.venue, feed=status.kind, since=last, until=now)], ignore_conflicts=True)


def between(since: datetime, until: datetime, now: datetime) -> list[Span]:
    """The blind spots of watched venues that touch a span of time, in the order of their beginning; those that last included."""
    past = BlindSpot.objects.filter(venue__in=settings.VENUES, until__gte=since, since__lte=until)
    over = [Span(Venue(row.venue), row.get_feed_display(), row.since, row.until) for row in past]
    return sorted([*over, *(span for span in _lasting(now) if span.since <= until)], key=lambda span: (span.since, span.venue, span.feed))


def last_dark(feed: str, after: datetime) -> datetime | None:
    """When the last long time ended in which no watched venue's feed brought anything; None when there was none after that time."""
    spots = ((since, until) for venue, since, until in LONG_SPOTS.rows(feed=feed, after=after) if venue in settings.VENUES)
    edges = sorted(edge for since, until in spots for edge in ((since, 1), (until, -1)))
    blind, dark_since, ended = 0, None, None
    for moment, change in edges:
        if blind == len(settings.VENUES) and dark_since is not None and moment - dark_since >= LONG:
            ended = moment
        blind += change
        dark_since = moment if blind == len(settings.VENUES) else None
    return ended


def _lasting(now: datetime) -> Iterator[Span]:
    for feed in FeedStatus.objects.filter(venue__in=settings.VENUES, last_data_at__lt=now - FEED_BLIND_AFTER):
        if feed.last_data_at is not None:
            yield Span(Venue(feed.venue), LIQUIDATIONS, feed.last_data_at, None)
    for scan in ScanStatus.objects.filter(venue__in=settings.VENUES, succeeded_at__lt=now - SCAN_BLIND_AFTER):
        if scan.succeeded_at is not None:
            yield Span(Venue(scan.venue), scan.get_kind_display(), scan.succeeded_at, None)


def _spot(stored: FeedStatus, fresh: FeedStatus) -> BlindSpot | None:
    """The span without data between two statuses of a feed; None when there was none.

    While only the database was away the feed saw all the time: it is connected since before the stored status.
    """
    last, now = stored.last_data_at, fresh.last_data_at
    if last is None or now is None or now - last <= FEED_BLIND_AFTER:
        return None
    was_blind = stored.updated_at - last > FEED_BLIND_AFTER
    connected_anew = fresh.connected_since is not None and fresh.connected_since > stored.updated_at
    return BlindSpot(venue=fresh.venue, feed=LIQUIDATIONS, since=last, until=now) if was_blind or connected_anew else None
