"""What became of a message? The answer of its channel, written to its row: always one conditional update."""

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from alerts import chart_rows
from alerts.channels.base import ChannelError, ChatMoved, NotModified, OutcomeUnknown, Undeliverable, UnknownPhoto
from alerts.models import Delivery
from monitors.thresholds import Severity
from subscribers import services
from subscribers.models import Subscriber

log = logging.getLogger(__name__)
State = Delivery.State
PHOTO_TRIES = 3


@transaction.atomic
def sent(delivery: Delivery, message_id: int | None, revision: int, at: datetime) -> None:
    """It arrived: this message follows the incident now, and those of lower steps do not any more."""
    _close(delivery, state=State.SENT, reason="", message_id=message_id, revision=revision, sent_at=at)
    if delivery.alert_id is not None and delivery.step > 0:
        older = Delivery.objects.filter(alert=delivery.alert_id, subscriber=delivery.subscriber_id, step__lt=delivery.step)
        older.filter(state=State.SENT, live=True).update(live=False)
    elif delivery.alert_id is None and delivery.move_id is not None:
        _now_wide(delivery, editable=message_id is not None)


def not_sent(delivery: Delivery, error: Exception) -> None:
    """It did not arrive, or nobody knows: what the error says is what happens."""
    match error:
        case ChatMoved():
            _follow(delivery, error.new_id)
        case UnknownPhoto() if delivery.attempts < PHOTO_TRIES:
            chart_rows.forget(delivery)
            _close(delivery, state=State.PENDING, reason=error.reason)
        case UnknownPhoto():
            _close(delivery, state=State.FAILED, reason=error.reason)
        case Undeliverable():
            _close(delivery, state=State.FAILED, reason=error.reason[:200])
            _part(delivery, error)
        case OutcomeUnknown():
            state = State.UNKNOWN if delivery.unknown_outcomes else State.PENDING
            _close(delivery, state=state, reason=error.reason[:200], unknown_outcomes=delivery.unknown_outcomes + 1)
        case ChannelError():
            _close(delivery, state=State.PENDING, reason=error.reason[:200])
        case _:  # a fault of ours in this one message
            log.error("Delivery %s cannot be sent", delivery.pk, exc_info=error)
            _close(delivery, state=State.FAILED, reason=f"{type(error).__name__}: {error}"[:200])


def edited(delivery: Delivery, revision: int, at: datetime) -> None:
    """The message shows `revision`."""
    Delivery.objects.filter(pk=delivery.pk, state=State.SENT, revision__lt=revision).update(revision=revision, edited_at=at)


def not_edited(delivery: Delivery, error: Exception, revision: int, at: datetime) -> None:
    """An edit that failed is tried again with the next state of the incident at the earliest in 5 s, or never."""
    if isinstance(error, NotModified):
        edited(delivery, revision, at)
        return
    for_good = not isinstance(error, ChannelError) or isinstance(error, Undeliverable | ChatMoved)
    Delivery.objects.filter(pk=delivery.pk, state=State.SENT).update(edited_at=at, live=not for_good)
    if isinstance(error, Undeliverable):
        _part(delivery, error)
    elif isinstance(error, ChatMoved):
        services.move_chat(delivery.subscriber.chat_id, error.new_id)
    elif for_good:
        log.error("Delivery %s cannot be edited", delivery.pk, exc_info=error)


def _now_wide(message: Delivery, *, editable: bool) -> None:
    """The market-wide message follows the incidents that it lists; where it cannot be edited, it is printed anew when it lacks one."""
    listed = Delivery.objects.filter(move=message.move_id, subscriber=message.subscriber_id, alert__isnull=False)
    listed.filter(state=State.SENT, live=True, step__lt=Severity.EXTREME).update(live=False)
    if not editable and listed.filter(queued_at__gt=message.claimed_at).exists():
        Delivery.objects.filter(pk=message.pk, state=State.SENT).update(state=State.PENDING)


def _close(delivery: Delivery, **change: object) -> bool:
    """Write the outcome of this claim; False when another drainer has taken the row meanwhile."""
    return bool(Delivery.objects.filter(pk=delivery.pk, state=State.SENDING, attempts=delivery.attempts).update(**change))


def _part(delivery: Delivery, error: Undeliverable) -> None:
    """Deactivate a subscriber whom nothing can reach any more."""
    subscriber = Subscriber.objects.filter(pk=delivery.subscriber_id, chat_id=delivery.subscriber.chat_id, active=True).first()
    if error.gone and subscriber is not None:
        services.deactivate(subscriber, error.reason)


@transaction.atomic
def _follow(delivery: Delivery, new_id: int) -> None:
    """The subscriber's chat has a new id: send there; when that one is subscribed already, what waits becomes its own."""
    kept = services.move_chat(delivery.subscriber.chat_id, new_id)
    _close(delivery, state=State.PENDING, reason=f"the chat became {new_id}")
    if kept is not None and kept.pk != delivery.subscriber_id:
        same = Delivery.objects.filter(alert=OuterRef("alert"), subscriber=kept, step=OuterRef("step"))
        waiting = Delivery.objects.filter(~Exists(same), subscriber=delivery.subscriber_id, state__in=(State.PENDING, State.HELD, State.FOLDED))
        about = Delivery.objects.filter(about=OuterRef("about"), purpose=OuterRef("purpose"), number=OuterRef("number"), subscriber=kept)
        broadcast = Delivery.objects.filter(broadcast=OuterRef("broadcast"), subscriber=kept)
        waiting = waiting.exclude(Exists(about)).exclude(Exists(broadcast))
        wide = Delivery.objects.filter(alert=None, move=OuterRef("move"), subscriber=kept)
        waiting = waiting.exclude(Exists(wide), alert=None, move__isnull=False)
        unsent = Delivery.objects.filter(purpose=Delivery.Purpose.DIGEST, state__in=(State.PENDING, State.SENDING), subscriber=kept)
        waiting.exclude(Exists(unsent), purpose=Delivery.Purpose.DIGEST).update(subscriber=kept)
