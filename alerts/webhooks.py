"""How do webhooks get their deliveries? From the same outbox, by one leased caller of their own, so that a slow receiver holds up no message."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Q, QuerySet
from django.utils import timezone

from alerts import claims, outcomes
from alerts.channels.base import RetryLater, Undeliverable
from alerts.channels.webhook import post
from alerts.chart_rows import OTHERS
from alerts.messages import message_for
from alerts.models import Delivery
from alerts.seldom import Seldom
from alerts.webhook_payload import payload_of
from alertsystem import ending
from alertsystem.celery import USUAL, enqueue_if_possible
from monitors.lease import Held
from monitors.thresholds import Severity
from subscribers import services
from subscribers.models import Subscriber, Webhook

said = Seldom(logging.getLogger(__name__))
State = Delivery.State
SLICE_S = 10.0
LEASE_S = 30.0  # more than a slice and the longest calls of it
AT_ONCE = 8
DISABLED_AFTER = timedelta(hours=24)


@dataclass(slots=True)
class _Caller:
    """One slice of calls. The database is touched by the caller's thread alone."""

    end: float
    calls: int = 0
    flights: dict["Future[None]", Delivery] = field(default_factory=dict)

    def run(self, pool: ThreadPoolExecutor) -> None:
        """Call until nothing waits that may be sent now, or the slice is over; then await the answers."""
        while time.monotonic() < self.end and not ending.is_ending():
            if len(self.flights) < AT_ONCE and self._start_next(pool):
                continue
            if not self.flights:
                return
            self._collect()
        while self.flights:
            self._collect()

    def _start_next(self, pool: ThreadPoolExecutor) -> bool:
        now = timezone.now()
        free = _free(now).exclude(pk__in=[delivery.subscriber_id for delivery in self.flights.values()])
        delivery = claims.next_delivery(now, (), list(free.values_list("pk", flat=True)))
        if delivery is None:
            return False
        if claims.claim(delivery, now):
            try:
                self.flights[pool.submit(_call(delivery, now))] = delivery
            except DatabaseError:
                raise
            except Exception as error:  # one delivery must not stop the others
                _record(delivery, error, now)
            self.calls += 1
        return True

    def _collect(self) -> None:
        done, _ = wait(self.flights, return_when=FIRST_COMPLETED)
        for call in done:
            _record(self.flights.pop(call), call.exception(), timezone.now())


def call_waiting(slice_s: float = SLICE_S) -> int:
    """Call the webhooks that have something waiting, for at most a slice; returns how many calls were made (0 as well when another worker is at it)."""
    lease = Held("webhooks", LEASE_S)
    if not lease.acquire():
        return 0
    caller = _Caller(time.monotonic() + slice_s)
    try:
        if lease.inherited:
            recover()
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook") as pool:
            caller.run(pool)
    finally:
        lease.release()
    wake()  # for what came, or was cut off by the slice's end, meanwhile
    return caller.calls


def wake() -> None:
    """Ask for calls when something waits; without a broker the sweep will."""
    if _free(timezone.now()).exists():
        enqueue_if_possible("alerts.call_webhooks", priority=USUAL, expires_s=SLICE_S)


def recover() -> int:
    """Take back what a dead caller was sending; the receiver knows a delivery that comes twice by its number. Returns how many."""
    cut_off = Delivery.objects.filter(state=State.SENDING, subscriber__channel=Subscriber.Channel.WEBHOOK)
    return cut_off.update(state=State.PENDING, reason=claims.CUT_OFF)


def _free(now: datetime) -> "QuerySet[Subscriber]":
    """The webhooks that have something waiting and may be called now."""
    waiting = Delivery.objects.filter(OTHERS, state=State.PENDING, subscriber__channel=Subscriber.Channel.WEBHOOK).values("subscriber")
    rested = Q(webhook__next_try_at=None) | Q(webhook__next_try_at__lte=now)
    return Subscriber.objects.filter(rested, pk__in=waiting, webhook__isnull=False)


def _call(delivery: Delivery, now: datetime) -> Callable[[], None]:
    """The call of a delivery; all that it needs of the database is read here."""
    hook, payload = delivery.subscriber.webhook, payload_of(delivery, message_for(delivery, now).plain, now)
    return lambda: post(hook.url, hook.secret, delivery.pk, payload, allow_private=settings.WEBHOOK_ALLOW_PRIVATE)


def _record(delivery: Delivery, error: BaseException | None, at: datetime) -> None:
    """Write what became of a call, on the delivery and on the webhook."""
    hook = Webhook.objects.filter(subscriber=delivery.subscriber_id)
    if error is None:
        outcomes.sent(delivery, None, 0, at)
        hook.update(failing_since=None, next_try_at=None, last_error="", last_success_at=at)
        return
    outcomes.not_sent(delivery, error if isinstance(error, Exception) else RuntimeError("the call was cut off"))
    reason = error.reason if isinstance(error, RetryLater | Undeliverable) else type(error).__name__
    later = at + timedelta(seconds=error.after_s) if isinstance(error, RetryLater) else None
    said.warning("A webhook does not take its deliveries (%s)", reason)
    hook.update(next_try_at=later, last_error=reason[:200])
    hook.filter(failing_since=None).update(failing_since=at)
    if hook.filter(failing_since__lte=at - DISABLED_AFTER).exists():
        _disable(delivery.subscriber, reason, at)


def _disable(subscriber: Subscriber, reason: str, now: datetime) -> None:
    """Give the webhook up, and tell the chat that it belongs to."""
    Webhook.objects.filter(subscriber=subscriber).update(failing_since=None)  # who turns it on again has a day again
    services.deactivate(subscriber, f"disabled after a day of failures: {reason}")
    owner = subscriber.webhook.owner
    if owner is not None and owner.active:
        text = f"Your webhook is off\nIt took nothing for a day ({reason}). /webhook with its address turns it on again."
        Delivery.objects.create(
            subscriber=owner, purpose=Delivery.Purpose.NOTICE, text=text, severity=Severity.MODERATE,
            detected_at=now, queued_at=now, expires_at=now + DISABLED_AFTER,
        )  # fmt: skip
