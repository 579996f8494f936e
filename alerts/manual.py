"""What may an operator send by hand? A delivery once more, and a test message; both through the outbox."""

from collections.abc import Iterable
from functools import partial

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from alerts.delivery_rows import expiry_of
from alerts.models import Delivery
from alerts.outbox import wake_dispatcher
from monitors.thresholds import Severity
from subscribers.models import Subscriber

State = Delivery.State
SENDABLE_AGAIN = (State.FAILED, State.UNKNOWN, State.EXPIRED, State.HELD)
TEST_TEXT = "TEST: this is a test alert, sent by an operator\nNothing happened on the market. If you can read this, alerts reach you."
TEST_SEVERITY = Severity.HIGH  # the lowest that makes a sound


@transaction.atomic
def send_again(deliveries: QuerySet[Delivery]) -> int:
    """Put what was not sent back into the outbox, with a fresh expiry; return how many. What was sent, superseded or still waits stays.

    So do digests: what one did not tell the next one does.
    """
    now, sent = timezone.now(), 0
    deliveries = deliveries.exclude(purpose=Delivery.Purpose.DIGEST)
    for severity in Severity:
        again = Delivery.objects.filter(pk__in=deliveries.order_by().values("pk"), state__in=SENDABLE_AGAIN, severity=severity, subscriber__active=True)
        count = again.update(
            state=State.PENDING, reason="", attempts=0, unknown_outcomes=0, claimed_at=None, held_until=None, expires_at=expiry_of(severity, now)
        )
        if count:
            transaction.on_commit(partial(wake_dispatcher, severity))
        sent += count
    return sent


@transaction.atomic
def send_test(subscribers: Iterable[Subscriber]) -> int:
    """Queue a test message for each active subscriber, outside of the hourly cap; return how many."""
    now = timezone.now()
    tests = [
        Delivery(
            subscriber=subscriber, purpose=Delivery.Purpose.TEST, text=TEST_TEXT, severity=TEST_SEVERITY, step=int(TEST_SEVERITY),
            detected_at=now, queued_at=now, expires_at=expiry_of(TEST_SEVERITY, now),
        )
        for subscriber in subscribers
        if subscriber.active
    ]  # fmt: skip
    Delivery.objects.bulk_create(tests)
    if tests:
        transaction.on_commit(partial(wake_dispatcher, TEST_SEVERITY))
    return len(tests)
