"""What has this subscriber heard of an alert? Each step that was for them, and the message that told it, if one did."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from alerts.models import Alert, Delivery
from subscribers.models import Subscriber

State = Delivery.State
IN_DIGESTS = (State.HELD, State.EXPIRED)  # what a digest tells later


@dataclass(frozen=True, slots=True)
class Step:
    """A step of an alert that was for the subscriber; `message` is what told it: its own, a market-wide one or a digest (None: none yet, or never)."""

    delivery: Delivery
    message: Delivery | None

    @property
    def told_at(self) -> datetime | None:
        """When it arrived, whichever message told it; None when it did not."""
        return self.message.sent_at if self.message is not None and self.message.state == State.SENT else None


def steps(alert: Alert, subscriber: Subscriber) -> list[Step]:
    """In the order of time."""
    rows = Delivery.objects.filter(alert=alert, subscriber=subscriber).select_related("digest", "alert").order_by("queued_at", "step")
    return _with_messages(list(rows), subscriber)


def newest(subscriber: Subscriber) -> Alert | None:
    """The newest alert that the subscriber has heard of."""
    return Alert.objects.filter(heard_by(subscriber)).select_related("peak").order_by("-id").first()


def heard_by(subscriber: Subscriber) -> Q:
    """Of alerts those that the subscriber has heard of: by a message of their own, a market-wide one or a digest."""
    wide = Delivery.objects.filter(alert=None, move=OuterRef("move"), subscriber=subscriber, state=State.SENT)
    told = Q(state=State.SENT) | Q(Exists(wide), state=State.FOLDED) | Q(state__in=IN_DIGESTS, digest__state=State.SENT)
    return Q(pk__in=Delivery.objects.filter(told, subscriber=subscriber, alert__isnull=False).values("alert"))


def _with_messages(rows: Iterable[Delivery], subscriber: Subscriber) -> list[Step]:
    rows = list(rows)
    moves = {row.move_id for row in rows if row.state == State.FOLDED}
    wide = {message.move_id: message for message in Delivery.objects.filter(alert=None, move__in=moves, subscriber=subscriber)} if moves else {}
    return [Step(row, _message(row, wide)) for row in rows]


def _message(row: Delivery, wide: Mapping[int | None, Delivery]) -> Delivery | None:
    match row.state:
        case State.SENT:
            return row
        case State.FOLDED:
            return wide.get(row.move_id)
        case State.HELD | State.EXPIRED:
            return row.digest
    return None
