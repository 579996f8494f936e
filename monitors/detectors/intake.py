"""Which received liquidations count? Repeats are dropped, events with an odd clock are kept out of detection."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from monitors.market import Direction, Liquidation, Venue

MAX_AGE_MS = 60_000  # older at arrival: a backlog, no news
MAX_AHEAD_MS = 5_000  # further in the future: somebody's clock is wrong
SPAN_MS = 10_000  # of event time that is remembered, and forgotten, as one

Key = tuple[str, int, Venue, Direction, int]  # symbol, the venue's time, ..., occurrence
Rest = tuple[Decimal, Decimal]  # price, quantity


class Admission(NamedTuple):
    """One frame, sorted: `counted` by detection; `kept_out` saved only, with the reason; `repeats` neither."""

    counted: Sequence[Liquidation]
    kept_out: Sequence[tuple[Liquidation, str]] = ()
    repeats: int = 0

    @property
    def saved(self) -> list[tuple[Liquidation, str]]:
        """Every event to save, with the reason that kept it out of detection ("" when it counted)."""
        return [*((event, "") for event in self.counted), *self.kept_out]


NOTHING = Admission(())


class Intake:
    """Remembers each event until a repeat of it would be too old to count anyway."""

    def __init__(self) -> None:
        # By the span of their time, so that forgetting is no work for each event. The rest of what makes an event itself is dear to hash
        # and seldom needed: few have all of the key in common.
        self._known: defaultdict[int, dict[Key, tuple[Rest, ...]]] = defaultdict(dict)
        self._next_forgetting_ms = 0

    def admit(self, liquidations: Sequence[Liquidation], at_ms: int) -> Admission:
        """Sort the events of one frame that arrived at `at_ms`."""
        if not liquidations:
            return NOTHING
        if at_ms >= self._next_forgetting_ms:
            self._forget(at_ms)
        counted: list[Liquidation] = []
        kept_out: list[tuple[Liquidation, str]] = []
        repeats = 0
        for event in liquidations:
            occurred_at_ms = event.occurred_at_ms
            known = self._known[occurred_at_ms // SPAN_MS]
            key = (event.symbol, occurred_at_ms, event.venue, event.position_side, event.occurrence)
            rest = (event.price, event.quantity_base)
            alike = known.get(key, ())
            if rest in alike:
                repeats += 1
            elif at_ms - occurred_at_ms > MAX_AGE_MS:
                kept_out.append((event, "stale"))
            else:
                known[key] = (*alike, rest)
                if occurred_at_ms - at_ms > MAX_AHEAD_MS:
                    kept_out.append((event, "future"))
                else:
                    counted.append(event)
        return Admission(counted, kept_out, repeats)

    def _forget(self, at_ms: int) -> None:
        oldest_span = (at_ms - MAX_AGE_MS) // SPAN_MS
        for span in [span for span in self._known if span < oldest_span]:
            del self._known[span]
        self._next_forgetting_ms = at_ms + SPAN_MS
