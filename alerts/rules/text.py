"""What does an alert say? The incident as lines of text: what was measured, no advice, no forecast."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from urllib.parse import quote

from alerts.rules.incident import Incident
from alerts.rules.liquidation_text import liquidation_lines, liquidation_story
from alerts.rules.scan_text import missing_venues, scan_lines, scan_story
from monitors.detectors.confirmation import confirming_venues
from monitors.market import Kind, from_epoch_ms
from monitors.thresholds import Severity

MAX_TEXT = 4096  # characters, Telegram's limit
LOCK_SCREEN = 60  # characters of a notification that a phone shows for sure
SCANNED = frozenset({Kind.OPEN_INTEREST, Kind.VOLUME})
MARKS = {Severity.BELOW_LOW: "🔔", Severity.LOW: "🟡", Severity.MODERATE: "🟠", Severity.HIGH: "🔴", Severity.EXTREME: "🚨"}  # for lists
CHART = "https://www.tradingview.com/chart/?symbol="


@dataclass(frozen=True, slots=True)
class Text:
    """A message: a headline, lines below it, and the address of a chart ("" for none)."""

    headline: str
    lines: tuple[str, ...]
    chart: str = ""

    @property
    def plain(self) -> str:
        """As the terminal shows it."""
        return "\n".join((self.headline, *self.lines, *([f"Chart: {self.chart}"] if self.chart else [])))[:MAX_TEXT]

    @property
    def html(self) -> str:
        """As Telegram's HTML mode takes it; the limit counts what is shown, and our lines stay far below it."""
        link = [f'<a href="{escape(self.chart)}">Chart</a>'] if self.chart else []
        return "\n".join((f"<b>{escape(self.headline, quote=False)}</b>", *(escape(line, quote=False) for line in self.lines), *link))


def alert_text(incident: Incident, *, late_s: int | None = None, record: str = "", also: Sequence[str] = ()) -> Text:
    """The message for an incident as it stands.

    `late_s` states the age of a message that comes late, `record` how rare it is, `also` are the lines of its companions.
    """
    lines = scan_lines(incident.peak, incident.rule) if incident.kind in SCANNED else liquidation_lines(incident)
    lines += [record] if record else []
    lines.append(_confirmation(incident))
    lines.append(when_line(incident))
    lines += also
    if late_s is not None:
        lines.append(f"This message comes {late_s} s after the detection")
    chart = incident.peak.details.get("chart", "")
    return Text(headline(incident), tuple(lines), f"{CHART}{quote(chart, safe='')}" if chart else "")


def headline(incident: Incident) -> str:
    """The line for a lock screen: severity, asset, what happened, how much, the price and its change."""
    loud = "your threshold:" if incident.severity is Severity.BELOW_LOW else incident.severity.name
    beginning = f"{loud} {incident.peak.asset} "
    if incident.kind in SCANNED:
        return beginning + scan_story(incident.peak)
    return beginning + liquidation_story(incident.peak, LOCK_SCREEN - len(beginning))


def _confirmation(incident: Incident) -> str:
    peak = incident.peak
    if peak.listed_on <= 1 and not missing_venues(peak):
        return "Listed on one venue only"
    note = ", unconfirmed: one step lower" if incident.unconfirmed else ""
    return f"{confirming_venues(peak)} of {peak.listed_on} venues{note}{missing_venues(peak)}"


def when_line(incident: Incident) -> str:
    """Since when, or from when to when."""
    opened = from_epoch_ms(incident.opened_at_ms)
    if not incident.over:
        return f"Since {_clock(opened)} UTC"
    return f"{_clock(opened)} to {_clock(from_epoch_ms(incident.last_seen_ms))} UTC, over"


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
