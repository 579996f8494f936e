"""What does /whynot say?"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from html import escape

from alerts.rules.summary import summary
from alerts.rules.text import MARKS
from alerts.rules.why_text import threshold
from alerts.told import IN_DIGESTS
from alerts.whynot import Because, Finding
from monitors.blind_spots import Span
from monitors.market import UNIT_OF_KIND, Kind
from monitors.thresholds import Severity
from subscribers.bot.clock import Clock
from subscribers.bot.texts_told import step_in_words
from subscribers.wording import PLURALS

USAGE = "Write an asset and a time, such as <code>/whynot BTC 14:05</code> or <code>/whynot BTC 2026-11-21 14:05</code>; without a time it is the last hour."
STRANGER = "This chat is not subscribed, so nothing is sent to it. /start subscribes it."
AS_TODAY = "as you have it today; what you wanted then is not on record"
UNLISTED = "No watched venue lists it."
UNWATCHED = "It is not among the assets that are watched now."
NOTHING = "Nothing was measured that is large enough to be kept."


def not_understood(problem: str) -> str:
    """What is wrong with the words after /whynot."""
    return f"{escape(problem)}\n{USAGE}"


def findings(asset: str, span: tuple[datetime, datetime], found: Sequence[Finding], clock: Clock) -> str:
    """The strongest signals of the span, each with what became of it."""
    since, until = span
    title = f"<b>{escape(asset or 'All assets')}, {clock.minutes(since)} to {clock.minutes(until)}</b>"
    return "\n\n".join([title, *(_finding(finding, clock) for finding in found)])


def blind(spots: Sequence[Span], clock: Clock) -> list[str]:
    """What could not be seen then; nothing when all could."""
    lines = [f"{spot.venue.title}, {spot.feed}: {_from_to(spot, clock)}" for spot in spots]
    return ["<b>Not seen then</b>\n" + "\n".join(map(escape, lines))] if lines else []


def small(asset: str, floors: Mapping[Kind, Decimal | None]) -> str:
    """From which value on measurements were kept."""
    kept = ", ".join(f"{PLURALS[kind]} {threshold(floor, UNIT_OF_KIND[kind])}" for kind, floor in floors.items() if floor is not None)
    off = ", ".join(PLURALS[kind] for kind, floor in floors.items() if floor is None)
    lines = [f"Of {escape(asset)} only what reached this was kept: {kept}."] if kept else []
    return "\n".join([*lines, *([f"The operator had switched off: {off}."] if off else [])])


def not_kept(days: int) -> str:
    """The span is older than what is kept."""
    return f"Signals that led to no alert are kept for {days} days."


def _from_to(spot: Span, clock: Clock) -> str:
    since = f"from {clock.seconds(spot.since)}"
    return f"{since} to {clock.seconds(spot.until)}" if spot.until is not None else f"{since} on, still so"


def _finding(finding: Finding, clock: Clock) -> str:
    """When and what it was, then what became of it."""
    signal, severity = finding.signal, finding.severity or Severity.BELOW_LOW
    what = summary(severity, Kind(signal.kind), signal.as_value())
    return f"{MARKS[severity]} {clock.seconds(signal.received_at)} {escape(what)}\n{_became(finding, clock)}"


def _became(finding: Finding, clock: Clock) -> str:
    step = finding.step
    if step is None:
        reason = finding.note if finding.because is Because.UNWANTED else finding.because.value
        note = f" ({finding.note})" if finding.note and finding.because is not Because.UNWANTED else ""
        return f"Not sent: {escape(reason + note)}{f' ({AS_TODAY})' if finding.as_today else ''}."
    link = f"/alert_{step.delivery.alert_id}"
    told = escape(step_in_words(step, clock))
    in_digest = step.delivery.state in IN_DIGESTS
    match finding.because:
        case Because.REACHED if not in_digest:
            return f"It did reach this chat: {told}; {link}"
        case Because.TOLD_LOUDER:
            return f"A higher step followed{'' if in_digest else ' and did reach this chat'}: {told}; {link}"
        case Because.TOLD_BEFORE:
            return f"Part of an incident of which this chat had a message, {told}; {link}"
    return f"{told[:1].upper()}{told[1:]}; {link}"
