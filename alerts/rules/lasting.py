"""What does a summary say of an incident that lasts? Its running total, and when the next one is due."""

from datetime import datetime, timedelta

from alerts.rules.incident import Incident
from alerts.rules.liquidation_text import LIQUIDATED, bounded
from alerts.rules.scan_text import scan_story
from alerts.rules.text import SCANNED, Text, when_line
from monitors.market import Kind
from monitors.thresholds import Severity

EVERY = timedelta(minutes=30)
LOWEST = Severity.HIGH  # of incidents that have summaries


def summaries_due(opened_at: datetime, last_seen_at: datetime) -> int:
    """How many summaries an incident has given rise to that was last seen then."""
    return (last_seen_at - opened_at) // EVERY


def summary_due_at(opened_at: datetime, number: int) -> datetime:
    """When summary `number` of an incident is due; the first is 1."""
    return opened_at + number * EVERY


def summary_text(incident: Incident) -> Text:
    """The message, as the incident stands; of open interest and volume the largest, for their measurements are no parts of a total."""
    peak, tally = incident.peak, incident.tally
    minutes = (incident.last_seen_ms - incident.opened_at_ms) // 60_000
    if incident.kind in SCANNED:
        story, most = scan_story(peak), f"The most so far, within {peak.window_s // 60} min"
    else:
        events = f"{tally.events:,} {'event' if tally.events == 1 else 'events'}"
        story = f"{LIQUIDATED[peak.direction]} {bounded(tally.usd, peak)} in {events}"
        most = f"The most: {bounded(peak.value, peak)} {f'in {peak.window_s} s' if peak.kind is Kind.CASCADE else 'in one order'}"
    return Text(f"Summary, {minutes} min: {incident.severity.name} {peak.asset} {story}", (most, when_line(incident)))
