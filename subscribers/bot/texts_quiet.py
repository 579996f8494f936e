"""What is said of quiet hours and time zones?"""

from collections.abc import Mapping
from html import escape

from monitors.thresholds import Severity
from subscribers.bot.clock import Clock
from subscribers.preferences import OFF, QuietHours

OTHER_HOURS, NO_QUIET_HOURS, OTHER_ZONE = "Other hours …", "No quiet hours", "Another zone …"
LETS_THROUGH: Mapping[int, str] = {Severity.HIGH.value: "HIGH, EXTREME", Severity.EXTREME.value: "EXTREME", OFF: "Nothing"}
ASK_HOURS = (
    "From when to when? Write it like <code>23:00-07:00</code>, with a severity behind it that comes through all the same: <code>23:00-07:00 HIGH</code>."
)
ASK_ZONE = (
    "Which time zone? Write a city or zone such as <code>Zurich</code> or <code>America/New_York</code>, "
    "or an offset such as <code>+2</code> or <code>UTC+05:30</code>."
)
USAGE = (
    "For example <code>/quiet 23:00-07:00</code>, <code>/quiet 23:00-07:00 HIGH</code> or <code>/quiet off</code>; "
    "<code>/zone Zurich</code> sets the time zone."
)
HELD = "What comes meanwhile waits until their end and is told in one message then."
ZONE_IS_FOR = "Quiet hours follow it, and times in answers are shown in it."


def quiet(hours: QuietHours | None, clock: Clock) -> str:
    """The screen of quiet hours."""
    return f"<b>Quiet hours</b>\n{quiet_line(hours)} {_clock(clock)}\n{HELD}\n\n{USAGE}"


def quiet_set(hours: QuietHours | None, clock: Clock) -> str:
    """They were changed."""
    return f"{quiet_line(hours)} {_clock(clock)}" + (f"\n{HELD}" if hours else " What was held, if anything, comes in one message.")


def zone(clock: Clock) -> str:
    """The screen of the time zone."""
    return f"<b>Time zone</b>\n{_clock(clock)} {ZONE_IS_FOR}"


def zone_set(clock: Clock) -> str:
    """It was changed."""
    return f"{_clock(clock)} {ZONE_IS_FOR}"


def zone_label(name: str) -> str:
    """The button of a zone: New York."""
    return name.rpartition("/")[2].replace("_", " ")


def not_understood(problem: str) -> str:
    """What is wrong, and what could be written."""
    return f"{escape(problem)}\n{USAGE}"


def zone_not_understood(problem: str) -> str:
    """The same of a zone; the problem says what could be written."""
    return escape(problem)


def quiet_line(hours: QuietHours | None) -> str:
    """Quiet hours: 23:00-07:00, EXTREME comes through."""
    if hours is None:
        return "Quiet hours: none."
    some = {OFF: "nothing comes through", Severity.EXTREME.value: "EXTREME comes through"}
    through = some.get(hours.lets_through) or f"{Severity(hours.lets_through).name} and above come through"
    return f"Quiet hours: {hours_words(hours)}, {through}."


def hours_words(hours: QuietHours) -> str:
    """23:00-07:00."""
    return f"{hours.begin:%H:%M}-{hours.end:%H:%M}"


def _clock(clock: Clock) -> str:
    return f"Time zone: {escape(clock.time_zone)}, {clock.minutes(clock.now)} now."
