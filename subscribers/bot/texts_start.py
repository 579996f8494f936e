"""What do /start and its three taps say?"""

import textwrap
from collections.abc import Mapping
from datetime import datetime
from html import escape

from alerts.history import line_of
from alerts.rules.outcome import in_words
from alerts.rules.text import MARKS
from monitors.thresholds import Severity
from subscribers.bot.expected import Expected, Seen
from subscribers.bot.guided import ASSETS, KINDS, Taps
from subscribers.bot.texts import ago, plural
from subscribers.wording import Choices, wanted_lines

SUBSCRIBED = "You are subscribed."
PAUSED = "Paused: this chat gets no alerts until /start."
QUESTIONS = ("which assets?", "which kinds of alerts?", "how loud must it be?")
NOTHING_TO_DO = "You need not do anything more. Three taps make it yours:"
READY = "Done. /settings changes everything, one by one; /set sets thresholds of your own; /help shows all commands."
KEPT = "Your own thresholds were kept."
OWN_CHOICES = "These are the choices you made. /settings changes them, /help shows all commands."
CHOOSE_ANEW, KEEP_MINE = "Choose anew in three taps", "Keep my choices"
ALWAYS_LATER = "/settings changes everything, /help shows all commands."
MAX_CHOICES = 800  # characters of each kind's choices: all kinds and what stands beside them stay below Telegram's 4096


def start(title: str, choices: Choices, seen: Expected, end: str, now: datetime) -> str:
    """What the chat gets, what that would have brought, and what can be done now (`end`)."""
    return "\n\n".join([f"<b>{escape(title)}</b>", gets(choices), would_have_brought(seen, now), end])


def gets(choices: Choices) -> str:
    """What a chat gets, one line for kinds with the same choices."""
    lines = [textwrap.shorten(line, MAX_CHOICES, placeholder=" ...") for line in wanted_lines(choices)]
    return "This chat gets:\n" + ("\n".join(map(escape, lines)) or "nothing yet.")


def would_have_brought(seen: Expected, now: datetime) -> str:
    """In the last 7 days: 12 such alerts. The last three: ..."""
    said = f"<b>In the last 7 days: {plural(seen.in_period, 'such alert')}.</b>"
    if not seen.last:
        return said
    which = "The last one" if len(seen.last) == 1 else f"The last {len(seen.last)}"
    return f"{said} {which}:\n" + "\n".join(_line(each, now) for each in seen.last)


def question(taps: Taps, *, first: bool = False) -> str:
    """The question that is next, and what the taps so far were."""
    said = f"<b>{taps.step + 1} of {len(QUESTIONS)}: {QUESTIONS[taps.step]}</b>"
    return f"{NOTHING_TO_DO}\n{said}" if first else said


def loud_label(severity: Severity, count: int) -> str:
    """A button of the last question: MODERATE (12 in 7 days)."""
    return f"{severity.name} ({count:,} in 7 days)"


def labels(taps: Taps) -> Mapping[str, str]:
    """The buttons of the first two questions, by their letter."""
    return ASSETS if taps.step == 0 else {letter: label for letter, (label, _) in KINDS.items()}


def subscribed_to(title: str, description: str) -> str:
    """The heading after a preset's link."""
    return f"You are subscribed to {title}." + (f" {description}" if description else "")


def unknown_preset(slug: str, *, new: bool) -> str:
    """The heading after a link that leads nowhere."""
    instead = "these are the usual ones" if new else "this chat keeps its own"
    return f"You are subscribed. The choices “{textwrap.shorten(slug, 48, placeholder='…')}” of this link are not known; {instead}."


def offer(title: str) -> str:
    """Asks whether a preset shall take the place of somebody's own choices."""
    return f"This chat has choices of its own. Shall those of “{escape(title)}” take their place? Your own thresholds would go as well."


def use_label(title: str) -> str:
    """The button that says yes."""
    return textwrap.shorten(f"Use {title}", 60, placeholder="…")


def _line(seen: Seen, now: datetime) -> str:
    alert = seen.alert
    after = ", ".join(map(in_words, seen.outcomes))
    return f"{MARKS[Severity(alert.severity)]} {escape(line_of(alert))}\n{ago(now - alert.opened_at)}; {escape(after)}; /alert_{alert.pk}"
