"""What does /recent say?"""

from collections.abc import Sequence
from html import escape

from alerts.history import line_of
from alerts.models import Alert
from alerts.recent import Filter
from alerts.rules.outcome import in_words
from alerts.rules.text import MARKS
from monitors.thresholds import Severity
from subscribers.bot.clock import Clock
from subscribers.bot.texts import ago
from subscribers.wording import PLURALS

NEWER, OLDER = "‹ newer", "older ›"
SHOW_ALL, SHOW_MINE = "Show all alerts", "Show only what this chat got"
NONE_FITS = "None yet."
USAGE = "Try <code>/recent</code>, <code>/recent BTC</code>, <code>/recent cascade HIGH</code> or <code>/recent mine</code>; the words may come in any order."


def page(alerts: Sequence[Alert], which: Filter, *, mine: bool, clock: Clock) -> str:
    """A page of alerts under what it shows."""
    return f"<b>{escape(_title(which, mine))}</b>\n\n" + ("\n\n".join(_lines(alert, clock) for alert in alerts) or NONE_FITS)


def not_understood(problem: str) -> str:
    """What is wrong with the words after /recent."""
    return f"{escape(problem)}\n{USAGE}"


def _title(which: Filter, mine: bool) -> str:
    """Last alerts of BTC, cascades, from HIGH, that this chat got."""
    parts = [f"Last alerts of {which.asset}" if which.asset else "Last alerts"]
    parts += [PLURALS[which.kind]] if which.kind else []
    parts += [f"from {which.lowest.name}"] if which.lowest > Severity.LOW else []
    parts += ["that this chat got"] if mine else []
    return ", ".join(parts)


def _lines(alert: Alert, clock: Clock) -> str:
    """The alert, then its age, what the price did and how to see more."""
    facts = [ago(clock.now - alert.opened_at), *(in_words(outcome) for outcome in alert.outcomes.all()), f"/alert_{alert.pk}"]
    return f"{MARKS[Severity(alert.severity)]} {escape(line_of(alert))}\n{', '.join(facts)}"
