"""How do subscribers come, go and change what they want? Every change passes here: floors, quiet hours and the record of it included."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, time

from django.db import connection, transaction
from django.db.models import Min
from django.utils import timezone

from monitors import floors
from monitors.market import Kind
from monitors.models import CustomFloor
from monitors.thresholds import Severity
from subscribers import followers, snapshots
from subscribers.models import Mute, PreferenceChange, Subscriber, Subscription
from subscribers.preferences import Choice
from subscribers.quiet_hours import quiet_interval
from subscribers.selectors import preferences_of

FIRST_KINDS = (Kind.LIQUIDATION, Kind.CASCADE, Kind.OPEN_INTEREST)
FIRST_LOWEST = {"BTC": Severity.MODERATE, "ETH": Severity.MODERATE, "SOL": Severity.MODERATE, "": Severity.EXTREME}
FIRST_CHOICES = {(kind, asset): Choice(lowest) for kind in FIRST_KINDS for asset, lowest in FIRST_LOWEST.items()}
EVERYTHING = {(kind, ""): Choice(Severity.LOW) for kind in Kind}  # for the console and an operator's webhook
STOPPED = "stopped by the chat"
AT_MOST = 200  # choices and mutes of one subscriber: each change keeps all of them
_FLOORS_LOCK = 7_202_611  # any number that no other advisory lock of this database uses

Choices = Mapping[tuple[Kind, str], Choice]


class TooMany(ValueError):
    """A subscriber has as many choices or mutes as are kept."""


# Coming and going


@transaction.atomic
def ensure_console_subscriber() -> Subscriber:
    """The built-in subscriber that prints in the terminal: every kind, any asset, from LOW, no cap.

    One that exists is left as the operator wants it, a deactivated one too.
    """
    console, created = Subscriber.objects.get_or_create(
        channel=Subscriber.Channel.CONSOLE, chat_id=0, defaults={"chat_type": "console", "title": "Console", "capped": False}
    )
    if created:
        replace_choices(console, EVERYTHING, timezone.now())
    return console


@transaction.atomic
def subscribe_chat(chat_id: int, chat_type: str, title: str, first: Choices = FIRST_CHOICES) -> Subscriber:
    """The active subscriber of a Telegram chat: new with the choices `first`, or back again with its own."""
    title = title.replace("\x00", "")[:255]  # PostgreSQL takes no NUL
    subscriber, created = Subscriber.objects.get_or_create(
        channel=Subscriber.Channel.TELEGRAM, chat_id=chat_id, defaults={"chat_type": chat_type, "title": title}
    )
    if created:
        replace_choices(subscriber, first, timezone.now())
        subscriber.refresh_from_db()
    elif not subscriber.active:
        subscriber.active, subscriber.deactivated_reason = True, ""
        subscriber.save(update_fields=["active", "deactivated_reason"])
        refresh_custom_floors()
        record_change(subscriber, timezone.now())
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
    subscriber.save(update_fields=["active", "deactivated_reason"])
    refresh_custom_floors()
    record_change(subscriber, timezone.now())


@transaction.atomic
def forget(subscriber: Subscriber) -> None:
    """Delete the subscriber with all that is kept of it, its webhook too."""
    Subscriber.objects.filter(webhook__owner=subscriber).delete()
    subscriber.delete()
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


# Changing what is wanted


def choose(subscriber: Subscriber, kind: Kind, asset: str, choice: Choice | None, now: datetime) -> None:
    """What is wanted of this kind and asset ("" = any other) from now on; None: what is wanted of any asset. TooMany raised when it is one too many."""
    with _changing(subscriber, now) as row:
        row.subscriptions.filter(kind=kind.value, asset=asset).delete()
        if choice is not None:
            _refuse_more_than(AT_MOST, row.subscriptions.count())
            _store(row, {(kind, asset): choice})
        refresh_custom_floors()


def replace_choices(subscriber: Subscriber, choices: Choices, now: datetime) -> None:
    """Want these choices from now on and no others."""
    with _changing(subscriber, now) as row:
        row.subscriptions.all().delete()
        _store(row, choices)
        refresh_custom_floors()


def mute(subscriber: Subscriber, kind: Kind | None, asset: str, until: datetime, now: datetime) -> None:
    """Hold alerts of the kind (None: every one) and asset ("": every one) back until then. TooMany raised when it is one too many."""
    with _changing(subscriber, now) as row:
        of_kind = kind.value if kind else ""
        _refuse_more_than(AT_MOST, row.mutes.filter(until__gt=now).exclude(kind=of_kind, asset=asset).count())
        Mute.objects.update_or_create(subscriber=row, kind=of_kind, asset=asset, defaults={"until": until})


def unmute(subscriber: Subscriber, kind: Kind | None, asset: str, now: datetime) -> int:
    """End the running mutes of the kind (None: of every one) and asset ("": of every one); return how many there were."""
    with _changing(subscriber, now) as row:
        running = row.mutes.filter(until__gt=now)
        running = running.filter(kind=kind.value) if kind else running
        return int((running.filter(asset=asset) if asset else running).delete()[0])


def unmute_one(subscriber: Subscriber, kind: Kind | None, asset: str, now: datetime) -> bool:
    """End exactly the mute of this kind (None: of every one) and asset ("": of every one); False when there was none."""
    with _changing(subscriber, now) as row:
        return bool(row.mutes.filter(kind=kind.value if kind else "", asset=asset, until__gt=now).delete()[0])


def set_quiet_hours(subscriber: Subscriber, begin: time | None, end: time | None, lets_through: int, now: datetime) -> None:
    """Hold alerts below the severity `lets_through` back from one time of day to the other, in the subscriber's zone; None and None: no quiet hours.

    ValueError when the times are the same.
    """
    with _changing(subscriber, now) as row:
        row.quiet_from, row.quiet_until, row.quiet_lets_through = begin, end, lets_through


def set_time_zone(subscriber: Subscriber, name: str, now: datetime) -> None:
    """The zone of quiet hours and of times in answers, a name of `zones.zone_named`."""
    with _changing(subscriber, now) as row:
        row.time_zone = name


def set_confirmed_only(subscriber: Subscriber, confirmed_only: bool, now: datetime) -> None:
    """Whether unconfirmed alerts are unwanted."""
    with _changing(subscriber, now) as row:
        row.confirmed_only = confirmed_only


def set_charts(subscriber: Subscriber, charts: bool, now: datetime) -> None:
    """Whether a chart follows alerts of HIGH and EXTREME."""
    with _changing(subscriber, now) as row:
        row.charts = charts


@transaction.atomic
def record_change(subscriber: Subscriber, now: datetime) -> None:
    """Keep what the subscriber wants from now on; called in the transaction of every change, after it.

    Its quiet hours are worked out anew, mutes that are over go. Changes within a second are kept as one.
    """
    row = Subscriber.objects.get(pk=subscriber.pk)  # not what the caller's object may have read before
    row.mutes.filter(until__lte=now).delete()
    _place_quiet_hours(row, now)
    row.save(update_fields=["quiet_starts_at", "quiet_ends_at", "changed_at"])
    wanted = snapshots.as_json(preferences_of(row))
    last = row.changes.order_by("-at", "-pk").first()
    if followers.follow(row):
        refresh_custom_floors()
    if last is not None and (now - last.at).total_seconds() < 1:
        PreferenceChange.objects.filter(pk=last.pk).update(wanted=wanted)
    elif last is None or last.wanted != wanted:
        PreferenceChange.objects.create(subscriber=row, at=now, wanted=wanted)


def renew_quiet_hours(now: datetime) -> int:
    """Work out the next quiet hours of those whose last ones are over; return of how many."""
    over = Subscriber.objects.filter(quiet_ends_at__lte=now, quiet_from__isnull=False, quiet_until__isnull=False)
    renewed = 0
    for time_zone, begin, end in over.order_by().values_list("time_zone", "quiet_from", "quiet_until").distinct():
        if begin is not None and end is not None:
            starts_at, ends_at = quiet_interval(time_zone, begin, end, now)
            alike = over.filter(time_zone=time_zone, quiet_from=begin, quiet_until=end)
            renewed += alike.update(quiet_starts_at=starts_at, quiet_ends_at=ends_at)
    return renewed


@contextmanager
def _changing(subscriber: Subscriber, now: datetime) -> Iterator[Subscriber]:
    """The subscriber's row, for this change alone; it is saved and recorded after it."""
    with transaction.atomic():
        row = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
        yield row
        row.save()
        record_change(row, now)


