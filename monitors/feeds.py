"""Which feeds see the market now? The state of each venue's feed, in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitors.market import Venue
from monitors.models import FeedStatus
from monitors.sight import scan_troubles

SILENT_AFTER = timedelta(seconds=15)  # reports come every 2 s: the monitor is stopped or stuck
BLIND_AFTER = timedelta(seconds=30)  # of data: the watchdog of the slowest venue


@dataclass(frozen=True, slots=True)
class FeedState:
    """One venue as people need to know it: `blind` when its liquidations would not be seen now, and why in `note`, with what its scans do not see."""

    venue: Venue
    blind: bool
    data_age: timedelta | None
    note: str


def feed_states(now: datetime, venues: Sequence[Venue]) -> list[FeedState]:
    """The state of each of `venues`, in their order; one that never reported is blind. A note also says which of its scans are blind."""
    troubles = scan_troubles(now)
    states = judge_feeds(FeedStatus.objects.all(), now, venues)
    return [replace(state, note="; ".join(filter(None, (state.note, troubles.get(state.venue))))) for state in states]


def judge_feeds(statuses: Iterable[FeedStatus], now: datetime, venues: Sequence[Venue]) -> list[FeedState]:
    """The same for status rows at hand."""
    by_venue = {status.venue: status for status in statuses}
    return [_judge(venue, by_venue.get(venue.value), now) for venue in venues]


def _judge(venue: Venue, status: FeedStatus | None, now: datetime) -> FeedState:
    if status is None:
        return FeedState(venue, blind=True, data_age=None, note="no report yet")
    age = now - status.last_data_at if status.last_data_at else None
    if now - status.updated_at > SILENT_AFTER:
        return FeedState(venue, blind=True, data_age=age, note="the liquidation monitor does not report")
    if status.state != "live":
        return FeedState(venue, blind=True, data_age=age, note=_trouble(status, now))
    if age is None or age > BLIND_AFTER:
        return FeedState(venue, blind=True, data_age=age, note="connected, but no data")
    return FeedState(venue, blind=False, data_age=age, note="")


def _trouble(status: FeedStatus, now: datetime) -> str:
    wait_s = (status.next_try_at - now).total_seconds() if status.next_try_at else 0
    next_try = f"next try in {wait_s:.0f} s" if wait_s >= 1 else ""
    return "; ".join(part for part in (status.last_error or status.state, next_try) if part)
