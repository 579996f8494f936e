"""How is one venue's feed doing? Its sockets, what was counted, and the row that the admin shows."""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import datetime

from django.utils import timezone

from monitors.blind_spots import note_feeds
from monitors.detection import Outcome
from monitors.market import Venue, from_epoch_ms
from monitors.models import FeedStatus
from monitors.venues.registry import FEEDS, FeedSpec, socket_url
from monitors.venues.socket import CONNECTING, LIVE, STOPPED, WAITING, Deliver, SocketState, VenueSocket
from monitors.venues.topics import split
from monitors.venues.wire import UNKNOWN_CONTRACT

log = logging.getLogger(__name__)

SAMPLE_EVERY_S = 60.0  # one log line a minute for malformed frames
RATE_OVER_S = 60
WORST_FIRST = (WAITING, CONNECTING, STOPPED, LIVE)  # a feed of several connections is as good as its worst


class Feed:
    """One venue: counts are kept by the detection thread alone, sockets are exchanged by the housekeeping thread."""

    def __init__(self, venue: Venue, base_url: str, deliver: Deliver, spec: FeedSpec | None = None) -> None:
        self.venue = venue
        self.dropped: Counter[str] = Counter()
        self.malformed = self.unsaved = 0
        self._open: Callable[[tuple[str, ...]], VenueSocket] = lambda topics: VenueSocket(
            venue, socket_url(venue, base_url), spec or FEEDS[venue], deliver, topics
        )
        self._sockets: list[VenueSocket] = []
        self._closed_connects = 0
        self._seconds: deque[list[int]] = deque()  # second and events, newest last
        self._sample_logged_at: float | None = None
        self._malformed_logged = 0

    def follow(self, topics: Sequence[str]) -> None:
        """Have as many sockets as the topics need, at least one, and each its part of them."""
        parts = split(topics)
        for socket, part in zip(self._sockets, parts, strict=False):
            socket.topics = part
        for surplus in self._sockets[len(parts) :]:
            surplus.ask_to_stop()
            self._closed_connects += surplus.status.connects
        added = [self._open(part) for part in parts[len(self._sockets) :]]
        self._sockets = self._sockets[: len(parts)] + added
        for socket in added:
            socket.start()

    def ask_to_stop(self) -> None:
        """Let every socket end."""
        for socket in self._sockets:
            socket.ask_to_stop()

    def join(self, timeout_s: float) -> None:
        """Wait for the sockets' end."""
        for socket in self._sockets:
            socket.join(timeout_s)

    @property
    def live(self) -> bool:
        """Whether data flows on every connection."""
        return bool(self._sockets) and all(socket.status.state == LIVE for socket in self._sockets)

    def count(self, outcome: Outcome) -> None:
        """Take in what one frame led to."""
        frame, admission = outcome.frame, outcome.admission
        if frame.liquidations:
            self._count_events(outcome.at_ms // 1000, len(frame.liquidations))
        if frame.dropped:
            self.dropped.update(frame.dropped)
        if admission.kept_out:
            self.dropped.update(reason for _, reason in admission.kept_out)
        if admission.repeats:
            self.dropped["repeat"] += admission.repeats
        if frame.malformed:
            self.count_malformed(frame.malformed, frame.sample)

    def count_malformed(self, number: int, sample: str) -> None:
        """Frames or rows that were not understood; a sample is logged once a minute."""
        self.malformed += number
        now = time.monotonic()
        if self._sample_logged_at is None or now - self._sample_logged_at >= SAMPLE_EVERY_S:
            since = self.malformed - self._malformed_logged
            log.warning("%s: %d frames or rows were not understood, for example: %s", self.venue.title, since, sample)
            self._sample_logged_at, self._malformed_logged = now, self.malformed

    def _count_events(self, second: int, number: int) -> None:
        if self._seconds and self._seconds[-1][0] == second:
            self._seconds[-1][1] += number
            return
        self._seconds.append([second, number])
        while self._seconds[0][0] <= second - RATE_OVER_S:
            self._seconds.popleft()

    def status(self, now: datetime) -> FeedStatus:
        """The row to store."""
        states = [socket.status for socket in self._sockets] or [SocketState()]
        worst = min(states, key=lambda state: WORST_FIRST.index(state.state))
        since_s = int(now.timestamp()) - RATE_OVER_S
        return FeedStatus(
            venue=self.venue,
            state=worst.state,
            connected_since=_moment(max((state.connected_at_ms for state in states if state.connected_at_ms), default=None)),
            last_data_at=_moment(max((state.last_data_ms for state in states if state.last_data_ms), default=None)),
            next_try_at=_moment(worst.next_try_ms),
            last_error=(worst.error or next((state.refused for state in states if state.refused), ""))[:200],
            events_per_minute=sum(number for second, number in tuple(self._seconds) if second > since_s),
            reconnects=self._closed_connects + sum(max(0, state.connects - 1) for state in states),
            malformed=self.malformed,
            unknown=self.dropped[UNKNOWN_CONTRACT],
            dropped={reason: number for reason, number in sorted(dict(self.dropped).items()) if reason != UNKNOWN_CONTRACT},
            unsaved=self.unsaved,
            updated_at=now,
        )


STATUS_FIELDS = [field.name for field in FeedStatus._meta.concrete_fields if field.name not in ("id", "venue")]


def save_statuses(feeds: Sequence[Feed]) -> None:
    """Write every feed's row in one statement; rows of venues that are no longer watched go."""
    now = timezone.now()
    rows = [feed.status(now) for feed in feeds]
    stored = {row.venue: row for row in FeedStatus.objects.all()}
    for row in rows:
        if row.last_data_at is None and row.venue in stored:  # before a restart
            row.last_data_at = stored[row.venue].last_data_at
    note_feeds(stored, rows)
    FeedStatus.objects.bulk_create(rows, update_conflicts=True, unique_fields=["venue"], update_fields=STATUS_FIELDS)


def _moment(at_ms: int | None) -> datetime | None:
    return None if at_ms is None else from_epoch_ms(at_ms)
