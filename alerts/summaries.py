"""Who is told how a loud incident goes on? Every 30 minutes that it lasts, a summary with its running total."""

import time
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from alerts import outbox
from alerts.holding import CAP_WINDOW, REASONS, holds
from alerts.models import Alert, Delivery
from alerts.rules.lasting import EVERY, LOWEST, summaries_due, summary_due_at
from monitors.thresholds import Severity
from subscribers.models import Subscriber

State, Purpose = Delivery.State, Delivery.Purpose
SEVERITY = Severity.BELOW_LOW  # it makes no sound and leaves after every alert
CHUNK = 1_000  # rows a transaction
SLICE_S = 10.0


def write_due(now: datetime, slice_s: float = SLICE_S) -> int:
    """Write the summaries that are due, for `slice_s` at most; return how many rows. May run twice, also at the same time: nobody gets one twice."""
    end, written = time.monotonic() + slice_s, 0
    lasting = Alert.objects.filter(closed_at=None, severity__gte=LOWEST, last_seen_at__gte=F("opened_at") + EVERY)
    for alert in lasting.order_by("-severity", "id"):
        number = summaries_due(alert.opened_at, alert.last_seen_at)
        if number <= alert.summaries:
            continue
        last: int | None = 0
        while last is not None and time.monotonic() < end:
            rows, last = _write(alert, number, last, now)
            written += rows
        if last is None:
            Alert.objects.filter(pk=alert.pk, summaries__lt=number).update(summaries=number)
    if written:
        outbox.wake_dispatcher(SEVERITY)
    return written


def _write(alert: Alert, number: int, after: int, now: datetime) -> tuple[int, int | None]:
    """Write the rows of a chunk of subscribers who do not have this summary yet; return how many, and the last subscriber (None: there are no more)."""
    people = list(_listening(alert, number, now).filter(pk__gt=after).values_list("pk", flat=True)[:CHUNK])
    same = {"purpose": Purpose.SUMMARY, "about": alert, "number": number, "severity": SEVERITY}
    expires_at = summary_due_at(alert.opened_at, number + 1)
    rows = [Delivery(subscriber_id=person, **same, detected_at=now, queued_at=now, expires_at=expires_at) for person in people]
    with transaction.atomic():
        Delivery.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    return len(rows), people[-1] if len(people) == CHUNK else None


def _listening(alert: Alert, number: int, now: datetime) -> QuerySet[Subscriber]:
    """Who was told of the incident at HIGH or more by a message of its own, before the summary was due, and whom nothing keeps from hearing of it now."""
    alerted = Delivery.objects.filter(alert=alert, subscriber=OuterRef("pk"), severity__gte=LOWEST, state=State.SENT, move=None)
    told = alerted.filter(sent_at__lte=summary_due_at(alert.opened_at, number))
    has_it = Delivery.objects.filter(about=alert, subscriber=OuterRef("pk"), purpose=Purpose.SUMMARY, number=number)
    held = Q(**{f"{hold}__isnull": True for hold in REASONS})
    people = Subscriber.objects.filter(Exists(told), ~Exists(has_it), active=True)
    return people.annotate(**holds(Severity(alert.severity), (alert.kind, alert.asset), now, now - CAP_WINDOW)).filter(held).order_by("pk")
