"""How often does each level fire? Recordings through the live detectors and rules, counted per kind and asset."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from alerts.replay import Event, Listed, Replay, venues_of_assets
from alerts.rules.incident import Outcome
from monitors.detectors.baseline import DAY_MS
from monitors.market import Kind, Venue
from monitors.recording import Arrival, Header, RecordingReader
from monitors.thresholds import Rulebook, Severity

LEVELS = (Severity.LOW, Severity.MODERATE, Severity.HIGH, Severity.EXTREME)
KINDS_OF_FEED: Mapping[str, tuple[Kind, ...]] = {
    "liquidations": (Kind.LIQUIDATION, Kind.CASCADE), "open_interest": (Kind.OPEN_INTEREST,), "candles": (Kind.VOLUME,),
}  # fmt: skip
LONGEST_GAP_MS = 3_600_000  # a longer silence is an outage of the recording: an hour of it counts as seen
WARM_UP_DAYS = {Kind.VOLUME: 6}  # of 7 days and the last 96 candles, nine tenths have to be there before the first verdict
ANY_OTHER = ""

Reached = Counter[tuple[Kind, str, Severity]]


@dataclass(frozen=True, slots=True)
class Rate:
    """Alerts of one kind in one recording: `reached` counts those that opened at a level or escalated to it or past it.

    `asset` is "" for all assets without a rule of their own, `assets` how many were seen, `days` how long they could be judged.
    """

    kind: Kind
    asset: str
    assets: int
    days: float
    venues: tuple[Venue, ...]
    reached: Mapping[Severity, int]

    def a_day(self, level: Severity) -> float:
        """Alerts per asset and day."""
        return self.reached[level] / self.days / self.assets if self.days > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One recording: its rates with the rules, and those of volume where the dollars asked for are cut to the venues that are in it."""

    name: str
    source: str
    rates: Sequence[Rate]
    cut_to_venues: Sequence[Rate]


def measure(path: Path, rulebook: Rulebook) -> Measured:
    """Replay one recording; raises UnreadableRecording or OSError."""
    reader = RecordingReader(path)
    listed = venues_of_assets(reader.header, _sound(reader))
    rates = _rates(path, reader.header, rulebook, listed)
    most = max((len(venues) for (feed, _), venues in listed.items() if feed == "candles"), default=len(Venue))
    if most == len(Venue):
        return Measured(path.name, reader.header.source, rates, ())
    again = _rates(path, reader.header, _cut(rulebook, most), listed)
    return Measured(path.name, reader.header.source, rates, [rate for rate in again if rate.kind is Kind.VOLUME])


def count_reached(events: Iterable[Event]) -> Reached:
    """Count each level once for each incident, under the kind of the signal that reached it."""
    reached: Reached = Counter()
    highest: dict[str, Severity] = {}
    for event in events:
        story = event.measured.fingerprint
        if event.name == Outcome.OPENED:
            highest[story] = Severity.BELOW_LOW
        if event.name in (Outcome.OPENED, Outcome.ESCALATED):
            reached.update((event.kind, event.asset, level) for level in LEVELS if highest[story] < level <= event.severity)
            highest[story] = max(highest[story], event.severity)
    return reached


@dataclass(slots=True)
class _Seen:
    """How long each feed was seen, in ms, silences cut to the longest gap."""

    ms: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    last_ms: dict[str, int] = field(default_factory=dict)

    def watch(self, arrivals: Iterable[Arrival]) -> Iterator[Arrival]:
        for arrival in arrivals:
            gap_ms = arrival.at_ms - self.last_ms.get(arrival.feed, arrival.at_ms)
            self.ms[arrival.feed] += min(gap_ms, LONGEST_GAP_MS)
            self.last_ms[arrival.feed] = arrival.at_ms
            yield arrival


def _rates(path: Path, header: Header, rulebook: Rulebook, listed: Listed) -> list[Rate]:
    seen = _Seen()
    reached = count_reached(Replay(header, rulebook, listed).run(seen.watch(_sound(RecordingReader(path)))))
    groups: dict[tuple[str, Kind, str], set[str]] = defaultdict(set)
    for feed, asset in listed:
        for kind in KINDS_OF_FEED[feed]:
            groups[feed, kind, asset if (kind, asset) in rulebook.rules else ANY_OTHER].add(asset)
    return [
        Rate(
            kind, group, len(assets), max(0.0, seen.ms[feed] / DAY_MS - WARM_UP_DAYS.get(kind, 0)),
            tuple(sorted(frozenset().union(*(listed[feed, asset] for asset in assets)))),
            {level: sum(reached[kind, asset, level] for asset in assets) for level in LEVELS},
        )
        for (feed, kind, group), assets in sorted(groups.items(), key=lambda entry: (list(Kind).index(entry[0][1]), entry[0][2] == ANY_OTHER, entry[0][2]))
    ]  # fmt: skip


def _cut(rulebook: Rulebook, venues: int) -> Rulebook:
    """The same rules for fewer venues: the minimum in dollars is meant for the sum of all."""
    share = Decimal(venues) / len(Venue)
    return Rulebook({key: replace(rule, min_usd=rule.min_usd * share) for key, rule in rulebook.rules.items()})


def _sound(reader: RecordingReader) -> Iterator[Arrival]:
    return (line for line in reader if isinstance(line, Arrival))
