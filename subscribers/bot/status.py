"""Is all well? /status: feeds and scans, delays, today's alerts, and what this chat has chosen."""

from datetime import datetime, time

from django.conf import settings

from alerts import days
from alerts.delays import delays
from alerts.history import recent_alerts
from monitors.feeds import judge_feeds
from monitors.models import FeedStatus, ScanStatus
from subscribers.bot import texts, texts_status
from subscribers.bot.chats import subscriber_of
from subscribers.bot.clock import Clock
from subscribers.bot.screen import Asked, Command, Reply
from subscribers.bot.texts_settings import glance
from subscribers.models import Subscriber
from subscribers.selectors import preferences_of
from subscribers.zones import zone_of


def status(asked: Asked) -> Reply:
    """The whole page."""
    subscriber = subscriber_of(asked.chat)
    clock = Clock.of(subscriber, asked.now)
    scans = ScanStatus.objects.filter(venue__in=settings.VENUES).order_by("kind", "venue")
    parts = [
        texts_status.feeds(judge_feeds(FeedStatus.objects.all(), asked.now, settings.VENUES)),
        texts_status.scans(list(scans), clock),
        texts_status.delays(delays(asked.now)),
        texts_status.today(days.since(_midnight(clock), subscriber), next(iter(recent_alerts(1)), None), clock),
        _own(subscriber, clock),
    ]
    return Reply("\n\n".join(parts))


def _midnight(clock: Clock) -> datetime:
    """When the day began on the chat's clock."""
    zone = zone_of(clock.time_zone)
    return datetime.combine(clock.now.astimezone(zone).date(), time(), zone)


def _own(subscriber: Subscriber | None, clock: Clock) -> str:
    return texts.NOT_SUBSCRIBED if subscriber is None else texts_status.own(glance(subscriber, preferences_of(subscriber), clock))


COMMANDS = (Command("status", status, "are the feeds alive, how long do alerts take, what came today, what does this chat get"),)
