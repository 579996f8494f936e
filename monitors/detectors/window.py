"""What happened in the last seconds of event time? A sliding window over liquidations of one asset and side."""

from bisect import insort
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from decimal import Decimal

from monitors.market import Liquidation, Venue

ZERO = Decimal(0)


class EventWindow:
    """Events in (T - window, T], T = the newest event time seen; exact sums, kept up to date event by event.

    `count` leaves out dust: events under `least_usd`, which add dollars only. `seen_usd` and `seen_events`
    only ever rise, since the first event at `since_ms`: the difference of two readings is what came between.
    """

    def __init__(self) -> None:
        self.newest_ms = 0
        self.since_ms = 0
        self.seen_usd = ZERO
        self.seen_events = 0
        self.total_usd = ZERO
        self.count = 0
        self._window_ms = 0
        self._least_usd = ZERO
        self.usd_of_venue: dict[Venue, Decimal] = defaultdict(Decimal)  # 0 for one whose events have left (see `in_order`)
        self._events: deque[tuple[int, Decimal, Venue]] = deque()  # by event time
        self._largest_usd: Decimal | None = ZERO  # None: to be found again

    def follow(self, window_ms: int, least_usd: Decimal) -> None:
        """Be so long from the next event on, and count from `least_usd` on."""
        self._window_ms, self._least_usd = window_ms, least_usd
        self.count = sum(usd >= least_usd for _, usd, _ in self._events)

    def take(self, events: Sequence[Liquidation]) -> None:
        """Count the events of one frame and drop what has left the window; an event that is older than the window is only seen."""
        for event in events:
            usd, at_ms = event.notional_usd, event.occurred_at_ms
            self.since_ms = self.since_ms or at_ms
            self.seen_usd += usd
            self.seen_events += 1
            if at_ms > self.newest_ms:
                self.newest_ms = at_ms
            elif at_ms <= self.newest_ms - self._window_ms:
                continue
            if self._events and at_ms < self._events[-1][0]:
                insort(self._events, (at_ms, usd, event.venue))
            else:  # nearly always
                self._events.append((at_ms, usd, event.venue))
            self.total_usd += usd
            self.usd_of_venue[event.venue] += usd
            if usd >= self._least_usd:
                self.count += 1
            if self._largest_usd is not None and usd > self._largest_usd:
                self._largest_usd = usd
        oldest_ms = self.newest_ms - self._window_ms
        while self._events and self._events[0][0] <= oldest_ms:
            self._drop(*self._events.popleft())

    @property
    def largest_usd(self) -> Decimal:
        """Dollars of the largest event inside."""
        if self._largest_usd is None:
            self._largest_usd = max((usd for _, usd, _ in self._events), default=ZERO)
        return self._largest_usd

    @property
    def seen(self) -> tuple[int, Decimal, int]:
        """The running counters: since when, dollars, events."""
        return self.since_ms, self.seen_usd, self.seen_events

    def _drop(self, at_ms: int, usd: Decimal, venue: Venue) -> None:
        self.total_usd -= usd
        self.usd_of_venue[venue] -= usd
        if usd >= self._least_usd:
            self.count -= 1
        if usd == self._largest_usd:
            self._largest_usd = None


def in_order(usd_of_venue: Mapping[Venue, Decimal]) -> dict[Venue, Decimal]:
    """Those venues that have dollars inside, in the venues' order."""
    return {venue: usd_of_venue[venue] for venue in Venue if usd_of_venue.get(venue)}
