"""How long do messages take? From the arrival of the frame behind them to Telegram's answer, over the last hour."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.db.models import Max

from alerts.models import Delivery
from subscribers.models import Subscriber

OVER = timedelta(hours=1)
NEWEST = 2_000  # rows looked at: after a message to 100,000 chats the answer is as quick as ever
MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Delays:
    """Of `count` messages, in milliseconds."""

    count: int
    median_ms: int
    slowest_ms: int


def delays(now: datetime) -> Delays | None:
    """Of the alerts that Telegram took within the last hour, at most the newest rows; None when there were none. Others' webhooks may be slow."""
    newest = Delivery.objects.aggregate(pk=Max("pk"))["pk"] or 0
    sent = Delivery.objects.filter(pk__gt=newest - NEWEST, purpose=Delivery.Purpose.ALERT, state=Delivery.State.SENT, sent_at__gt=now - OVER)
    stamps = sent.filter(received_at__isnull=False, subscriber__channel=Subscriber.Channel.TELEGRAM).values_list("received_at", "sent_at")
    found = [(sent_at - received_at) // MILLISECOND for received_at, sent_at in stamps if received_at is not None and sent_at is not None]
    return Delays(len(found), round(median(found)), max(found)) if found else None
