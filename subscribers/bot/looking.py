"""What does the bot answer about feeds and alerts?"""

from datetime import datetime

from django.conf import settings

from alerts import history
from alerts.models import Alert
from monitors.feeds import feed_states
from subscribers.bot import texts
from subscribers.bot.screen import Asked, Command, Reply
from subscribers.models import Subscriber, Subscription

RECENT_ALERTS = 10


def status(asked: Asked) -> Reply:
    """Do the feeds see the market, what was the last alert, what does this chat get?"""
    subscriber = Subscriber.objects.filter(channel=Subscriber.Channel.TELEGRAM, chat_id=asked.chat.id, active=True).first()
    wanted: list[Subscription] | None = list(subscriber.subscriptions.all()) if subscriber else None
    last = recent_lines(1, asked.now)
    return Reply(texts.status(feed_states(asked.now, settings.VENUES), last[0] if last else None, wanted))


def recent(asked: Asked) -> Reply:
    """The last alerts."""
    return Reply(texts.recent(recent_lines(RECENT_ALERTS, asked.now)))


def recent_lines(limit: int, now: datetime) -> list[texts.AlertLine]:
    """The last alerts, a line each."""
    return [_line(alert, now) for alert in history.recent_alerts(limit)]


def _line(alert: Alert, now: datetime) -> texts.AlertLine:
    return texts.AlertLine(history.line_of(alert), now - alert.opened_at)


COMMANDS = (
    Command("status", status, "are the feeds alive, when was the last alert, what does this chat get"),
    Command("recent", recent, "the last ten alerts"),
)
