"""What can the bot be asked? One table of commands; each answers a chat with a text, from the database only."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from alerts import history
from alerts.models import Alert
from monitors.feeds import feed_states
from subscribers import services
from subscribers.bot import texts
from subscribers.models import Subscriber, Subscription

WELCOME_ALERTS, RECENT_ALERTS = 3, 10


@dataclass(frozen=True, slots=True)
class Chat:
    """The chat that asks, as Telegram names it."""

    id: int
    type: str
    title: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command, what it does, its line in /help; `changes`: it is carried out even when the chat asks too often to be answered."""

    name: str
    answer: Callable[[Chat], str]
    help: str
    changes: bool = False


def start(chat: Chat) -> str:
    """Subscribe the chat, say to what, and show the last alerts."""
    subscriber = services.subscribe_chat(chat.id, chat.type, chat.title)
    return texts.welcome(list(subscriber.subscriptions.all()), _lines(WELCOME_ALERTS))


def stop(chat: Chat) -> str:
    """No more alerts in this chat."""
    return texts.STOPPED if services.unsubscribe_chat(chat.id) else texts.NOT_SUBSCRIBED


def status(chat: Chat) -> str:
    """Do the feeds see the market, what was the last alert, what does this chat get?"""
    subscriber = Subscriber.objects.filter(channel=Subscriber.Channel.TELEGRAM, chat_id=chat.id, active=True).first()
    wanted: list[Subscription] | None = list(subscriber.subscriptions.all()) if subscriber else None
    last = _lines(1)
    return texts.status(feed_states(timezone.now(), settings.VENUES), last[0] if last else None, wanted)


def recent(_: Chat) -> str:
    """The last alerts."""
    return texts.recent(_lines(RECENT_ALERTS))


def help_(_: Chat) -> str:
    """All commands."""
    return texts.help_text(help_lines())


def unknown(_: Chat) -> str:
    """The answer to what is no command."""
    return texts.help_text(help_lines(), unknown=True)


COMMANDS = (
    Command("start", start, "get alerts in this chat", changes=True),
    Command("stop", stop, "no more alerts in this chat", changes=True),
    Command("status", status, "are the feeds alive, when was the last alert, what does this chat get"),
    Command("recent", recent, "the last ten alerts"),
    Command("help", help_, "this page"),
)
BY_NAME = {command.name: command for command in COMMANDS}
UNKNOWN = Command("", unknown, "")


def help_lines() -> list[tuple[str, str]]:
    """Names and help lines, for /help and for Telegram's own menu."""
    return [(command.name, command.help) for command in COMMANDS]


def _lines(limit: int) -> list[texts.AlertLine]:
    now = timezone.now()
    return [_line(alert, now) for alert in history.recent_alerts(limit)]


def _line(alert: Alert, now: datetime) -> texts.AlertLine:
    return texts.AlertLine(history.line_of(alert), now - alert.opened_at)
