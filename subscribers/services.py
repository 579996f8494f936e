"""How do subscribers come, go and change? Every change of what somebody wants passes here, floors included."""

from django.db import connection, transaction
from django.db.models import Min

from monitors.market import Kind
from monitors.models import CustomFloor
from monitors.thresholds import Severity
from subscribers.models import Subscriber, Subscription

FIRST_KINDS = (Kind.LIQUIDATION, Kind.CASCADE)
FIRST_CHOICES = {"BTC": Severity.MODERATE, "ETH": Severity.MODERATE, "SOL": Severity.MODERATE, "": Severity.EXTREME}
STOPPED = "stopped by the chat"
_FLOORS_LOCK = 7_202_611  # any number that no other advisory lock of this database uses


@transaction.atomic
def ensure_console_subscriber() -> Subscriber:
    """The built-in subscriber that prints in the terminal: every kind, any asset, from LOW, no cap.

    One that exists is left as the operator wants it, a deactivated one too.
    """
    console, created = Subscriber.objects.get_or_create(
        channel=Subscriber.Channel.CONSOLE, chat_id=0, defaults={"chat_type": "console", "title": "Console", "capped": False}
    )
    if created:
        Subscription.objects.bulk_create(Subscription(subscriber=console, kind=kind.value, lowest_severity=Severity.LOW) for kind in Kind)
    return console


@transaction.atomic
def subscribe_chat(chat_id: int, chat_type: str, title: str) -> Subscriber:
    """The active subscriber of a Telegram chat: new with the first choices, or back again with its own."""
    title = title.replace("\x00", "")[:255]  # PostgreSQL takes no NUL
    subscriber, created = Subscriber.objects.get_or_create(
        channel=Subscriber.Channel.TELEGRAM, chat_id=chat_id, defaults={"chat_type": chat_type, "title": title}
    )
    if created:
        Subscription.objects.bulk_create(
            Subscription(subscriber=subscriber, kind=kind.value, asset=asset, lowest_severity=severity)
            for kind in FIRST_KINDS
            for asset, severity in FIRST_CHOICES.items()
        )
    elif not subscriber.active:
        subscriber.active, subscriber.deactivated_reason = True, ""
        subscriber.save(update_fields=["active", "deactivated_reason", "changed_at"])
        refresh_custom_floors()
    if (subscriber.title, subscriber.chat_type) != (title, chat_type):
        subscriber.title, subscriber.chat_type = title, chat_type
        subscriber.save(update_fields=["title", "chat_type"])  # not `changed_at`: a new name changes nothing of what is wanted
    return subscriber


def unsubscribe_chat(chat_id: int, reason: str = STOPPED) -> bool:
    """Deactivate a Telegram chat; False when it was not subscribed."""
    subscriber = Subscriber.objects.filter(channel=Subscriber.Channel.TELEGRAM, chat_id=chat_id, active=True).first()
    if subscriber is None:
        return False
    deactivate(subscriber, reason)
    return True


@transaction.atomic
def deactivate(subscriber: Subscriber, reason: str) -> None:
    """No more messages to this subscriber until it subscribes again; its choices are kept."""
    subscriber.active, subscriber.deactivated_reason = False, reason[:200]
    subscriber.save(update_fields=["active", "deactivated_reason", "changed_at"])
    refresh_custom_floors()


@transaction.atomic
def move_chat(chat_id: int, new_chat_id: int) -> Subscriber | None:
    """Follow a group that became a supergroup to its new id; None when it was not subscribed.

    When the new id is subscribed already, that one stays and the old one is deactivated.
    """
    telegram = Subscriber.objects.filter(channel=Subscriber.Channel.TELEGRAM)
    old, new = telegram.filter(chat_id=chat_id).first(), telegram.filter(chat_id=new_chat_id).first()
    if old is None or new is not None:
        if old is not None:
            deactivate(old, f"became the supergroup {new_chat_id}")
        return new
    old.chat_id, old.chat_type = new_chat_id, "supergroup"
    old.save(update_fields=["chat_id", "chat_type", "changed_at"])
    return old


@transaction.atomic
def refresh_custom_floors() -> None:
    """Bring the floors in line with the lowest custom threshold per kind and asset of active subscribers.

    Called in the transaction of the change. Two changes at once must not each miss the other's threshold, so on
    PostgreSQL they take turns; SQLite has one writer at a time anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_FLOORS_LOCK])
    wanted = Subscription.objects.filter(subscriber__active=True, custom_threshold__isnull=False).order_by()
    floors = [CustomFloor(**row) for row in wanted.values("kind", "asset").annotate(value=Min("custom_threshold"))]
    CustomFloor.objects.all().delete()
    CustomFloor.objects.bulk_create(floors)
