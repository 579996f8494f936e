"""Which incidents does a recording open, escalate and close? Slow and plain: every window is added up anew from its events at every frame.

Written from the rules' text alone and kept apart from the product, so that a difference is a finding in one of the two.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from .frames import Broken, Event, Line, events_of, read_line

STALE_MS, FUTURE_MS, PEAK_MS, AGAIN_MS = 60_000, 5_000, 250, 10_000
SEVERITIES = ["BELOW_LOW", "LOW", "MODERATE", "HIGH", "EXTREME"]
Rule = dict[str, Any]
Row = dict[str, Any]


@dataclass(frozen=True)
class Measure:
    """What one frame says of one kind: dollars, events that count, dollars a venue, and the frame's arrival in ms."""

    kind: str
    asset: str
    side: str
    value: Decimal
    count: int
    venues: dict[str, Decimal]
    at: int


@dataclass
class Series:
    """A cascade's values so far: the one before, the peak of this episode, and what was written last."""

    before: Decimal = Decimal(0)
    peak: Decimal = Decimal(0)
    written_at: int | None = None  # when the last signal was written
    signal_at: int = 0  # arrival of the frame behind it
    waiting: Measure | None = None


@dataclass
class Incident:
    """One open story of an asset and side; `ends` is the moment it closes if nothing follows."""

    kind: str
    step: int
    peak: Measure
    last_seen: int
    ends: int


@dataclass
class Reference:
    """Everything remembered between two frames."""

    rules: dict[tuple[str, str], Rule]
    sizes: dict[str, Any]
    listed: dict[str, set[str]]
    seen: set[tuple[Any, ...]] = field(default_factory=set)
    events: dict[tuple[str, str], list[tuple[int, Event]]] = field(default_factory=dict)
    series: dict[tuple[str, str], Series] = field(default_factory=dict)
    incidents: dict[tuple[str, str], Incident] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    now: int = 0

    def frame(self, line: Line) -> None:
        """Count all events of the frame, then measure and decide what it touched."""
        self.now = at = max(self.now, line["at"])
        self.clock(at)
        counted = self.fresh(line, at)
        for key in sorted({(event.asset, event.side) for event in counted}):
            mine = [event for event in counted if (event.asset, event.side) == key]
            self.events.setdefault(key, []).extend((at, event) for event in mine)
            signals = self.liquidations(key, mine, at) + self.cascades(key, at)
            waiting = self.series[key].waiting if key in self.series else None
            if signals and waiting and waiting.at < at:
                self.write(self.series[key])  # or the older signal would follow the newer
            for signal in sorted(signals, key=lambda signal: (-self.step(signal), signal.kind)):
                self.decide(signal)

    def clock(self, now: int) -> None:
        """Write the peaks that waited 250 ms, then close what is due."""
        for _key, series in sorted(self.series.items()):
            if series.waiting and series.written_at is not None and now >= series.written_at + PEAK_MS:
                self.write(series)
        for key, incident in sorted(self.incidents.items()):
            if now >= incident.ends:
                self.tell("closed", incident.peak, incident.ends, incident.kind, incident.step)
                del self.incidents[key]

    def write(self, series: Series) -> None:
        """The peak that waited becomes a signal of the frame that measured it."""
        signal, series.waiting = series.waiting, None
        if signal and series.written_at is not None:
            series.written_at, series.signal_at = series.written_at + PEAK_MS, signal.at
            self.decide(signal)

    def fresh(self, line: Line, at: int) -> list[Event]:
        """The frame's events without repeats of earlier frames and without those from long ago or from the future."""
        found = events_of(line, self.sizes)
        keys: list[tuple[Any, ...]] = []
        kept = []
        for event in found:
            row = (event.venue, event.symbol, event.time, event.side, event.price, event.quantity)
            keys.append((*row, sum(key[:6] == row for key in keys)))
            if keys[-1] not in self.seen and -FUTURE_MS <= at - event.time <= STALE_MS:
                kept.append(event)
        self.seen.update(keys)
        return kept

    def rule(self, kind: str, asset: str) -> Rule | None:
        """The asset's own rule, else the one for any other; nothing when that one is switched off."""
        rule = self.rules.get((kind, asset)) or self.rules.get((kind, ""))
        return rule if rule and rule["enabled"] else None

    def liquidations(self, key: tuple[str, str], events: list[Event], at: int) -> list[Measure]:
        """The largest event of the frame, when it reaches half of LOW; every event is an episode of its own."""
        rule = self.rule("liquidation", key[0])
        largest = max(events, key=lambda event: event.dollars)
        if not rule or largest.dollars < low(rule) / 2:
            return []
        return [Measure("liquidation", *key, largest.dollars, 1, {largest.venue: largest.dollars}, at)]

    def cascades(self, key: tuple[str, str], at: int) -> list[Measure]:
        """The window's sum, when it passes a rung, is a new peak, or stayed at LOW for 10 s."""
        rule = self.rule("cascade", key[0])
        if not rule:
            return []
        inside = self.window(key, rule)
        series = self.series.setdefault(key, Series())
        value = self.cascade_value(key[0], inside, rule)
        passed = reached(value, rule) > reached(series.before, rule)
        series.before = value
        if value < low(rule) / 2:
            series.peak = Decimal(0)
            return []
        count = sum(event.dollars >= low(rule) / 100 for event in inside)
        measure = Measure("cascade", *key, value, count, shares(inside), at)
        peak, series.peak = value > series.peak, max(value, series.peak)
        last = series.written_at
        if passed or (peak and (last is None or at >= last + PEAK_MS)) or (value >= low(rule) and at >= series.signal_at + AGAIN_MS):
            if series.waiting and not peak:
                self.write(series)
            series.waiting, series.written_at, series.signal_at = None, at, at
            return [measure]
        if peak:
            series.waiting = measure
        return []

    def window(self, key: tuple[str, str], rule: Rule) -> list[Event]:
        """The events in (T - window, T], T being the newest event of this asset and side."""
        window = rule["window_s"] * 1000
        # T is at most 60 s old, and an event is stamped at most 5 s after it came: what came before this cannot be inside.
        self.events[key] = [(at, event) for at, event in self.events[key] if at >= self.now - window - STALE_MS - FUTURE_MS]
        mine = [event for _, event in self.events[key]]
        newest = max(event.time for event in mine)
        return [event for event in mine if newest - window < event.time <= newest]

    def cascade_value(self, asset: str, inside: list[Event], rule: Rule) -> Decimal:
        """Dollars inside; 0 with too few events that count, or when it is one large liquidation with little beside it."""
        total, largest = sum((event.dollars for event in inside), Decimal(0)), max(event.dollars for event in inside)
        single = self.rule("liquidation", asset)
        if sum(event.dollars >= low(rule) / 100 for event in inside) < rule["min_events"]:
            return Decimal(0)
        if single and largest >= low(single) and total - largest < low(rule):
            return Decimal(0)
        return total

    def step(self, signal: Measure) -> int:
        """0 below LOW, 1 to 4 for the severities, one more for each doubling of EXTREME; while unconfirmed one less than the severity, never under LOW."""
        rule = self.rule(signal.kind, signal.asset)
        assert rule is not None
        step = reached(signal.value, rule)
        wanted = min(rule["min_venues"], len(self.listed[signal.asset]))
        confirming = sum(dollars >= signal.value / 10 for dollars in signal.venues.values())
        return min(step, 4) - 1 if confirming < wanted and step > 1 else step

    def decide(self, signal: Measure) -> None:
        """Open, escalate, turn into a cascade, or only update; a signal below LOW does nothing."""
        key, step = (signal.asset, signal.side), self.step(signal)
        if step == 0:
            return
        rule = self.rule(signal.kind, signal.asset)
        assert rule is not None
        ends, incident = signal.at + rule["cooldown_s"] * 1000, self.incidents.get(key)
        if incident is None:
            self.incidents[key] = Incident(signal.kind, step, signal, signal.at, ends)
            self.tell("opened", signal, signal.at, signal.kind, step)
            return
        becomes = signal.kind == "cascade" and incident.kind == "liquidation"
        incident.kind = "cascade" if becomes else incident.kind
        if signal.at >= incident.last_seen:
            incident.last_seen, incident.ends = signal.at, ends
        if signal.value > incident.peak.value:
            incident.peak = signal
        if step > incident.step:
            incident.step = step
            self.tell("escalated", signal, signal.at, signal.kind, step)
        elif becomes:
            self.tell("became_cascade", signal, signal.at, signal.kind, step)

    def tell(self, event: str, measure: Measure, at: int, kind: str, step: int) -> None:
        """One row of the output; the text is not told again here."""
        venues = {venue: cents(dollars) for venue, dollars in measure.venues.items()}
        self.rows.append(
            {"at": at, "event": event, "kind": kind, "asset": measure.asset, "direction": measure.side, "severity": SEVERITIES[min(4, step)]}
            | {"value": cents(measure.value), "unit": "usd", "count": measure.count, "venues": venues}
        )


