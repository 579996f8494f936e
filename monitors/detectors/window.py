"""What happened in the last seconds of event time? A sliding window over liquidations of one asset and side."""

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Mapping
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
        self._least_usd = ZERO
        self._usd_of_venue: dict[Venue, Decimal] = defaultdict(Decimal)
        self._events: list[tuple[int, Decimal, Venue]] = []  # by event time
        self._largest_usd: Decimal | None = ZERO  # None: to be found again

    def add(self, event: Liquidation, window_ms: int) -> None:
        """Count the event; one that is older than the window already is only seen."""
        self.since_ms = self.since_ms or event.occurred_at_ms
        self.seen_usd += event.notional_usd
        self.seen_events += 1
        self.newest_ms = max(self.newest_ms, event.occurred_at_ms)
        if event.occurred_at_ms <= self.newest_ms - window_ms:
            return
        usd = event.notional_usd
        insort(self._events, (event.occurred_at_ms, usd, event.venue))
        self._tally(usd, event.venue, 1)
        if self._largest_usd is not None:
            self._largest_usd = max(self._largest_usd, usd)

    def slide(self, window_ms: int, least_usd: Decimal) -> None:
        """Drop what has left the window; count from `least_usd` on."""
        if least_usd != self._least_usd:
            self._least_usd, self.count = least_usd, sum(usd >= least_usd for _, usd, _ in self._events)
        if not self._events or self._events[0][0] > self.newest_ms - window_ms:
            return
        gone = bisect_right(self._events, self.newest_ms - window_ms, key=lambda event: event[0])
        for _, usd, venue in self._events[:gone]:
            self._tally(-usd, venue, -1)
            if usd == self._largest_usd:
                self._largest_usd = None
        del self._events[:gone]

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

    def usd_of_venue(self) -> dict[Venue, Decimal]:
        """Dollars of each venue, 0 for one whose events have left (see `in_order`)."""
        return dict(self._usd_of_venue)

    def _tally(self, usd: Decimal, venue: Venue, sign: int) -> None:
        self.total_usd += usd
        self._usd_of_venue[venue] += usd
        if abs(usd) >= self._least_usd:
            self.count += sign


def in_order(usd_of_venue: Mapping[Venue, Decimal]) -> dict[Venue, Decimal]:
    """Those venues that have dollars inside, in the venues' order."""
    return {venue: usd_of_venue[venue] for venue in Venue if usd_of_venue.get(venue)}
