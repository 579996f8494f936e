"""What does /alert say?"""

from collections.abc import Sequence
from decimal import Decimal
from html import escape

from alerts.history import line_of
from alerts.incidents import closes_at
from alerts.models import Alert, Decision, Outcome
from alerts.rules.money import percent
from alerts.rules.outcome import in_words
from alerts.rules.summary import amount
from alerts.rules.text import MARKS
from alerts.told import Step
from alerts.votes import Votes
from monitors.thresholds import Severity
from subscribers.bot.clock import Clock
from subscribers.bot.texts_told import step_in_words

NONE_YET = "This chat has had no alert yet. /recent shows the last ones."
NOT_MEASURED = "Not known yet."


def not_found(text: str, command: str) -> str:
    """There is no such alert, or none yet."""
    if not text:
        return NONE_YET
    return f"There is no alert <b>{escape(text[:40])}</b>. Write /{command} and its number, as in <code>/{command} 17</code>; /recent shows the last ones."


def alert(alert: Alert, points: Sequence[Decision], others: int, outcomes: Sequence[Outcome], steps: Sequence[Step] | None, votes: Votes, clock: Clock) -> str:
    """The incident from its first signal on; `others` are the signals that are not among `points`, `steps` None is a chat that is not subscribed."""
    title = f"<b>{MARKS[Severity(alert.severity)]} #{alert.pk} {escape(line_of(alert))}</b>"
    parts = [
        f"{title}\n{_span(alert, clock)}",
        "<b>What happened</b>\n" + "\n".join(_happened(alert, points, others, clock)),
        "<b>What the price did</b>\n" + ("\n".join(map(_move, outcomes)) or NOT_MEASURED),
        "<b>This chat</b>\n" + "\n".join(_told(alert, steps, clock)),
        *([f"Votes: {votes.useful} useful, {votes.noise} noise"] if votes.useful or votes.noise else []),
        clock.note,
    ]
    return "\n\n".join(parts)


def _span(alert: Alert, clock: Clock) -> str:
    if alert.closed_at is None:
        return f"Since {clock.seconds(alert.opened_at)}, still open"
    return f"{clock.seconds(alert.opened_at)} to {clock.seconds(alert.last_seen_at)}, over"


def _happened(alert: Alert, points: Sequence[Decision], others: int, clock: Clock) -> list[str]:
    lines = [_point(alert, decision, clock) for decision in points]
    if others:
        lines.append(f"and {others:,} other signal{'s' * (others > 1)}")
    if alert.closed_at is not None:
        lines.append(f"{clock.seconds(closes_at(alert))} over, after {alert.cooldown_s} s without a signal of LOW or more")
    return lines


def _point(alert: Alert, decision: Decision, clock: Clock) -> str:
    signal = decision.signal.as_value()
    graded = f" at {decision.get_severity_display()}" if decision.severity else " by somebody's own threshold"
    largest = ", the largest" if decision.signal_id == alert.peak_id else ""
    note = f" ({escape(decision.reason)})" if decision.reason else ""
    return f"{clock.seconds(decision.signal.received_at)} {decision.outcome.replace('_', ' ')}{graded}: {escape(amount(signal))}{largest}{note}"


def _move(outcome: Outcome) -> str:
    words = escape(in_words(outcome))
    if outcome.up_pct is None or outcome.down_pct is None:
        return words
    lowest, highest = (percent(Decimal(str(number))) for number in (outcome.down_pct, outcome.up_pct))
    return f"{words}, between {lowest} and {highest}"


def _told(alert: Alert, steps: Sequence[Step] | None, clock: Clock) -> list[str]:
    if steps is None:
        return ["It is not subscribed. /start subscribes it."]
    if not steps:
        return [f"Nothing was sent to it. <code>/whynot {escape(alert.asset)} {clock.minutes(alert.opened_at)}</code> says why."]
    return [f"{step.delivery.get_severity_display()}: {escape(step_in_words(step, clock))}" for step in steps]
