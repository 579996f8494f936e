"""What does the bot say? Every sentence of it, as Telegram's HTML; values are escaped here."""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from html import escape

from monitors.feeds import FeedState
from subscribers.wording import Choices, wanted_lines

DATABASE_AWAY = "Sorry, the database cannot be reached just now. Please try again in a minute; /help shows the commands."
WENT_WRONG = "Sorry, something went wrong here. It was noted; /help shows what else there is."
ADMINS_ONLY = "Only admins of this chat can change that."
ADMINS_UNKNOWN = "Telegram does not say just now who the admins of this chat are. Please try again in a minute."
NOT_SUBSCRIBED = "This chat gets no alerts. /start subscribes it."
NO_ALERTS = "No alerts yet."
BACK, TO_SETTINGS, ALL_SETTINGS = "‹ Back", "‹ Settings", "All settings"
REPLY_HERE = " In a group, answer as a reply to this message."
GROUP_HELLO = "Hello! Send /start to get liquidation alerts in this group, or /help to see what I can do."
ABOUT = (
    "I watch liquidations on Binance, Bybit and OKX (USDT and USDC perpetuals) and tell this chat when large ones, or cascades of them, are seen. "
    "Binance and OKX publish only samples, so dollars with ≥ are a lower bound. This is a measurement, not advice."
)
MAX_CHOICES = 800  # characters of each kind's choices: all kinds and the last alerts stay below Telegram's 4096
OLD_BUTTON = "This button is too old. /help shows all commands."
UNKNOWN = "I do not know that one."


@dataclass(frozen=True, slots=True)
class AlertLine:
    """An alert in one line, and how long ago it opened."""

    text: str
    age: timedelta


def status(feeds: Sequence[FeedState], last: AlertLine | None, wanted: Choices | None) -> str:
    """The answer to /status; `wanted` is None when the chat is not subscribed."""
    feed_lines = "\n".join(map(_feed, feeds))
    return "\n\n".join(
        [
            f"<b>Feeds</b>\n{feed_lines}",
            f"<b>Last alert</b>\n{_alert(last) if last else NO_ALERTS}",
            NOT_SUBSCRIBED if wanted is None else _wanted(wanted),
        ]
    )


def help_text(commands: Iterable[tuple[str, str]], *, unknown: bool = False) -> str:
    """What the bot is and can do; `commands` are names and help lines. `unknown` answers input that it did not understand."""
    lines = "\n".join(f"/{name} - {escape(line)}" for name, line in commands)
    return "\n\n".join([*([UNKNOWN] if unknown else []), lines, ABOUT])


def ago(age: timedelta) -> str:
    """A time span in its largest unit: 12 s ago, 3 min ago, 5 h ago, 2 d ago."""
    seconds = max(0, int(age.total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def plural(count: int, noun: str) -> str:
    """1 alert, 14 alerts, no alerts."""
    return f"{f'{count:,}' if count else 'no'} {noun}{'' if count == 1 else 's'}"


def too_many(problem: Exception) -> str:
    """There is no room for one more choice or mute."""
    return f"That is one too many: {problem}. /settings removes some."


def try_again(problem: str) -> str:
    """What was typed is not understood; the question stays open."""
    return f"{escape(problem)} Please try again."


def _alerts(title: str, alerts: Sequence[AlertLine]) -> str:
    return f"<b>{title}</b>\n" + ("\n".join(map(_alert, alerts)) or NO_ALERTS)


def _alert(alert: AlertLine) -> str:
    return f"{escape(alert.text)}, {ago(alert.age)}"


def _feed(feed: FeedState) -> str:
    if not feed.blind:
        note = f" ({escape(feed.note)})" if feed.note else ""
        return f"✅ {feed.venue.title}: live, data {ago(feed.data_age or timedelta())}{note}"
    seen = f", last data {ago(feed.data_age)}" if feed.data_age is not None else ""
    return f"❌ {feed.venue.title}: <b>blind</b>{seen} ({escape(feed.note)})"


def _wanted(choices: Choices) -> str:
    """What a chat gets, one line a kind; kinds with the same choices share a line."""
    lines = (textwrap.shorten(line, MAX_CHOICES, placeholder=" ...") for line in wanted_lines(choices))
    return "This chat gets:\n" + ("\n".join(map(escape, lines)) or "nothing yet.")
