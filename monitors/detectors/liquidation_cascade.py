"""Is somebody's liquidation, or a cascade of them, worth a signal? Windows of event time per asset and position side."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from decimal import Decimal

from monitors.detectors.confirmation import confirmed_step
from monitors.detectors.episode import Episode, MakeSignal
from monitors.detectors.window import EventWindow, in_order
from monitors.market import Direction, Kind, Liquidation, Signal, chart_of
from monitors.thresholds import Rule, Rulebook

DUST = Decimal("0.01")  # of LOW: smaller events add dollars, not count
NO_CASCADE = Decimal(0)
WITHOUT_RULE_MS = 30_000  # the window kept for an asset whose cascade rule is switched off
PRECISION = Decimal("1e-8")  # dollars of a signal, as the database keeps them

ListedOn = Callable[[str], int]


class LiquidationDetector:
    """All windows of one process. `rulebook` may be exchanged at any time; it is read anew for each frame."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook
        self._windows: dict[tuple[str, Direction], EventWindow] = defaultdict(EventWindow)
        self._episodes: dict[tuple[Kind, str, Direction], Episode] = defaultdict(Episode)
        self._holding: dict[tuple[Kind, str, Direction], Episode] = {}  # those that may hold a peak back
        self._next_flush_ms: int | None = None

    def continue_episodes(self, kind: Kind, asset: str, direction: Direction, index: int) -> None:
        """Number the next episode of this kind, asset and side after `index`, the last one on record."""
        self._episodes[kind, asset, direction].index = index

    def observe(self, liquidations: Sequence[Liquidation], at_ms: int, listed_on: ListedOn) -> list[Signal]:
        """The signals of one frame: what was due before it, then its own, the most severe first, at a tie the cascade.

        `liquidations` are the frame's counted events (see intake.py), `listed_on` tells how many live
        venues list an asset.
        """
        due = self.flush(at_ms)
        by_story: dict[tuple[str, Direction], list[Liquidation]] = defaultdict(list)
        for event in liquidations:
            by_story[event.asset, event.position_side].append(event)
        signals: list[tuple[int, Signal]] = []
        for (asset, side), events in by_story.items():
            cascade, liquidation = self.rulebook.rule(Kind.CASCADE, asset), self.rulebook.rule(Kind.LIQUIDATION, asset)
            window, window_ms = self._windows[asset, side], WITHOUT_RULE_MS if cascade is None else cascade.window_s * 1000
            for event in events:
                window.add(event, window_ms)
            written: list[tuple[int, Signal]] = []
            if cascade is not None:
                written += self._cascade(cascade, liquidation, events, at_ms, listed_on(asset))
            if liquidation is not None:
                written += self._liquidation(liquidation, events, at_ms, listed_on(asset))
            if written:
                due += self._overtaken(asset, side, at_ms)
                signals += written
        return due + [signal for _, signal in sorted(signals, key=lambda pair: (pair[1].received_at_ms, -pair[0]))]

    def flush(self, now_ms: int) -> list[Signal]:
        """The peaks held back until now (see episode.py)."""
        if self._next_flush_ms is None or now_ms < self._next_flush_ms:  # on every frame: all of them need not be asked
            return []
        signals = [signal for episode in self._holding.values() if episode.due_ms is not None and episode.due_ms <= now_ms for signal in episode.flush()]
        self._holding = {key: episode for key, episode in self._holding.items() if episode.held_back is not None}
        self._next_flush_ms = min((episode.due_ms for episode in self._holding.values() if episode.due_ms is not None), default=None)
        return signals

    def _overtaken(self, asset: str, side: Direction, at_ms: int) -> list[Signal]:
        """The peaks of earlier frames that wait while this frame writes about the same story: decided after it, they would count no more."""
        episodes = [self._episodes[kind, asset, side] for kind in (Kind.CASCADE, Kind.LIQUIDATION)]
        return [signal for episode in episodes if episode.held_back is not None and episode.held_back[1] < at_ms for signal in episode.flush()]

    @property
    def next_flush_ms(self) -> int | None:
        """From when on `flush` may have something to give; None while nothing is held back."""
        return self._next_flush_ms

    def _cascade(self, rule: Rule, single: Rule | None, events: Sequence[Liquidation], at_ms: int, listed_on: int) -> list[tuple[int, Signal]]:
        asset, side = events[0].asset, events[0].position_side
        window, window_ms = self._windows[asset, side], rule.window_s * 1000
        window.slide(window_ms, least_usd=rule.low * DUST)
        value = _cascade_value(window, rule, single)
        if self._is_quiet(Kind.CASCADE, rule, asset, side, value):
            return []
        newest = events[0] if len(events) == 1 else max(events, key=lambda event: event.occurred_at_ms)
        count, usd_of_venue, newest_ms = window.count, window.usd_of_venue(), window.newest_ms
        details = _details(window, newest)

        def make(episode: int, number: int) -> Signal:
            return Signal(
                Kind.CASCADE, asset, side, value.quantize(PRECISION), count, in_order(usd_of_venue), rule.window_s,
                newest_ms, at_ms, episode, number, listed_on, newest.price, details,
            )  # fmt: skip

        return self._measure(Kind.CASCADE, rule, asset, side, value, at_ms, make)

    def _liquidation(self, rule: Rule, events: Sequence[Liquidation], at_ms: int, listed_on: int) -> list[tuple[int, Signal]]:
        largest = events[0] if len(events) == 1 else max(events, key=lambda event: event.notional_usd)
        asset, side, value = largest.asset, largest.position_side, largest.notional_usd
        if self._is_quiet(Kind.LIQUIDATION, rule, asset, side, value):
            return []

        details = _details(self._windows[asset, side], largest)

        def make(episode: int, number: int) -> Signal:
            return Signal(
                Kind.LIQUIDATION, asset, side, value.quantize(PRECISION), 1, {largest.venue: value}, rule.window_s,
                largest.occurred_at_ms, at_ms, episode, number, listed_on, largest.price, details,
            )  # fmt: skip

        self._episodes[Kind.LIQUIDATION, asset, side].end()  # each event is a measurement of its own
        return self._measure(Kind.LIQUIDATION, rule, asset, side, value, at_ms, make)

    def _is_quiet(self, kind: Kind, rule: Rule, asset: str, side: Direction, value: Decimal) -> bool:
        """Whether the value is below the floor and nothing is held back: the usual frame, which is done with here."""
        episode = self._episodes[kind, asset, side]
        if episode.held_back is not None or value >= self.rulebook.floor(rule, asset):
            return False
        episode.end()
        return True

    def _measure(self, kind: Kind, rule: Rule, asset: str, side: Direction, value: Decimal, at_ms: int, make: MakeSignal) -> list[tuple[int, Signal]]:
        episode = self._episodes[kind, asset, side]
        signals = episode.measure(value, rule.step_of(value), self.rulebook.floor(rule, asset), at_ms, make)
        due_ms = episode.due_ms
        if due_ms is not None:
            self._holding[kind, asset, side] = episode
            self._next_flush_ms = due_ms if self._next_flush_ms is None else min(due_ms, self._next_flush_ms)
        return [(confirmed_step(rule.step_of(signal.value), signal, rule)[0], signal) for signal in signals]


def _cascade_value(window: EventWindow, rule: Rule, single: Rule | None) -> Decimal:
    """Dollars inside the window; NO_CASCADE for too few events, or when one liquidation with little beside it fills it."""
    if window.count < rule.min_events:
        return NO_CASCADE
    largest = window.largest_usd
    if single is not None and largest >= single.low and window.total_usd - largest < rule.low:
        return NO_CASCADE
    return window.total_usd


def _details(window: EventWindow, event: Liquidation) -> dict[str, str]:
    """What a message needs besides: the running counters of asset and side, and whose chart to show."""
    return {
        "seen_since_ms": str(window.since_ms),
        "seen_usd": f"{window.seen_usd:f}",
        "seen_events": str(window.seen_events),
        "chart": chart_of(event.venue, event.symbol),
    }