def reached(value: Decimal, rule: Rule) -> int:
    """How many rungs lie at or under the value, each doubling of EXTREME being one more."""
    rungs = [Decimal(str(rule[name])) for name in ("low", "moderate", "high", "extreme")]
    while rungs[-1] <= value:
        rungs.append(rungs[-1] * 2)
    return sum(rung <= value for rung in rungs)


def low(rule: Rule) -> Decimal:
    """The rule's lowest rung in dollars."""
    return Decimal(str(rule["low"]))


def shares(events: list[Event]) -> dict[str, Decimal]:
    """Dollars a venue."""
    return {venue: sum((event.dollars for event in events if event.venue == venue), Decimal(0)) for venue in {event.venue for event in events}}


def cents(dollars: Decimal) -> float:
    """Dollars as they stand in JSON."""
    return float(round(dollars, 2))


def replay(text: Iterable[str], rules: list[Rule]) -> tuple[list[Row], list[int]]:
    """The rows a replay prints (without their texts), and the numbers of the broken lines (the header is line 1)."""
    header, *rest = text
    sizes = json.loads(header)["markets"].get("okx", {})
    lines, broken = [], []
    listed: dict[str, set[str]] = {}
    for number, one in enumerate(rest, start=2):
        try:
            line = read_line(one)
            for event in events_of(line, sizes):
                listed.setdefault(event.asset, set()).add(event.venue)
            lines.append(line)
        except Broken:
            broken.append(number)
    for name in (name for name in sizes if name.endswith(("-USDT-SWAP", "-USDC-SWAP"))):
        listed.setdefault(name.partition("-")[0], set()).add("okx")
    reference = Reference({(rule["kind"], rule["asset"]): rule for rule in rules}, sizes, listed)
    for line in lines:
        reference.frame(line)
    for _key, series in sorted(reference.series.items()):
        reference.write(series)
    return sorted(reference.rows, key=lambda row: (row["at"], row["kind"], row["asset"], row["direction"])), broken
