"""Which received liquidations count? Repeats are dropped, events with an odd clock are kept out of detection."""

from collections.abc import Sequence
from dataclasses import dataclass

from monitors.market import Liquidation

MAX_AGE_MS = 60_000  # older at arrival: a backlog, no news
MAX_AHEAD_MS = 5_000  # further in the future: somebody's clock is wrong
FORGET_EVERY_MS = 10_000


@dataclass(frozen=True, slots=True)
class Admission:
    """One frame, sorted: `counted` by detection; `kept_out` saved only, with the reason; `repeats` neither."""

    counted: list[Liquidation]
    kept_out: list[tuple[Liquidation, str]]
    repeats: int

    @property
    def saved(self) -> list[tuple[Liquidation, str]]:
        """Every event to save, with the reason that kept it out of detection ("" when it counted)."""
        return [*((event, "") for event in self.counted), *self.kept_out]


class Intake:
    """Remembers each event until a repeat of it would be too old to count anyway."""

    def __init__(self) -> None:
        self._forget_at_ms: dict[tuple[object, ...], int] = {}
        self._next_forgetting_ms = 0

    def admit(self, liquidations: Sequence[Liquidation], at_ms: int) -> Admission:
        """Sort the events of one frame that arrived at `at_ms`."""
        if at_ms >= self._next_forgetting_ms:
            self._forget(at_ms)
        counted: list[Liquidation] = []
        kept_out: list[tuple[Liquidation, str]] = []
        repeats = 0
        for event in liquidations:
            key = (event.venue, event.symbol, event.occurred_at_ms, event.position_side, event.price, event.quantity_base, event.occurrence)
            if key in self._forget_at_ms:
                repeats += 1
                continue
            age_ms = at_ms - event.occurred_at_ms
            if age_ms > MAX_AGE_MS:
                kept_out.append((event, "stale"))
                continue
            self._forget_at_ms[key] = event.occurred_at_ms + MAX_AGE_MS
            if -age_ms > MAX_AHEAD_MS:
                kept_out.append((event, "future"))
            else:
                counted.append(event)
        return Admission(counted, kept_out, repeats)

    def _forget(self, at_ms: int) -> None:
        self._forget_at_ms = {key: forget_at for key, forget_at in self._forget_at_ms.items() if forget_at >= at_ms}
        self._next_forgetting_ms = at_ms + FORGET_EVERY_MS
