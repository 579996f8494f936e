"""What does a digest say? One line an incident that was held back, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.rules.incident import Incident
from alerts.rules.liquidation_text import LIQUIDATED, bounded
from alerts.rules.scan_text import scan_story
from alerts.rules.text import SCANNED, Text
from monitors.thresholds import Severity

MOST_LINES = 20
A_DAY = timedelta(days=1)  # so long a time of day tells which one is meant
NOT_IN_TIME = "not sent in time"


@dataclass(frozen=True, slots=True)
class Held:
    """One line: `at` is when the incident opened, on the subscriber's clock; `came_of` and `in_time` may have nothing to say."""

    at: datetime
    what: str
    severity: Severity
    in_time: bool = True
    came_of: str = ""


def digest_text(held: Sequence[Held], more: int, reasons: Mapping[str, int], time_zone: str, now: datetime) -> Text:
    """The message: `held` has at most MOST_LINES in the order of time, `more` have no line, `reasons` say of how many each was the reason."""
    dated = any(now - line.at >= A_DAY for line in held)
    lines = [_line(line, dated=dated) for line in held]
    if more:
        lines.append(f"and {more} more")
    why = ", ".join(f"{reason} {count}" for reason, count in reasons.items() if count)
    lines.append(f"Why: {why}. Times: {time_zone}")
    count = len(held) + more
    return Text(f"Held back: {count} {'alert' if count == 1 else 'alerts'}", tuple(lines))


def in_digest(incident: Incident) -> str:
    """ETH longs liquidated ≥ $8.1M; BTC open interest −9.10 %."""
    peak = incident.peak
    what = scan_story(peak) if incident.kind in SCANNED else f"{LIQUIDATED[peak.direction]} {bounded(peak.value, peak)}"
    return f"{peak.asset} {what}"


def _line(held: Held, *, dated: bool) -> str:
    moment = f"{held.at:%b %d %H:%M}" if dated else f"{held.at:%H:%M}"
    loud = "your threshold" if held.severity is Severity.BELOW_LOW else held.severity.name
    return f"{moment} {held.what}, {loud}{'' if held.in_time else f', {NOT_IN_TIME}'}{held.came_of and f'; {held.came_of}'}"
