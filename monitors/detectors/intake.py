"""Which received liquidations count? Repeats are dropped, events with an odd clock are kept out of detection."""

from collections.abc import Sequence
from typing import NamedTuple

from monitors.market import Liquidation

MAX_AGE_MS = 60_000  # older at arrival: a backlog, no news
MAX_AHEAD_MS = 5_000  # further in the future: somebody's clock is wrong
SPAN_MS = 10_000  # of event time that is remembered, and forgotten, as one


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
        self._known: dict[int, set[tuple[object, ...]]] = {}  # by the span of its time: forgetting is no work for each event
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
            venue, symbol, _, side, price, quantity_base, _, occurred_at_ms, occurrence = event
            key = (venue, symbol, occurred_at_ms, side, price, quantity_base, occurrence)
            known = self._known.get(occurred_at_ms // SPAN_MS)
            if known is not None and key in known:
                repeats += 1
            elif at_ms - occurred_at_ms > MAX_AGE_MS:
                kept_out.append((event, "stale"))
            else:
                if known is None:
                    known = self._known[occurred_at_ms // SPAN_MS] = set()
                known.add(key)
                if occurred_at_ms - at_ms > MAX_AHEAD_MS:
                    kept_out.append((event, "future"))
                else:
                    counted.append(event)
        return Admission(counted, kept_out, repeats)

    def _forget(self, at_ms: int) -> None:
        oldest_span = (at_ms - MAX_AGE_MS) // SPAN_MS
        self._known = {span: known for span, known in self._known.items() if span >= oldest_span}
        self._next_forgetting_ms = at_ms + SPAN_MS
