"""What did people think of an alert? One vote each, useful or noise, changed at will."""

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Count, Q
from django.utils import timezone

from alerts.models import Alert, Delivery, Vote
from alerts.told import heard_by
from subscribers.models import Subscriber


class Voted(StrEnum):
    """What became of a vote."""

    COUNTED = "counted"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    NOT_TOLD = "not told"  # this chat never got the alert


@dataclass(frozen=True, slots=True)
class Votes:
    """How many found it useful, and how many noise."""

    useful: int
    noise: int


def vote(alert_id: int, subscriber: Subscriber, user_id: int, useful: bool) -> Voted:
    """Count a person's vote on an alert that their chat got; the same twice counts once, the other one replaces it."""
    if not was_told(alert_id, subscriber):
        return Voted.NOT_TOLD
    who = {"alert_id": alert_id, "subscriber": subscriber, "user_id": user_id}
    _, created = Vote.objects.get_or_create(**who, defaults={"useful": useful})
    if created:
        return Voted.COUNTED
    changed = Vote.objects.filter(**who).exclude(useful=useful).update(useful=useful, at=timezone.now())
    return Voted.CHANGED if changed else Voted.UNCHANGED


def votes_of(alert: Alert) -> Votes:
    """All votes on one alert."""
    counts = dict(Vote.objects.filter(alert=alert).order_by().values_list("useful").annotate(Count("pk")))
    return Votes(counts.get(True, 0), counts.get(False, 0))


def was_told(alert_id: int, subscriber: Subscriber) -> bool:
    """Whether an alert reached this chat: by a message of its own, in a market-wide one or a digest, or as a companion of another alert."""
    itself_or_its_host = Alert.objects.filter(Q(pk=alert_id) | Q(companions=alert_id))
    perhaps = Delivery.objects.filter(alert__in=itself_or_its_host, subscriber=subscriber, state=Delivery.State.UNKNOWN)
    return itself_or_its_host.filter(heard_by(subscriber)).exists() or perhaps.exists()
