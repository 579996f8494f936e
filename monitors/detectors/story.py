"""What do the liquidations of one asset and side measure? Their window, and the episodes of both kinds."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial

from monitors.detectors.confirmation import confirmed_step
from monitors.detectors.episode import Episode, MakeSignal
from monitors.detectors.window import EventWindow, in_order
from monitors.market import Direction, Kind, Liquidation, Signal, Venue, chart_of
from monitors.thresholds import Rule, Rulebook

DUST = Decimal("0.01")  # of LOW: smaller events add dollars, not count
NO_CASCADE = Decimal(0)
CASCADE, LIQUIDATION = Kind.CASCADE, Kind.LIQUIDATION  # a class's attribute is looked up anew each time
WITHOUT_RULE_MS = 30_000  # the window kept for an asset whose cascade rule is switched off
PRECISION = Decimal("1e-8")  # dollars of a signal, as the database keeps them

Graded = tuple[int, Signal]  # the step that counts for the order within a frame, and the signal


class Story:
    """The state of one asset and side; `follow` first, and again whenever the rules change."""

    def __init__(self, asset: str, side: Direction) -> None:
        self.asset, self.side = asset, side
        self.rulebook: Rulebook | None = None
        self.window = EventWindow()
        self.cascade, self.liquidation = Episode(), Episode()

    def follow(self, rulebook: Rulebook) -> None:
        """Take over the rules, with what follows from them."""
        self.rulebook = rulebook
        self._cascade_rule, self._single_rule = rulebook.rule(Kind.CASCADE, self.asset), rulebook.rule(Kind.LIQUIDATION, self.asset)
        cascade, single = self._cascade_rule, self._single_rule
        if cascade is None:
            self.window.follow(WITHOUT_RULE_MS, Decimal(0))
        else:
            self.window.follow(cascade.window_s * 1000, cascade.low * DUST)
        self._cascade_floor = Decimal(0) if cascade is None else rulebook.floor(cascade, self.asset)
        self._single_floor = Decimal(0) if single is None else rulebook.floor(single, self.asset)

    def observe(self, events: Sequence[Liquidation], at_ms: int, listed_on: int) -> list[Graded]:
        """The signals of a frame's events of this story."""
        self.window.take(events)
        signals: list[Graded] = []
        if self._cascade_rule is not None:
            value = self._cascade_value(self._cascade_rule)
            if value >= self._cascade_floor or self.cascade.held_back is not None:
                signals += self._cascade(self._cascade_rule, value, events, at_ms, listed_on)
            else:
                self.cascade.end()
        if self._single_rule is not None:
            largest = events[0] if len(events) == 1 else max(events, key=lambda event: event.notional_usd)
            if largest.notional_usd >= self._single_floor or self.liquidation.held_back is not None:
                signals += self._liquidation(self._single_rule, largest, at_ms, listed_on)
        return signals

    @property
    def due_ms(self) -> int | None:
        """When a peak that is held back must be written; None while there is none."""
        cascade, liquidation = self.cascade.due_ms, self.liquidation.due_ms
        return liquidation if cascade is None else cascade if liquidation is None else min(cascade, liquidation)

    def flush(self, now_ms: int) -> list[Signal]:
        """The peaks that are due."""
        episodes = (self.cascade, self.liquidation)
        return [signal for episode in episodes if episode.due_ms is not None and episode.due_ms <= now_ms for signal in episode.flush()]

    def overtaken(self, at_ms: int) -> list[Signal]:
        """The peaks of earlier frames that wait while this one writes about the same story: decided after it, they would count no more."""
        episodes = (self.cascade, self.liquidation)
        return [signal for episode in episodes if episode.held_back is not None and episode.held_back[1] < at_ms for signal in episode.flush()]

    def _cascade_value(self, rule: Rule) -> Decimal:
        """Dollars inside the window; NO_CASCADE for too few events, or when one liquidation with little beside it fills it."""
        window, single = self.window, self._single_rule
        if window.count < rule.min_events:
            return NO_CASCADE
        total = window.total_usd
        if single is not None and total >= self._cascade_floor:
            largest = window.largest_usd
            if largest >= single.low and total - largest < rule.low:
                return NO_CASCADE
        return total

    def _cascade(self, rule: Rule, value: Decimal, events: Sequence[Liquidation], at_ms: int, listed_on: int) -> list[Graded]:
        window = self.window
        newest = events[0] if len(events) == 1 else max(events, key=lambda event: event.occurred_at_ms)
        venues = window.usd_of_venue.copy()
        make = partial(self._signal, CASCADE, value, window.count, venues, rule.window_s, window.newest_ms, at_ms, listed_on, newest, window.seen)
        return _graded(self.cascade, rule, value, self._cascade_floor, at_ms, make)

    def _liquidation(self, rule: Rule, largest: Liquidation, at_ms: int, listed_on: int) -> list[Graded]:
        value, seen = largest.notional_usd, self.window.seen
        venues = {largest.venue: value}
        make = partial(self._signal, LIQUIDATION, value, 1, venues, rule.window_s, largest.occurred_at_ms, at_ms, listed_on, largest, seen)
        self.liquidation.end()  # each event is a measurement of its own
        return _graded(self.liquidation, rule, value, self._single_floor, at_ms, make)

    def _signal(
        self, kind: Kind, value: Decimal, count: int, venues: Mapping[Venue, Decimal], window_s: int, occurred_at_ms: int, at_ms: int,
        listed_on: int, event: Liquidation, seen: tuple[int, Decimal, int], episode: int, number: int,
    ) -> Signal:  # fmt: skip
        """What was measured with `event`, the newest or largest of a frame that arrived at `at_ms`."""
        return Signal(
            kind, self.asset, self.side, value.quantize(PRECISION), count, in_order(venues), window_s,
            occurred_at_ms, at_ms, episode, number, listed_on, event.price, _details(seen, event),
        )  # fmt: skip


def _graded(episode: Episode, rule: Rule, value: Decimal, floor: Decimal, at_ms: int, make: MakeSignal) -> list[Graded]:
    signals = episode.measure(value, rule.step_of(value), floor, at_ms, make)
    return [(confirmed_step(rule.step_of(signal.value), signal, rule)[0], signal) for signal in signals] if signals else []


def _details(seen: tuple[int, Decimal, int], event: Liquidation) -> dict[str, str]:
    """What a message needs besides: the running counters of asset and side, and whose chart to show."""
    since_ms, usd, events = seen
    return {"seen_since_ms": str(since_ms), "seen_usd": f"{usd:f}", "seen_events": str(events), "chart": chart_of(event.venue, event.symbol)}
