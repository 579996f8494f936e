"""What does a market-wide message say? One line an asset, the largest first: the incidents as they stand."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from alerts.rules.incident import Incident
from alerts.rules.liquidation_text import LIQUIDATED, SAMPLED, bounded
from alerts.rules.money import dollars
from alerts.rules.scan_text import scan_story
from alerts.rules.text import MARKS, SCANNED, Text
from monitors.detectors.confirmation import confirming_venues
from monitors.market import Direction, Kind, family_of, from_epoch_ms
from monitors.thresholds import Severity

MOST_LINES = 20
OI_MOVED = {Direction.UP: "open interest up ▲", Direction.DOWN: "open interest down ▼"}


def wide_text(incidents: Iterable[Incident], *, late_s: int | None = None) -> Text:
    """The message for incidents of one family and direction; `late_s` states the age of a message that comes late."""
    found = sorted(incidents, key=lambda incident: (-incident.peak.value, incident.peak.asset))
    if not found:
        return Text("Market-wide: nothing to tell any more", ())
    lines = [_line(incident) for incident in found[:MOST_LINES]]
    if len(found) > MOST_LINES:
        lines.append(f"and {len(found) - MOST_LINES} more")
    lines.append(f"{_since(found)}; BTC, ETH and EXTREME are told apart")
    if late_s is not None:
        lines.append(f"This message comes {late_s} s after the detection")
    return Text(_headline(found), tuple(lines))


def _headline(found: Sequence[Incident]) -> str:
    return f"{loudest(found).name} {wide_story(found)}"


def loudest(found: Iterable[Incident]) -> Severity:
    """How severe the move is: as its most severe incident."""
    return max(incident.severity for incident in found)


def wide_story(found: Sequence[Incident]) -> str:
    """market-wide: 7 assets, longs liquidated ≥ $12.4M."""
    return f"market-wide: {len(found)} assets, {_story(found)}"


def _story(found: Sequence[Incident]) -> str:
    family, direction = family_of(found[0].kind), found[0].peak.direction
    if family == Kind.OPEN_INTEREST:
        return OI_MOVED[direction]
    if family == Kind.VOLUME:
        return "volume spikes"
    bound = "≥ " if any(SAMPLED & set(incident.peak.venues) for incident in found) else ""
    return f"{LIQUIDATED[direction]} {bound}{dollars(sum((incident.peak.value for incident in found), Decimal(0)))}"


def _line(incident: Incident) -> str:
    peak = incident.peak
    what = scan_story(peak) if incident.kind in SCANNED else f"{bounded(peak.value, peak)}{' in a cascade' * (incident.kind is Kind.CASCADE)}"
    over = ", over" if incident.over else ""
    return f"{MARKS[incident.severity]} {incident.severity.name} {peak.asset} {what}, {confirmation_in_short(incident)}{over}"


def confirmation_in_short(incident: Incident) -> str:
    """2 of 3 venues."""
    peak = incident.peak
    if peak.listed_on <= 1:
        return "one venue only"
    return f"{confirming_venues(peak)} of {peak.listed_on} venues{' (unconfirmed)' if incident.unconfirmed else ''}"


def _since(found: Sequence[Incident]) -> str:
    return f"Since {from_epoch_ms(min(incident.opened_at_ms for incident in found)):%Y-%m-%d %H:%M:%S} UTC"
