"""What happened, and who was told? The answers that the bot and the admin show."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from alerts.models import Alert, Decision, Delivery
from alerts.rules.incident import Outcome
from alerts.rules.summary import amount, summary
from monitors.market import Kind, epoch_ms
from monitors.thresholds import Severity

MAX_MOMENTS = 200  # of each sort: the page of an alert that went to 100,000 chats stays readable
TURNING = (Outcome.OPENED, Outcome.ESCALATED, Outcome.BECAME_CASCADE)


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of an alert's timeline. `of` is signal or delivery, `pk` its row."""

    at: datetime
    of: str
    pk: int
    what: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class Latency:
    """How long a delivery took from stage to stage, in whole ms of its stamps, so that they add up; None where one is missing.

    `venue_to_received` is below 0 when the venue's clock is ahead of ours.
    """

    venue_to_received: int | None
    received_to_detected: int | None
    detected_to_queued: int | None
    queued_to_sent: int | None
    received_to_sent: int | None


def recent_alerts(limit: int, *, lowest: Severity = Severity.LOW) -> list[Alert]:
    """The newest alerts first. Below LOW they belong to those whose own threshold was passed, so `lowest` leaves them out."""
    alerts = Alert.objects.filter(severity__gte=lowest).select_related("peak").order_by("-opened_at", "-id")
    return list(alerts[:limit])


def line_of(alert: Alert) -> str:
    """The alert in one line of plain text."""
    return summary(Severity(alert.severity), Kind(alert.kind), alert.peak.as_value())


def timeline(alert: Alert) -> list[Moment]:
    """The first signals with their decisions and the first deliveries, in the order of time."""
    decisions = Decision.objects.filter(alert=alert).select_related("signal").order_by("signal__received_at", "pk")[:MAX_MOMENTS]
    deliveries = Delivery.objects.filter(alert=alert).select_related("subscriber").order_by("queued_at", "pk")[:MAX_MOMENTS]
    moments = [*map(_signal_moment, decisions), *map(_delivery_moment, deliveries)]
    return sorted(moments, key=lambda moment: (moment.at, moment.of == "delivery", moment.pk))


def turning_points(alert: Alert) -> tuple[list[Decision], int]:
    """The signals that opened, escalated or changed the incident and the largest one, in the order of time; and how many others there were."""
    decisions = Decision.objects.filter(alert=alert)
    turning = decisions.filter(Q(outcome__in=TURNING) | Q(signal=alert.peak_id)).select_related("signal").order_by("signal__received_at", "pk")[:MAX_MOMENTS]
    return list(turning), max(0, decisions.count() - len(turning))


def delivery_counts(alert: Alert) -> dict[str, int]:
    """How many deliveries of the alert are in each state."""
    rows = Delivery.objects.filter(alert=alert).order_by().values_list("state").annotate(Count("id"))
    return dict(sorted(rows))


def latency(delivery: Delivery) -> Latency:
    """The delivery's way from the venue to Telegram's answer."""
    event, received, detected, queued, sent = delivery.event_at, delivery.received_at, delivery.detected_at, delivery.queued_at, delivery.sent_at
    return Latency(_ms(event, received), _ms(received, detected), _ms(detected, queued), _ms(queued, sent), _ms(received, sent))


def _ms(start: datetime | None, end: datetime | None) -> int | None:
    return None if start is None or end is None else epoch_ms(end) - epoch_ms(start)


def _signal_moment(decision: Decision) -> Moment:
    signal = decision.signal
    what = f"{signal.get_kind_display()} {amount(signal.as_value())}, {signal.count} {'event' if signal.count == 1 else 'events'}"
    graded = "" if not decision.severity else f" at {decision.get_severity_display()}"
    return Moment(signal.received_at, "signal", signal.pk, what, decision.outcome.replace("_", " ") + graded, decision.reason)


def _delivery_moment(delivery: Delivery) -> Moment:
    what = f"{delivery.get_severity_display()} to {delivery.subscriber}"
    return Moment(delivery.sent_at or delivery.queued_at, "delivery", delivery.pk, what, delivery.state, delivery.reason)