def _place_quiet_hours(row: Subscriber, now: datetime) -> None:
    row.quiet_starts_at = row.quiet_ends_at = None
    if row.quiet_from is not None and row.quiet_until is not None:
        row.quiet_starts_at, row.quiet_ends_at = quiet_interval(row.time_zone, row.quiet_from, row.quiet_until, now)


def _store(subscriber: Subscriber, choices: Choices) -> None:
    Subscription.objects.bulk_create(
        Subscription(
            subscriber=subscriber, kind=kind.value, asset=asset,
            lowest_severity=choice.lowest_severity, custom_threshold=choice.custom_threshold, direction=choice.direction,  # type: ignore[misc]  # may be null
        )
        for (kind, asset), choice in choices.items()
    )  # fmt: skip


def _refuse_more_than(limit: int, count: int) -> None:
    if count >= limit:
        raise TooMany(f"{limit} are kept at most")


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
    lowest = set(wanted.values_list("kind", "asset").annotate(Min("custom_threshold")))
    if lowest == set(CustomFloor.objects.values_list("kind", "asset", "value")):
        return
    floors.remember(timezone.now())
    CustomFloor.objects.all().delete()
    CustomFloor.objects.bulk_create(CustomFloor(kind=kind, asset=asset, value=value) for kind, asset, value in lowest)
    floors.remember(timezone.now())
