"""Who gets one market-wide message instead of one each? The fresh deliveries of a chunk, folded in the database alone."""

from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from alerts import delivery_rows
from alerts.models import Alert, Delivery, FanOut, MarketMove
from alerts.rules.market_move import LEAST_ASSETS, WITHIN, are_together
from monitors.thresholds import Severity
from subscribers.models import Subscriber

State = Delivery.State
FOLDED = "told in the market-wide message"
UNSENT = (State.PENDING, State.HELD)
LISTED_STEPS = Q(alert__isnull=False, step__range=(Severity.LOW, Severity.HIGH))  # EXTREME stands alone


def take_turn(alert: Alert) -> None:
    """Fan-outs of one move take turns, so that each sees what the others have told."""
    if alert.move_id is not None:
        list(MarketMove.objects.select_for_update(no_key=True).filter(pk=alert.move_id))  # no_key: incidents may join meanwhile


def fold(fan_out: FanOut, chunk: Q, now: datetime) -> None:
    """Make the rows that `fan_out` has just written for a chunk of subscribers part of their market-wide message, where they have or need one.

    The first three assets were told singly, for nobody knew; what of them is still unsent is told in the message as well.
    """
    move, group = fan_out.alert.move_id, _group(fan_out)
    if move is None or not Severity.LOW <= fan_out.step <= Severity.HIGH or not (group or Delivery.objects.filter(_wide(move)).exists()):
        return
    rows = Delivery.objects.filter(chunk)
    fresh = rows.filter(alert=fan_out.alert_id, step=fan_out.step, queued_at=now)
    spoiled = rows.filter(_wide(move)).exclude(_reaches())
    if group:
        told = rows.filter(LISTED_STEPS, alert__in=group, subscriber__in=fresh.values("subscriber")).exclude(subscriber__in=spoiled.values("subscriber"))
        many = told.order_by().values("subscriber").annotate(assets=Count("alert__asset", distinct=True)).filter(assets__gte=LEAST_ASSETS)
        rows.filter(LISTED_STEPS, alert__in=group, move=None, subscriber__in=many.values("subscriber")).update(move=move)
    listed = Delivery.objects.filter(alert=fan_out.alert_id, move=move, subscriber=OuterRef("subscriber"))
    fresh.filter(Exists(listed), Exists(Delivery.objects.filter(_wide(move), _reaches(), subscriber=OuterRef("subscriber"))), move=None).update(move=move)
    if rows.filter(LISTED_STEPS, move=move, state__in=UNSENT).update(state=State.FOLDED, reason=FOLDED):
        _tell(fan_out, chunk, fresh.filter(state=State.FOLDED), now)


def settle(delivery: Delivery) -> bool:
    """Fold a pending delivery that is listed in a market-wide message: its sending had begun when the message was made, and failed."""
    if delivery.alert_id is None or delivery.move_id is None or delivery.step > Severity.HIGH:
        return False
    message = Delivery.objects.filter(_wide(delivery.move_id), _reaches(), subscriber=delivery.subscriber_id)
    return bool(message.exists() and Delivery.objects.filter(pk=delivery.pk, state=State.PENDING).update(state=State.FOLDED, reason=FOLDED))


def _group(fan_out: FanOut) -> list[int]:
    """The incidents of the move that opened within two minutes of this one; none while they are too few, or when it is an old one that is told."""
    alert = fan_out.alert
    if alert.move_id is None or not are_together(alert.opened_at, fan_out.signal.received_at):
        return []
    near = Alert.objects.filter(move=alert.move_id, opened_at__range=(alert.opened_at - WITHIN, alert.opened_at + WITHIN)).values_list("pk", "asset")
    return [pk for pk, _ in near] if len({asset for _, asset in near}) >= LEAST_ASSETS else []


def _tell(fan_out: FanOut, chunk: Q, folded: "QuerySet[Delivery]", now: datetime) -> None:
    """Write the market-wide message of those who have none yet; make those that wait as urgent as what was folded into them."""
    move, signal = fan_out.alert.move_id, fan_out.signal
    assert move is not None
    wide = Delivery.objects.filter(chunk, _wide(move))
    to_tell = Subscriber.objects.filter(pk__in=folded.values("subscriber")).exclude(pk__in=wide.values("subscriber"))
    severity = Severity(fan_out.severity)
    delivery_rows.insert(to_tell, severity, {"move": move, "step": 0, **delivery_rows.times_of(signal, severity)}, now)
    for loud in (Severity.MODERATE, Severity.HIGH):
        of_it = Delivery.objects.filter(alert__isnull=False, move=move, severity=loud, state=State.FOLDED, subscriber=OuterRef("subscriber"))
        quieter = wide.filter(Exists(of_it), severity__lt=loud)
        may_be_sent = Subscriber.objects.annotate(held=delivery_rows.over_the_cap(OuterRef("pk"), loud, now)).filter(held=False)
        quieter.filter(state=State.HELD, subscriber__in=may_be_sent.values("pk")).update(state=State.PENDING, reason="")
        quieter.filter(state__in=UNSENT).update(severity=loud, expires_at=delivery_rows.expiry_of(loud, signal.detected_at))
    # What cannot be edited (the terminal) is printed anew
    printed = wide.filter(state=State.SENT, subscriber__channel=Subscriber.Channel.CONSOLE, subscriber__in=folded.values("subscriber"))
    printed.update(state=State.PENDING, expires_at=delivery_rows.expiry_of(severity, signal.detected_at))


def _wide(move: int) -> Q:
    """The market-wide messages themselves."""
    return Q(alert=None, move=move)


def _reaches() -> Q:
    """Messages that are yet to be sent, or that still show what becomes of the incidents."""
    shown = Q(state=State.SENT, live=True) & (Q(message_id__isnull=False) | Q(subscriber__channel=Subscriber.Channel.CONSOLE))
    return Q(state__in=(State.PENDING, State.SENDING, State.HELD)) | shown
