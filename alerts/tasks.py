"""What do the workers run for alerts? Thin tasks: decide, send, and sweep up what a lost hint or a dead worker left."""

from datetime import timedelta
from typing import Any

from celery import current_app, shared_task
from celery.signals import worker_process_init
from django.utils import timezone

from alerts import broadcasts, charts, claims, digests, dispatcher, effectiveness, outbox, retention, summaries, trigger, webhooks
from alertsystem.celery import LAST, enqueue_if_possible
from subscribers import services

SWEEP_EVERY_S = 5  # as the schedule has it
TELL_EVERY_S = 5
MEASURE_EVERY_S = 60
FOLLOW_UP_EVERY_S = 5
ON_ITS_WAY = timedelta(seconds=5)  # a signal from before an incident's end may still be on its way to the database


@shared_task(name="alerts.evaluate_signal")
def evaluate_signal(fingerprint: str) -> None:
    """Decide the unread signals of a fingerprint."""
    trigger.evaluate(fingerprint)


@shared_task(name="alerts.dispatch")
def dispatch() -> None:
    """Send what waits, unless somebody is at it already."""
    dispatcher.drain()
    webhooks.wake()


@shared_task(name="alerts.call_webhooks")
def call_webhooks() -> None:
    """Call the webhooks that have something waiting, unless somebody is at it already."""
    webhooks.call_waiting()


@shared_task(name="alerts.sweep", expires=SWEEP_EVERY_S)
def sweep() -> None:
    """Look at everything again: unread signals, open fan-outs, quiet incidents, old and waiting messages."""
    now = timezone.now()
    trigger.evaluate_unread()
    outbox.resume()
    trigger.close_due(now - ON_ITS_WAY)
    outbox.expire_due(now)
    broadcasts.feed(now)
    severity = claims.most_urgent(now)
    if severity is not None:
        outbox.wake_dispatcher(severity)
    webhooks.wake()


@shared_task(name="alerts.tell_held", expires=TELL_EVERY_S)
def tell_held() -> int:
    """Work out the next quiet hours of those whose last ones are over; write the digests and summaries that are due, and return how many rows that took."""
    now = timezone.now()
    services.renew_quiet_hours(now)
    return digests.write_due(now) + summaries.write_due(now)


@shared_task(name="alerts.measure_outcomes", expires=MEASURE_EVERY_S)
def measure_outcomes() -> int:
    """Measure a slice of what is over, and ask for the next slice when there is more; return how many outcomes were settled."""
    settled, complete = effectiveness.measure_due(timezone.now())
    if not complete:
        enqueue_if_possible("alerts.measure_outcomes", priority=LAST)
    return settled


@shared_task(name="alerts.follow_up_charts", expires=FOLLOW_UP_EVERY_S)
def follow_up_charts() -> int:
    """Draw the charts that are wanted, and write the rows of who gets them; return how many rows."""
    return charts.follow_up(timezone.now())


@shared_task(name="alerts.prune")
def prune() -> int:
    """Delete a slice of what is older than the operator wants to keep, and ask for the next slice when there is more; return how many rows."""
    charts.prune(timezone.now())
    deleted, complete = retention.prune(timezone.now())
    if not complete:
        enqueue_if_possible("alerts.prune", priority=LAST)
    return deleted


@worker_process_init.connect
def _warm(**_: Any) -> None:
    """A worker process of the delivery queue is ready before its first message."""
    if "delivery" in current_app.amqp.queues.consume_from:
        dispatcher.warm()
