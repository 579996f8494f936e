"""What would the system have said? A recording through the live detectors and the live `decide`, on the recording's clock."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from alerts.replay_scans import ScanReplay, asset_of_symbol
from alerts.rules.incident import Incident, Outcome, decide
from alerts.rules.text import alert_text
from monitors.detectors.episode import PEAK_EVERY_MS
from monitors.detectors.intake import Intake
from monitors.detectors.liquidation_cascade import LiquidationDetector
from monitors.market import Kind, Signal, Unit, Venue
from monitors.recording import Arrival, BrokenLine, Header
from monitors.thresholds import Rulebook, Severity
from monitors.venues.contracts import Contracts, of_recording
from monitors.venues.registry import parser_for
from monitors.venues.wire import ODD, MalformedFrame, ParsedFrame

Listed = Mapping[tuple[str, str], set[Venue]]  # the venues that list an asset, by feed and asset
CLOSED = "closed"
PRINTED = (Outcome.OPENED, Outcome.ESCALATED, Outcome.BECAME_CASCADE)


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """One thing to print, ordered as it is printed: by time, kind, asset and direction."""

    at_ms: int
    kind: Kind
    asset: str
    direction: str
    order: int
    name: str = field(compare=False)
    severity: Severity = field(compare=False)
    measured: Signal = field(compare=False)
    text: str = field(compare=False)

    def as_json(self) -> dict[str, Any]:
        """The object of the JSON output; dollars rounded to cents, percent as in the rules."""
        unit = self.measured.unit
        return {
            "at": self.at_ms,
            "event": self.name,
            "kind": self.kind,
            "asset": self.asset,
            "direction": self.direction,
            "severity": self.severity.name,
            "value": _number(self.measured.value, unit),
            "unit": unit,
            "count": self.measured.count,
            "venues": {venue: _number(part, unit) for venue, part in self.measured.venues.items()},
            "text": self.text,
        }


class Replay:
    """One run over one recording; `skipped` counts what was not used, by venue and reason, `complain` hears of each line that holds something malformed."""

    def __init__(self, header: Header, rulebook: Rulebook, listed: Listed, complain: Callable[[BrokenLine], None] = lambda _: None) -> None:
        self.skipped: Counter[str] = Counter()
        self._complain = complain
        self._contracts: dict[Venue, Contracts] = {venue: of_recording(venue, header.markets.get(venue, {})) for venue in Venue}
        self._rulebook, self._listed = rulebook, listed
        self._intake, self._detector, self._scans = Intake(), LiquidationDetector(rulebook), ScanReplay(rulebook, listed)
        self._newest: dict[str, Incident] = {}  # by fingerprint
        self._open: dict[str, None] = {}  # those that are not over, in their order
        self._events: list[Event] = []
        self._made = 0
        self._clock_ms = 0

    def run(self, arrivals: Iterable[Arrival]) -> Iterator[Event]:
        """Every event of the recording, in printing order; incidents that are not due at its end stay open."""
        for arrival in arrivals:
            if arrival.at_ms > self._clock_ms:
                self._finish_scan()
                self._advance(arrival.at_ms)
                yield from self._due_events(self._clock_ms - PEAK_EVERY_MS)
            if arrival.feed == "liquidations":
                self._liquidations(arrival)
            else:
                self._scanned(arrival)
        self._finish_scan()
        for due in self._detector.flush(self._clock_ms + PEAK_EVERY_MS):
            self._decide(due)
        yield from self._due_events(self._clock_ms + 1)

    def _liquidations(self, arrival: Arrival) -> None:
        frame = parse_arrival(arrival, self._contracts)
        if frame.malformed:
            self._malformed(arrival, frame.sample, frame.malformed)
        for reason, rows in frame.dropped.items():
            self.skipped[f"{arrival.venue}: {reason}"] += rows
        admission = self._intake.admit(frame.liquidations, self._clock_ms)
        for _, reason in admission.kept_out:
            self.skipped[f"{arrival.venue}: {reason}"] += 1
        if admission.repeats:
            self.skipped[f"{arrival.venue}: repeated"] += admission.repeats
        for signal in self._detector.observe(admission.counted, self._clock_ms, self._listed_on):
            self._decide(signal)

    def _scanned(self, arrival: Arrival) -> None:
        try:
            self._scans.add(arrival)
        except ODD as error:
            self._malformed(arrival, str(error)[:80])

    def _malformed(self, arrival: Arrival, sample: str, rows: int = 1) -> None:
        self.skipped[f"{arrival.venue}: malformed {arrival.feed}"] += rows
        self._complain(BrokenLine(arrival.number, f"malformed {arrival.feed} of {arrival.venue}: {sample}"))

    def _finish_scan(self) -> None:
        for signal in self._scans.finish(self._clock_ms):
            self._decide(signal)

    def _listed_on(self, asset: str) -> int:
        return len(self._listed.get(("liquidations", asset), ()))

    def _advance(self, at_ms: int) -> None:
        """Move the clock: first the peaks that were held back, then the incidents that are over."""
        self._clock_ms = at_ms
        for signal in self._detector.flush(self._clock_ms):
            self._decide(signal)
        for fingerprint in [open_one for open_one in self._open if self._newest[open_one].closes_at_ms <= self._clock_ms]:
            self._close(self._newest[fingerprint])
            self._newest[fingerprint] = replace(self._newest[fingerprint], over=True)
            del self._open[fingerprint]

    def _decide(self, signal: Signal) -> None:
        decision = decide(self._newest.get(signal.fingerprint), signal, self._rulebook.rule(signal.kind, signal.asset))
        if decision.closed is not None:
            self._close(decision.closed)
        if decision.incident is None:
            return
        self._newest[signal.fingerprint] = decision.incident
        self._open[signal.fingerprint] = None
        if decision.outcome in PRINTED:
            self._print(signal.received_at_ms, decision.outcome, signal.kind, signal, decision.grade.severity, alert_text(decision.incident).plain)

    def _close(self, incident: Incident) -> None:
        self._print(incident.closes_at_ms, CLOSED, incident.kind, incident.peak, incident.severity, alert_text(replace(incident, over=True)).plain)

    def _print(self, at_ms: int, name: str, kind: Kind, measured: Signal, severity: Severity, text: str) -> None:
        self._made += 1
        heapq.heappush(self._events, Event(at_ms, kind, measured.asset, measured.direction, self._made, name, severity, measured, text))

    def _due_events(self, before_ms: int) -> Iterator[Event]:
        """Events from before `before_ms`; a peak that was held back may still put one among the later ones."""
        while self._events and self._events[0].at_ms < before_ms:
            yield heapq.heappop(self._events)


def parse_arrival(arrival: Arrival, contracts: dict[Venue, Contracts]) -> ParsedFrame:
    """The frame of one arrival; one that is not understood counts as one malformed row."""
    try:
        return parser_for(arrival.venue).parse_payload(arrival.payload, contracts[arrival.venue])
    except MalformedFrame as error:
        return ParsedFrame(malformed=1, sample=error.sample)


def venues_of_assets(header: Header, arrivals: Iterable[Arrival]) -> Listed:
    """The venues that list each asset, by feed and asset, as far as a recording shows: in its header, or by an event of that asset."""
    contracts = {venue: of_recording(venue, header.markets.get(venue, {})) for venue in Venue}
    found: dict[tuple[str, str], set[Venue]] = defaultdict(set)
    for venue in Venue:
        for contract in filter(None, map(contracts[venue].find, header.markets.get(venue, {}))):
            found["liquidations", contract.asset].add(venue)
    for arrival in arrivals:
        for asset in _assets_of(arrival, contracts):
            found[arrival.feed, asset].add(arrival.venue)
    return found


def _assets_of(arrival: Arrival, contracts: dict[Venue, Contracts]) -> set[str]:
    if arrival.feed == "liquidations":
        return {event.asset for event in parse_arrival(arrival, contracts).liquidations}
    try:
        return {asset_of_symbol(arrival.payload["symbol"])[0]}
    except (AttributeError, LookupError, TypeError, ValueError):
        return set()  # malformed: said when it is replayed


def _number(value: Decimal, unit: Unit) -> float:
    return float(round(value, 2 if unit is Unit.USD else 4))
