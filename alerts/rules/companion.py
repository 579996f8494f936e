"""What belongs to one story though it is of another kind? Which incident another one's message tells of, and the line that it has there."""

from datetime import datetime, timedelta

from alerts.rules.incident import Incident
from alerts.rules.liquidation_text import liquidation_story
from alerts.rules.scan_text import scan_story
from alerts.rules.text import SCANNED
from alerts.rules.wide_text import confirmation_in_short
from monitors.market import Kind, family_of, from_epoch_ms
from monitors.thresholds import Severity

WITHIN = timedelta(minutes=2)
ROOM = 200  # characters of a line: nothing has to be left out


def accompanies(kind: Kind, severity: Severity, at: datetime, host_kind: Kind, host_severity: Severity, host_opened_at: datetime) -> bool:
    """Whether an incident that is told `at` this time becomes a line of an open one of the same asset."""
    return family_of(kind) != family_of(host_kind) and severity <= host_severity and abs(at - host_opened_at) <= WITHIN


def companion_line(incident: Incident) -> str:
    """Also MODERATE: open interest −4.23 %, 2 of 3 venues, since 14:02:11 UTC."""
    loud = "your threshold" if incident.severity is Severity.BELOW_LOW else incident.severity.name
    story = scan_story(incident.peak) if incident.kind in SCANNED else liquidation_story(incident.peak, ROOM)
    over = ", over" if incident.over else ""
    return f"Also {loud}: {story}, {confirmation_in_short(incident)}, since {from_epoch_ms(incident.opened_at_ms):%H:%M:%S} UTC{over}"
