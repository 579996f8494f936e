"""How does an operator's message reach everybody? Few rows at a time, so that no alert ever waits behind it."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q, QuerySet

from alerts.models import Broadcast, Delivery
from monitors.thresholds import Severity
from subscribers.models import Subscriber

State = Delivery.State
SEVERITY = Severity.BELOW_LOW  # behind every alert, and without a sound
AT_ONCE = 200  # rows that wait at a time: a few seconds of Telegram's limit, and all that a later alert of the same rank could wait for
USEFUL_FOR = timedelta(hours=12)
CANCELLED = "cancelled by the operator"


def audience(broadcast: Broadcast) -> QuerySet[Subscriber]:
    """The active Telegram chats that the broadcast is for."""
    chats = Subscriber.objects.filter(channel=Subscriber.Channel.TELEGRAM, active=True)
    return chats.filter(chat_type=broadcast.chat_type) if broadcast.chat_type else chats


def takes(recipients: int) -> timedelta:
    """How long so many messages take when nothing else is sent, at the rate of TELEGRAM_MESSAGES_PER_SECOND."""
    return timedelta(seconds=round(recipients / settings.TELEGRAM_MESSAGES_PER_SECOND))


def confirm(broadcast: Broadcast, now: datetime) -> bool:
    """Begin to send; False when it was confirmed before."""
    return bool(Broadcast.objects.filter(pk=broadcast.pk, confirmed_at=None).update(confirmed_at=now))


@transaction.atomic
def cancel(broadcast: Broadcast, now: datetime) -> int:
    """Send no more of it; return how many waiting messages were taken back."""
    Broadcast.objects.select_for_update().filter(pk=broadcast.pk, done_at=None).update(done_at=now)
    waiting = Delivery.objects.filter(broadcast=broadcast, state=State.PENDING)
    return waiting.update(state=State.SUPERSEDED, reason=CANCELLED)


def progress(broadcast: Broadcast) -> dict[str, int]:
    """How many of its messages are in each state."""
    rows = Delivery.objects.filter(broadcast=broadcast).order_by().values_list("state").annotate(Count("id"))
    return dict(sorted(rows))


def feed(now: datetime) -> int:
    """Write the next messages of every broadcast that is under way; return how many. Called by the sweep."""
    return sum(_feed(pk, now) for pk in Broadcast.objects.filter(confirmed_at__isnull=False, done_at=None).order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def _feed(pk: int, now: datetime) -> int:
    """Top up to AT_ONCE waiting messages. Rows and cursor are one transaction: a kill neither loses nor repeats a chat."""
    broadcast = Broadcast.objects.select_for_update().filter(pk=pk, done_at=None).first()
    if broadcast is None:
        return 0
    waiting = Delivery.objects.filter(Q(state=State.PENDING) | Q(state=State.SENDING), broadcast=broadcast).count()
    if waiting >= AT_ONCE:
        return 0
    chats = list(audience(broadcast).filter(pk__gt=broadcast.cursor).order_by("pk").values_list("pk", flat=True)[: AT_ONCE - waiting])
    rows = (_row(broadcast, chat, now) for chat in chats)
    Delivery.objects.bulk_create(rows, ignore_conflicts=True)
    if chats:
        broadcast.cursor = chats[-1]
    elif not waiting:  # until then it can be cancelled
        broadcast.done_at = now
    broadcast.save(update_fields=["cursor", "done_at"])
    return len(chats)


def _row(broadcast: Broadcast, chat: int, now: datetime) -> Delivery:
    return Delivery(
        purpose=Delivery.Purpose.BROADCAST, broadcast=broadcast, subscriber_id=chat, text=broadcast.text, severity=SEVERITY,
        detected_at=now, queued_at=now, expires_at=now + USEFUL_FOR,
    )  # fmt: skip
