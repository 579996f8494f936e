"""What does the bot say? Every sentence of it, as Telegram's HTML; values are escaped here."""

from collections.abc import Iterable
from datetime import timedelta
from html import escape

DATABASE_AWAY = "Sorry, the database cannot be reached just now. Please try again in a minute; /help shows the commands."
WENT_WRONG = "Sorry, something went wrong here. It was noted; /help shows what else there is."
ADMINS_ONLY = "Only admins of this chat can change that."
ADMINS_UNKNOWN = "Telegram does not say just now who the admins of this chat are. Please try again in a minute."
NOT_SUBSCRIBED = "This chat gets no alerts. /start subscribes it."
BACK, TO_SETTINGS, ALL_SETTINGS = "‹ Back", "‹ Settings", "All settings"
REPLY_HERE = " Answer as a reply to this message."
GROUP_HELLO = "Hello! When an admin sends /start, this group gets alerts. /help shows what I can do."
ABOUT = (
    "I watch liquidations, open interest and volume on Binance, Bybit and OKX (USDT and USDC perpetuals) and tell this chat what is large. "
    "Of liquidations Binance and OKX publish only samples, so dollars with ≥ are a lower bound. This is a measurement, not advice."
)
OLD_BUTTON = "This button is too old. /settings shows what this chat gets, /help all commands."
UNKNOWN = "I do not know that one."


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
    return f"{escape(problem)} Please try again, or write cancel."
