"""Who gets one market-wide message instead of one each? The fresh deliveries of a chunk, folded by sets."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache

from django.db.models import Case, Count, F, Q, QuerySet, Value, When
from django.db.models.lookups import In

from alerts import companions, delivery_rows
from alerts.holding import CAP_WINDOW, MUTED, holds
from alerts.models import Alert, Delivery, FanOut, MarketMove
from alerts.rules.market_move import LEAST_ASSETS, WITHIN, are_together
from alertsystem.prepared import Given, Prepared
from monitors.models import Signal
from monitors.thresholds import Severity
from subscribers.models import Subscriber

State = Delivery.State
FOLDED = "told in the market-wide message"
UNSENT = (State.PENDING, State.HELD)
ENDLESS = 2**63 - 1  # no subscriber's number is larger
LISTED_STEPS = Q(alert__isnull=False, step__range=(Severity.LOW, Severity.HIGH))  # EXTREME stands alone
MAY_BE_LISTED = ~Q(state=State.HELD, reason=MUTED)  # what is muted is told by the digest

TURN = Prepared(lambda: MarketMove.objects.select_for_update(no_key=True).filter(pk=Given("pk")))  # no_key: incidents may join meanwhile
WIDE = Prepared(lambda: Delivery.objects.filter(alert=None, move=Given("move")).values_list("pk", flat=True)[:1])
NEAR = Prepared(lambda: Alert.objects.filter(move=Given("move"), opened_at__gte=Given("since"), opened_at__lte=Given("until")).values_list("pk", "asset"))


def take_turn(alert: Alert) -> None:
    """Fan-outs of one move take turns, so that each sees what the others have told."""
    if alert.move_id is not None:
        TURN.rows(pk=alert.move_id)


def fold(fan_out: FanOut, chunk: Q, upper: int | None, now: datetime) -> None:
    """Make the rows that `fan_out` has just written for a chunk of subscribers part of their market-wide message, where they have or need one.

    The first three assets were told singly, for nobody knew; what of them is still unsent is told in the message as well.
    The chunk ends with the subscriber `upper` (None: with the last of all). Subscribers pass through Python by their numbers:
    one statement for all of it is what planners make a bad guess at in a burst.
    """
    move = fan_out.alert.move_id
    if move is None or not Severity.LOW <= fan_out.step <= Severity.HIGH:
        return
    group, rows = _group(fan_out), Delivery.objects.filter(chunk)
    many, told = _wanting_many(group, fan_out.cursor, upper), _told(move, chunk)
    if not many and not told:
        return
    fresh = _subscribers(rows.filter(MAY_BE_LISTED, alert=fan_out.alert_id, step=fan_out.step, queued_at=now))
    joining = (fresh & many) - {subscriber for subscriber, reached in told.items() if not reached}
    listed = _subscribers(rows.filter(alert=fan_out.alert_id, move=move)) & fresh & {subscriber for subscriber, reached in told.items() if reached}
    listing = _listing(move)
    rows.filter(LISTED_STEPS, MAY_BE_LISTED, alert__in=group, move=None, subscriber__in=joining).update(**listing)
    rows.filter(alert=fan_out.alert_id, step=fan_out.step, move=None, subscriber__in=listed).update(**listing)
    if concerned := joining | listed:
        companions.release({*group, fan_out.alert_id}, concerned)
        _tell(fan_out, chunk, concerned, concerned - set(told), now)


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
    near = NEAR.rows(move=alert.move_id, since=alert.opened_at - WITHIN, until=alert.opened_at + WITHIN)
    return [pk for pk, _ in near] if len({asset for _, asset in near}) >= LEAST_ASSETS else []


def _listing(move: int) -> dict[str, object]:
    """What changes in a row that the message lists: one that was not sent is folded."""
    unsent = {"state": Value(State.FOLDED), "reason": Value(FOLDED)}
    return {"move": move, **{name: Case(When(state__in=UNSENT, then=value), default=F(name)) for name, value in unsent.items()}}


def _subscribers(deliveries: "QuerySet[Delivery]") -> set[int]:
    return set(deliveries.order_by().values_list("subscriber_id", flat=True))


def _wanting_many(group: Sequence[int], cursor: int, upper: int | None) -> set[int]:
    """Who of the chunk is told of so many assets of the group."""
    if not group:
        return set()
    size = 1 << (len(group) - 1).bit_length()  # few sizes, so that few statements are compiled
    alerts = {f"alert{number}": group[min(number, len(group) - 1)] for number in range(size)}
    return set(_told_of_many(size).rows(cursor=cursor, upper=ENDLESS if upper is None else upper, **alerts))


@cache
def _told_of_many(size: int) -> Prepared[int]:
    """The subscribers of a chunk who are told of so many assets of `size` incidents."""
    group, chunk = [Given(f"alert{number}") for number in range(size)], Q(subscriber__gt=Given("cursor"), subscriber__lte=Given("upper"))
    told = Delivery.objects.filter(chunk, LISTED_STEPS, MAY_BE_LISTED, In(F("alert_id"), group)).order_by().values("subscriber")
    many = told.annotate(assets=Count("alert__asset", distinct=True)).filter(assets__gte=LEAST_ASSETS)
    return Prepared(lambda: many.values_list("subscriber", flat=True))


def _told(move: int, chunk: Q) -> dict[int, bool]:
    """Who has a market-wide message, and whether it is yet to be sent or still shows what becomes of the incidents."""
    if not WIDE.rows(move=move):
        return {}
    messages = Delivery.objects.filter(chunk, _wide(move))
    reached = _subscribers(messages.filter(_reaches()))
    return {subscriber: subscriber in reached for subscriber in _subscribers(messages)}


def _tell(fan_out: FanOut, chunk: Q, concerned: Collection[int], untold: Collection[int], now: datetime) -> None:
    """Write the market-wide message of those who have none yet; make those that wait as urgent as what was folded into them."""
    move, signal, severity = fan_out.alert.move_id, fan_out.signal, Severity(fan_out.severity)
    assert move is not None
    wide = Delivery.objects.filter(chunk, _wide(move))
    if untold:
        same = {"move": move, "step": 0, **delivery_rows.times_of(signal, severity)}
        delivery_rows.insert(Subscriber.objects.filter(pk__in=untold), severity, same, now)
    for loud in (Severity.MODERATE, Severity.HIGH):
        of_it = Delivery.objects.filter(chunk, LISTED_STEPS, move=move, severity=loud, state=State.FOLDED, subscriber__in=concerned)
        _make_louder(wide.filter(state__in=UNSENT, severity__lt=loud, subscriber__in=_subscribers(of_it)), loud, signal, now)
    # What cannot be edited (the terminal) is printed anew
    printed = wide.filter(state=State.SENT, subscriber__channel=Subscriber.Channel.CONSOLE, subscriber__in=concerned)
    printed.update(state=State.PENDING, expires_at=delivery_rows.expiry_of(severity, signal.detected_at))


def _make_louder(quieter: "QuerySet[Delivery]", loud: Severity, signal: Signal, now: datetime) -> None:
    """Raise unsent messages to a severity; what holds back one of that severity holds them now."""
    held = _subscribers(quieter.filter(state=State.HELD))
    if held:
        quiet_or_capped = Q(quiet_hours_end__isnull=False) | Q(cap_ends__isnull=False)
        still = Subscriber.objects.filter(pk__in=held).annotate(**holds(loud, None, now, now - CAP_WINDOW)).filter(quiet_or_capped)
        freed = held - set(still.values_list("pk", flat=True))
        quieter.filter(state=State.HELD, subscriber__in=freed).update(state=State.PENDING, reason="", held_until=None)
    quieter.update(severity=loud, expires_at=delivery_rows.expiry_of(loud, signal.detected_at))


def _wide(move: int) -> Q:
    """The market-wide messages themselves."""
    return Q(alert=None, move=move)


def _reaches() -> Q:
    """Messages that are yet to be sent, or told by a digest, or that still show what becomes of the incidents."""
    shown = Q(state=State.SENT, live=True) & (Q(message_id__isnull=False) | Q(subscriber__channel=Subscriber.Channel.CONSOLE))
    return Q(state__in=(State.PENDING, State.SENDING)) | Q(state=State.HELD, digest=None) | shown
