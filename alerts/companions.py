"""Which incident's message tells of another one too? An open incident of another kind on the same asset that opened shortly before or after.

It is so for each subscriber who has that message or is about to get it; all others get one of their own. Market-wide messages have no companions.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from alerts.holding import MUTED
from alerts.incidents import incident_of
from alerts.models import Alert, Delivery, FanOut
from alerts.rules.companion import WITHIN, accompanies
from alerts.rules.incident import Incident
from alertsystem.prepared import Given, Prepared
from monitors.market import Kind
from monitors.models import Signal
from monitors.thresholds import Severity
from subscribers.models import Subscriber

State = Delivery.State
CAN_BE_EDITED = Q(subscriber__channel=Subscriber.Channel.TELEGRAM)
# A message of the incident that the subscriber has, or is about to get, and that shows what becomes of it
SHOWS_IT = CAN_BE_EDITED & Q(move=None) & (Q(state__in=(State.PENDING, State.SENDING)) | Q(state=State.SENT, live=True, message_id__isnull=False))
IS_COMPANION = Q(state=State.FOLDED, move=None)  # a line of another incident's message

NEAR = Prepared(
    lambda: (
        Alert.objects.filter(asset=Given("asset"), closed_at=None, companion_of=None, opened_at__gte=Given("since"), opened_at__lte=Given("until"))
        .filter(Exists(FanOut.objects.filter(alert=OuterRef("pk"))))  # somebody was told
        .order_by("-severity", "id")
    )
)
TOLD_WITH = Prepared(
    lambda: (
        Alert.objects.filter(Exists(Delivery.objects.filter(IS_COMPANION, alert=OuterRef("pk"), subscriber=Given("subscriber"))), companion_of=Given("host"))
        .select_related("peak")
        .order_by("-severity", "id")
    )
)


def join(alert: Alert, signal: Signal) -> None:
    """Let an incident that has just opened, or reached LOW, accompany the most severe open one that it belongs to; it is not saved yet."""
    at = signal.received_at
    for host in NEAR.rows(asset=alert.asset, since=at - WITHIN, until=at + WITHIN):
        if host.pk != alert.pk and accompanies(Kind(alert.kind), Severity(alert.severity), at, Kind(host.kind), Severity(host.severity), host.opened_at):
            alert.companion_of = host
            return


def host_of(alert: Alert, severity: Severity) -> Alert | None:
    """The open incident whose message tells of this one at this severity; None when it stands alone."""
    if alert.companion_of_id is None:
        return None
    return Alert.objects.filter(pk=alert.companion_of_id, closed_at=None, severity__gte=severity).first()


def changed(alert: Alert, now: datetime) -> None:
    """What the message of its host says of this incident has changed."""
    if alert.companion_of_id is not None:
        Alert.objects.filter(pk=alert.companion_of_id).update(revision=F("revision") + 1, changed_at=now)


def unfinished(fan_out: FanOut) -> "Collection[FanOut]":
    """Fan-outs of its host that have to be written first: they say who is about to get that message."""
    host = fan_out.alert.companion_of_id
    return [] if host is None else list(FanOut.objects.filter(alert=host, done_at=None).order_by("id"))


def fold(fan_out: FanOut, chunk: Q, now: datetime) -> None:
    """Make the rows that `fan_out` has just written for a chunk of subscribers lines of the message of its host, where they have it.

    `revision` then says from which revision of the host on its message has the line. The host's row is locked at the very end only:
    its next step must not wait for this.
    """
    host = host_of(fan_out.alert, Severity(fan_out.severity))
    if host is None:
        return
    fresh = Delivery.objects.filter(chunk, alert=fan_out.alert_id, step=fan_out.step, queued_at=now, move=None, state__in=(State.PENDING, State.HELD))
    message = Delivery.objects.filter(SHOWS_IT, alert=host.pk, subscriber=OuterRef("subscriber"))
    folded = fresh.exclude(reason=MUTED).filter(Exists(message))
    reason = f"told in the message of alert {host.pk}"
    if folded.update(state=State.FOLDED, reason=reason, held_until=None, revision=host.revision + 1):
        changed(fan_out.alert, now)


def release(hosts: Collection[int], subscribers: Collection[int]) -> None:
    """These subscribers are told of `hosts` in a market-wide message: a companion whose line they have not been shown gets a message of its own."""
    if not Alert.objects.filter(companion_of__in=hosts).exists():
        return
    unshown(hosts).filter(subscriber__in=subscribers).update(state=State.PENDING, reason="", revision=0)


def unshown(hosts: "Collection[int] | QuerySet[Any, Any]") -> "QuerySet[Delivery]":
    """The deliveries that were to be lines of a message of `hosts`, and of which no message that was sent has the line."""
    message = Delivery.objects.filter(alert=OuterRef("alert__companion_of"), subscriber=OuterRef("subscriber"), state=State.SENT)
    return Delivery.objects.filter(IS_COMPANION, ~Exists(message.filter(revision__gte=OuterRef("revision"))), alert__companion_of__in=hosts)


def of(message: Delivery, alert: Alert) -> list[Incident]:
    """The companions that the subscriber's message of an incident tells of, the most severe first; none before its second revision."""
    if alert.revision <= 1:  # the usual case needs no query
        return []
    return list(map(incident_of, TOLD_WITH.rows(host=alert.pk, subscriber=message.subscriber_id)))
