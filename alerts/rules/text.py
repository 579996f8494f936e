"""What does an alert say? The incident as lines of text: what was measured, no advice, no forecast."""

from dataclasses import dataclass
from datetime import datetime
from html import escape

from alerts.rules.incident import Incident
from alerts.rules.money import dollars, price
from alerts.rules.scan_text import missing_venues, scan_lines, scan_story
from monitors.detectors.confirmation import confirming_venues
from monitors.market import Direction, Kind, Signal, Venue, from_epoch_ms
from monitors.thresholds import Severity

MAX_TEXT = 4096  # characters, Telegram's limit
MARKS = {Severity.BELOW_LOW: "🔔", Severity.LOW: "🟡", Severity.MODERATE: "🟠", Severity.HIGH: "🔴", Severity.EXTREME: "🚨"}
SAMPLED = {Venue.BINANCE, Venue.OKX}  # these push about one liquidation a contract and second: their dollars are a floor
SCANNED = {Kind.OPEN_INTEREST, Kind.VOLUME}
CLOSED_PERSON = {Direction.LONG: "long", Direction.SHORT: "short"}


@dataclass(frozen=True, slots=True)
class Text:
    """A message: a headline and lines below it."""

    headline: str
    lines: tuple[str, ...]

    @property
    def plain(self) -> str:
        """As the terminal shows it."""
        return "\n".join((self.headline, *self.lines))[:MAX_TEXT]

    @property
    def html(self) -> str:
        """As Telegram's HTML mode takes it; the limit counts what is shown, and our lines stay far below it."""
        return "\n".join((f"<b>{escape(self.headline, quote=False)}</b>", *(escape(line, quote=False) for line in self.lines)))


def alert_text(incident: Incident, *, closed: bool = False, late_s: int | None = None) -> Text:
    """The message for an incident as it stands; `late_s` states the age of a message that comes late."""
    lines = scan_lines(incident.peak, incident.rule) if incident.kind in SCANNED else _liquidation_lines(incident)
    lines.append(_confirmation(incident))
    lines.append(_since(incident, closed=closed))
    if late_s is not None:
        lines.append(f"This message comes {late_s} s after the detection")
    return Text(headline(incident), tuple(lines))


def headline(incident: Incident) -> str:
    """One line: severity, asset and what happened."""
    loud = "your threshold" if incident.severity is Severity.BELOW_LOW else incident.severity.name
    if incident.kind in SCANNED:
        story = scan_story(incident.peak)
    else:
        person = CLOSED_PERSON[incident.peak.direction]
        story = f"{person}s liquidated in a cascade" if incident.kind is Kind.CASCADE else f"{person} liquidated"
    return f"{MARKS[incident.severity]} {loud}: {incident.peak.asset} {story}"


def summary(incident: Incident) -> str:
    """One line with the dollars, for lists."""
    if incident.kind in SCANNED:
        return headline(incident)
    return f"{headline(incident)}, {_bound(incident.peak)}{dollars(incident.peak.value)}"


def _liquidation_lines(incident: Incident) -> list[str]:
    peak = incident.peak
    lines = [_measured(peak)]
    if peak.kind is not incident.kind:
        lines.append("Smaller liquidations followed in a cascade")
    if len(peak.venues) > 1:
        lines.append(", ".join(_part(venue, peak) for venue in peak.venues))
    return lines


def _measured(peak: Signal) -> str:
    person = CLOSED_PERSON[peak.direction]
    at = f", last price {price(peak.price)}" if peak.price is not None else ""
    if peak.kind is Kind.LIQUIDATION:
        return f"One {person} of {dollars(peak.value)} liquidated{_on_venues(peak)}{at}"
    bound = "At least " if _bound(peak) else ""
    return f"{bound}{dollars(peak.value)} of {person}s liquidated in {peak.window_s} s{_on_venues(peak)}, {peak.count} events{at}"


def _on_venues(peak: Signal) -> str:
    return f" ({', '.join(venue.title for venue in peak.venues)})"


def _bound(peak: Signal) -> str:
    return "≥ " if peak.kind is Kind.CASCADE and SAMPLED & set(peak.venues) else ""


def _part(venue: Venue, peak: Signal) -> str:
    return f"{venue.title} {'≥ ' if venue in SAMPLED else ''}{dollars(peak.venues[venue])}"


def _confirmation(incident: Incident) -> str:
    peak = incident.peak
    if peak.listed_on <= 1:
        return "Listed on one venue only"
    note = ", unconfirmed: one step lower" if incident.unconfirmed else ""
    return f"{confirming_venues(peak)} of {peak.listed_on} venues{note}{missing_venues(peak)}"


def _since(incident: Incident, *, closed: bool) -> str:
    opened = from_epoch_ms(incident.opened_at_ms)
    if not closed:
        return f"Since {_clock(opened)} UTC"
    return f"{_clock(opened)} to {_clock(from_epoch_ms(incident.last_seen_ms))} UTC, over"


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
