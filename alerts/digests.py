"""Who is told now of what was held back or came too late? At the end of a hold one digest, written with the rows that it tells in one transaction.

While a subscriber's digest is unsent, whatever else becomes due joins it: its text is made at the moment of sending.
"""

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, Subquery

from alerts import outbox
from alerts.holding import MUTED, OVER_THE_CAP, QUIET_HOURS
from alerts.models import Alert, Delivery
from monitors.thresholds import Severity
from subscribers.models import Mute, Subscriber

State, Purpose = Delivery.State, Delivery.Purpose
SEVERITY = Severity.BELOW_LOW  # a digest makes no sound and leaves after every alert
LASTS = timedelta(hours=12)  # then the next digest tells the same
REST = timedelta(minutes=10)  # between two digests of nothing but the cap and what came too late
CHANGED = timedelta(minutes=10)  # for so long a change of what somebody wants is looked at
ROWS = 500  # that are due, in one transaction; with all others that are due to the same people
SLICE_S = 10.0
WAITING = Q(state__in=(State.HELD, State.EXPIRED), held_until__isnull=False, digest=None)
UNSENT = Q(purpose=Purpose.DIGEST, state__in=(State.PENDING, State.SENDING))


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that a digest should tell of; `soft`: it was the cap, or it came too late, and that can wait a little."""

    pk: int
    subscriber: int
    alert: int | None
    soft: bool


def write_due(now: datetime, slice_s: float = SLICE_S) -> int:
    """Write the digests that are due, for `slice_s` at most; return how many deliveries they tell of.

    Two workers at once do not meet: rows that one has locked the other leaves alone.
    """
    end, told, seen = time.monotonic() + slice_s, 0, set[int]()
    _end_holds_that_were_lifted(now)
    while time.monotonic() < end:
        first = Delivery.objects.filter(WAITING, held_until__lte=now).order_by("held_until", "subscriber_id", "pk")
        people = set(first.values_list("subscriber_id", flat=True)[:ROWS]) - seen
        if not people:
            break
        told += _write(people, now)
        seen |= people
    if told:
        outbox.wake_dispatcher(SEVERITY)
    return told


def told_louder() -> Exists:
    """Whether the subscriber was or will be told of a higher step of the same incident."""
    same = Delivery.objects.filter(alert=OuterRef("alert"), subscriber=OuterRef("subscriber"), step__gt=OuterRef("step"))
    return Exists(same.exclude(state__in=(State.HELD, State.EXPIRED, State.FAILED, State.SUPERSEDED)))


def _end_holds_that_were_lifted(now: datetime) -> None:
    """A mute or quiet hours that somebody has just ended hold nothing any more; those that go on are found to do so below."""
    lifted = Q(state=State.EXPIRED) | Q(reason__in=(MUTED, QUIET_HOURS))
    held = Delivery.objects.filter(WAITING, lifted, held_until__gt=now)
    changed = Subscriber.objects.filter(changed_at__gte=now - CHANGED)
    people = changed.filter(Exists(held.filter(subscriber=OuterRef("pk")))).values_list("pk", flat=True)
    held.filter(subscriber__in=list(people)).update(held_until=now)


@transaction.atomic
def _write(people: Collection[int], now: datetime) -> int:
    """Tell these people what is due to them, or find out until when it has to wait; return of how many deliveries they are told."""
    locked = Delivery.objects.filter(WAITING, subscriber__in=people, held_until__lte=now).select_for_update(skip_locked=True).order_by("pk")
    columns = locked.values_list("pk", "subscriber_id", "alert_id", "state", "reason")
    due = [Due(pk, subscriber, alert, state == State.EXPIRED or reason == OVER_THE_CAP) for pk, subscriber, alert, state, reason in columns]
    due = _without_the_unwanted(due)
    for wait in (_quiet_hours, _mutes, _rests):
        due = _put_off(due, wait(due, now))
    return _tell(due, now)


def _without_the_unwanted(due: Collection[Due]) -> list[Due]:
    """Nothing is told to those who left, nor of what they have been told louder."""
    left = set(Subscriber.objects.filter(pk__in=_people(due), active=False).values_list("pk", flat=True))
    louder = set(Delivery.objects.filter(told_louder(), pk__in=[row.pk for row in due]).values_list("pk", flat=True))
    unwanted = [row.pk for row in due if row.subscriber in left or row.pk in louder]
    Delivery.objects.filter(pk__in=unwanted).update(held_until=None)
    return [row for row in due if row.pk not in set(unwanted)]


def _quiet_hours(due: Collection[Due], now: datetime) -> Mapping[int, datetime]:
    """Until when quiet hours keep a digest from coming, whatever it tells."""
    quiet = Subscriber.objects.filter(pk__in=_people(due), quiet_starts_at__lte=now, quiet_ends_at__gt=now)
    ends = dict(quiet.values_list("pk", "quiet_ends_at"))
    return {row.pk: until for row in due if (until := ends.get(row.subscriber)) is not None}


def _mutes(due: Collection[Due], now: datetime) -> Mapping[int, datetime]:
    """Until when a mute of its kind and asset goes on."""
    mutes = list(Mute.objects.filter(subscriber__in=_people(due), until__gt=now).order_by("until"))
    muted = {mute.subscriber_id for mute in mutes}
    about = {alert.pk: alert for alert in Alert.objects.filter(pk__in={row.alert for row in due if row.subscriber in muted})}
    waits = {}
    for mute in mutes:
        for row in due:
            alert = about.get(row.alert or 0)
            if row.subscriber == mute.subscriber_id and alert and mute.kind in ("", alert.kind) and mute.asset in ("", alert.asset):
                waits[row.pk] = mute.until
    return waits


def _rests(due: Collection[Due], now: datetime) -> Mapping[int, datetime]:
    """Until when somebody is left alone who had a digest a moment ago; not when there is an unsent one to join, or more than soft news."""
    soft = _people(due) - _people(row for row in due if not row.soft)
    recent = Delivery.objects.filter(purpose=Purpose.DIGEST, subscriber__in=soft, queued_at__gt=now - REST)
    to_join = Exists(Delivery.objects.filter(UNSENT, subscriber=OuterRef("subscriber")))
    newest = dict(recent.exclude(to_join).order_by().values_list("subscriber").annotate(Max("queued_at")))
    return {row.pk: newest[row.subscriber] + REST for row in due if row.subscriber in newest}


def _put_off(due: Iterable[Due], waits: Mapping[int, datetime]) -> list[Due]:
    """Write until when rows wait; return those that do not."""
    rows_until: dict[datetime, list[int]] = {}
    for pk, until in waits.items():
        rows_until.setdefault(until, []).append(pk)
    for until, rows in rows_until.items():
        Delivery.objects.filter(pk__in=rows).update(held_until=until)
    return [row for row in due if row.pk not in waits]


def _tell(due: Collection[Due], now: datetime) -> int:
    """Put the rows into their subscriber's unsent digest, a new one where there is none; return how many.

    One that is being sent is left alone, and so are its subscriber's rows: the next look finds them.
    """
    digests = [
        Delivery(subscriber_id=subscriber, purpose=Purpose.DIGEST, severity=SEVERITY, queued_at=now, expires_at=now + LASTS) for subscriber in _people(due)
    ]
    Delivery.objects.bulk_create(digests, ignore_conflicts=True, batch_size=500)  # at most one unsent a subscriber, says the database
    unsent = Delivery.objects.filter(purpose=Purpose.DIGEST, state=State.PENDING)
    joinable = set(unsent.filter(subscriber__in=_people(due)).select_for_update().order_by("pk").values_list("subscriber_id", flat=True))  # none is claimed now
    of_subscriber = unsent.filter(subscriber=OuterRef("subscriber_id")).values("pk")[:1]
    rows = Delivery.objects.filter(pk__in=[row.pk for row in due if row.subscriber in joinable])
    return rows.update(digest=Subquery(of_subscriber))


def _people(due: Iterable[Due]) -> set[int]:
    return {row.subscriber for row in due}
