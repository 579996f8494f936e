"""What has this subscriber heard of an alert? Each step that was for them, and the message that told it, if one did."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from alerts.companions import IS_COMPANION
from alerts.models import Alert, Delivery
from subscribers.models import Subscriber

State = Delivery.State
IN_DIGESTS = (State.HELD, State.EXPIRED)  # what a digest tells later


@dataclass(frozen=True, slots=True)
class Step:
    """A step of an alert that was for the subscriber; `message` is what told it (None: none yet, or never).

    That is its own, a market-wide one, that of the incident it accompanies, or a digest.
    """

    delivery: Delivery
    message: Delivery | None

    @property
    def told_at(self) -> datetime | None:
        """When it arrived, whichever message told it; None when it did not. A line of another incident's message came with its last edit, at the latest."""
        message = self.message
        if message is None or message.state != State.SENT:
            return None
        return message.edited_at or message.sent_at if self.host is not None else message.sent_at

    @property
    def host(self) -> int | None:
        """The alert in whose message it is a line; None when it is in none."""
        folded_alone = self.delivery.state == State.FOLDED and self.delivery.move_id is None
        return self.delivery.alert.companion_of_id if folded_alone and self.delivery.alert is not None else None


def steps(alert: Alert, subscriber: Subscriber) -> list[Step]:
    """In the order of time."""
    rows = Delivery.objects.filter(alert=alert, subscriber=subscriber).select_related("digest", "alert").order_by("queued_at", "step")
    return list(map(_with_message, rows))


def newest(subscriber: Subscriber) -> Alert | None:
    """The newest alert that the subscriber has heard of."""
    return Alert.objects.filter(heard_by(subscriber)).select_related("peak").order_by("-id").first()


def heard_by(subscriber: Subscriber) -> Q:
    """Of alerts those that the subscriber has heard of: by a message of their own, a market-wide one, that of another incident, or a digest."""
    sent = Delivery.objects.filter(subscriber=subscriber, state=State.SENT)
    wide = sent.filter(alert=None, move=OuterRef("move"))
    of_host = sent.filter(alert=OuterRef("alert__companion_of"), revision__gte=OuterRef("revision"))
    told = Q(state=State.SENT) | Q(Exists(wide), state=State.FOLDED) | Q(Exists(of_host), IS_COMPANION) | Q(state__in=IN_DIGESTS, digest__state=State.SENT)
    return Q(pk__in=Delivery.objects.filter(told, subscriber=subscriber, alert__isnull=False).values("alert"))


def _with_message(row: Delivery) -> Step:
    ours = Delivery.objects.filter(subscriber=row.subscriber_id).order_by("-id")
    match row.state:
        case State.SENT:
            return Step(row, row)
        case State.HELD | State.EXPIRED:
            return Step(row, row.digest)
        case State.FOLDED if row.move_id is not None:
            return Step(row, ours.filter(alert=None, move=row.move_id).first())
        case State.FOLDED if row.alert is not None and row.alert.companion_of_id is not None:
            return Step(row, ours.filter(alert=row.alert.companion_of_id, state=State.SENT, revision__gte=row.revision).first())
    return Step(row, None)
