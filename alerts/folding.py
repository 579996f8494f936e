"""Who gets one market-wide message instead of one each? The deliveries of a chunk, folded by sets."""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from django.db.models import Case, Count, Exists, F, Max, Q, QuerySet, Value, When

from alerts import companions, delivery_rows
from alerts.delivery_rows import FOLDED, Chunk, in_chunk
from alerts.holding import CAP_WINDOW, MUTED, holds
from alerts.models import Alert, Delivery, FanOut, MarketMove
from alerts.rules.market_move import LEAST_ASSETS, WITHIN, are_together
from alertsystem.prepared import Given, Prepared, PreparedUpdate
from alertsystem.statements import Among, Statement, numbers, run_together
from monitors.models import Signal
from monitors.thresholds import Severity
from subscribers.models import Subscriber

State = Delivery.State
UNSENT = Q(state__in=(State.PENDING, State.HELD))
LISTED_STEPS = Q(alert__isnull=False, step__range=(Severity.LOW, Severity.HIGH))  # EXTREME stands alone
MAY_BE_LISTED = ~Q(state=State.HELD, reason=MUTED)  # what is muted is told by the digest
MARKET_WIDE = Q(alert=None, move=Given("move"))
PRINTED = Q(state=State.SENT, subscriber__channel=Subscriber.Channel.CONSOLE)
# Messages that are yet to be sent, or told by a digest, or that still show what becomes of the incidents
SHOWN = Q(state=State.SENT, live=True) & (Q(message_id__isnull=False) | PRINTED)
REACHES = Q(state__in=(State.PENDING, State.SENDING)) | Q(state=State.HELD, digest=None) | SHOWN

TURN = Prepared(lambda: MarketMove.objects.select_for_update(no_key=True).filter(pk=Given("pk")))  # no_key: incidents may join meanwhile
NEAR = Prepared(lambda: Alert.objects.filter(_near("")).annotate(told=Exists(Delivery.objects.filter(MARKET_WIDE))).values_list("pk", "asset", "told"))
TOLD = Prepared(
    lambda: (
        Delivery.objects.filter(in_chunk("subscriber"), MARKET_WIDE)
        .annotate(reached=Case(When(REACHES, then=True), default=False), printed=Case(When(PRINTED, then=True), default=False))
        .order_by()
        .values_list("subscriber", "reached", "printed")
    )
)
LISTED = Prepared(
    lambda: Delivery.objects.filter(in_chunk("subscriber"), alert=Given("alert"), move=Given("move")).order_by().values_list("subscriber", flat=True)
)
LIST_EARLIER = PreparedUpdate(
    lambda: Delivery.objects.filter(
        in_chunk("subscriber"), LISTED_STEPS, MAY_BE_LISTED, Among("subscriber_id", "singly"), alert__in=Alert.objects.filter(_near("")), move=None
    ),
    move=Given("move"),
    state=Case(When(UNSENT, then=Value(State.FOLDED)), default=F("state")),
    reason=Case(When(UNSENT, then=Value(FOLDED)), default=F("reason")),
    held_until=Case(When(UNSENT, then=None), default=F("held_until")),
)  # fmt: skip


def _near(alert: str) -> Q:
    """Whether an incident of the move opened within two minutes of the one that a run is for."""
    return Q(**{f"{alert}move": Given("move"), f"{alert}opened_at__gte": Given("since"), f"{alert}opened_at__lte": Given("until")})


@dataclass(frozen=True, slots=True)
class Folding:
    """Who of a chunk is told of an incident in the market-wide message.

    `subscribers`: all of them. `singly`: those who were told of others of about the same time in messages of their own, which
    goes there too. `told`: who has such a message; `printed`: whose stands in the terminal. `incidents`: which ones are meant, and by `values`.
    """

    subscribers: Set[int]
    singly: Set[int]
    told: Set[int]
    printed: Set[int]
    incidents: Collection[int]
    values: Mapping[str, object]

    def for_insertion(self) -> dict[str, object]:
        """What an insertion with folding is given."""
        return {"move": self.values["move"], "listed": numbers(self.subscribers)}


def take_turn(alert: Alert, then: Prepared[int], **values: object) -> int | None:
    """Fan-outs of one move take turns, so that each sees what the others have told; return the first row of what is asked `then`."""
    if alert.move_id is None:
        return then.first(**values)
    row = run_together(TURN.call(pk=alert.move_id), then.call(**values))
    return None if row is None else int(row[0])


def folding_of(fan_out: FanOut, chunk: Chunk) -> Folding | None:
    """Who of a chunk is to be told in the market-wide message; None when nobody is, the usual case.

    Subscribers pass through Python by their numbers: one statement for all of it is what planners make a bad guess at in a burst.
    """
    alert, move = fan_out.alert, fan_out.alert.move_id
    if move is None or not Severity.LOW <= fan_out.step <= Severity.HIGH:
        return None
    values = {"move": move, "asset": alert.asset, "since": alert.opened_at - WITHIN, "until": alert.opened_at + WITHIN, **chunk.values()}
    near = NEAR.rows(**values)
    enough = are_together(alert.opened_at, fan_out.signal.received_at) and len({asset for _, asset, _ in near}) >= LEAST_ASSETS
    many = _told_of_many(near, values) if enough else {}
    messages = TOLD.rows(**values) if any(anybody for _, _, anybody in near) else []
    told, reached, printed = ({row[0] for row in messages if row[which]} for which in (0, 1, 2))
    listed = set(LISTED.rows(alert=alert.pk, **values)) & reached if reached else set()
    joining = many.keys() - (told - reached)
    if not joining and not listed:
        return None
    incidents = {alert.pk, *(pk for pk, _, _ in near if enough)}
    return Folding(joining | listed, {subscriber for subscriber in joining if many[subscriber]}, told, printed, incidents, values)


def _told_of_many(near: Sequence[tuple[int, str, bool]], values: Mapping[str, object]) -> dict[int, int]:
    """Who of the chunk is told of so many other assets, and of how many incidents in messages of their own."""
    others = {pk: asset for pk, asset, _ in near if asset != values["asset"]}
    each_once = len(set(others.values())) == len(others)
    return dict(_many("alert_id" if each_once else "alert__asset").rows(near=numbers(pk for pk, _, _ in near), others=numbers(others), **values))


@cache
def _many(asset: str) -> Prepared[tuple[int, int]]:
    """The subscribers with deliveries of so many different ones of `others`. Joins with alerts are what PostgreSQL does badly for a burst's fresh rows."""
    told = Delivery.objects.filter(in_chunk("subscriber"), LISTED_STEPS, MAY_BE_LISTED, Among("alert_id", "near")).order_by().values("subscriber")
    counted = told.annotate(others=Count(asset, distinct=True, filter=Among("alert_id", "others")), singly=Count("pk", filter=Q(move=None)))
    return Prepared(lambda: counted.filter(others__gte=LEAST_ASSETS - 1).values_list("subscriber", "singly"))


def fold(fan_out: FanOut, folding: Folding, fresh: Set[int], now: datetime) -> None:
    """Tell `fresh`, whose folded rows of the chunk `fan_out` has just written, in their market-wide message.

    The first three assets were told singly, for nobody knew; what of them is still unsent is told in the message as well. Who has
    no message yet gets one; one that waits becomes as urgent as what was folded into it.
    """
    move, signal, severity = fan_out.alert.move_id, fan_out.signal, Severity(fan_out.severity)
    assert move is not None
    if singly := fresh & folding.singly:
        LIST_EARLIER.run(singly=numbers(singly), **folding.values)
    companions.release(folding.incidents, fresh)
    if untold := fresh - folding.told:
        same = {"move": move, "step": 0, **delivery_rows.times_of(signal, severity)}
        delivery_rows.insert(_wide(severity, tuple(same)), {**same, "untold": numbers(untold)}, now)
    _make_urgent(move, fresh, signal, now)
    if again := fresh & folding.printed:  # what cannot be edited
        printed = Delivery.objects.filter(alert=None, move=move, subscriber__in=again, state=State.SENT)
        printed.update(state=State.PENDING, expires_at=delivery_rows.expiry_of(severity, signal.detected_at))


def settle(delivery: Delivery) -> bool:
    """Fold a pending delivery that is listed in a market-wide message: its sending had begun when the message was made, and failed."""
    if delivery.alert_id is None or delivery.move_id is None or delivery.step > Severity.HIGH:
        return False
    message = Delivery.objects.filter(REACHES, alert=None, move=delivery.move_id, subscriber=delivery.subscriber_id)
    return bool(message.exists() and Delivery.objects.filter(pk=delivery.pk, state=State.PENDING).update(state=State.FOLDED, reason=FOLDED))


@cache
def _wide(severity: Severity, given: tuple[str, ...]) -> Statement:
    """What writes the market-wide messages."""
    return delivery_rows.insertion(Subscriber.objects.filter(Among("pk", "untold")), severity, None, given)


def _make_urgent(move: int, concerned: Set[int], signal: Signal, now: datetime) -> None:
    """Make the messages that wait as urgent as the loudest that was folded into them."""
    loudest = Alert.objects.filter(move=move).aggregate(severity=Max("severity"))["severity"]
    for loud in (Severity.MODERATE, Severity.HIGH):
        if loudest < loud:
            return
        of_it = Delivery.objects.filter(LISTED_STEPS, move=move, severity=loud, state=State.FOLDED, subscriber__in=concerned)
        wide = Delivery.objects.filter(UNSENT, alert=None, move=move, severity__lt=loud)
        _make_louder(wide.filter(subscriber__in=_subscribers(of_it)), loud, signal, now)


def _make_louder(quieter: "QuerySet[Delivery]", loud: Severity, signal: Signal, now: datetime) -> None:
    """Raise unsent messages to a severity; what holds back one of that severity holds them now."""
    held = _subscribers(quieter.filter(state=State.HELD))
    if held:
        quiet_or_capped = Q(quiet_hours_end__isnull=False) | Q(cap_ends__isnull=False)
        still = Subscriber.objects.filter(pk__in=held).annotate(**holds(loud, None, now, now - CAP_WINDOW)).filter(quiet_or_capped)
        freed = held - set(still.values_list("pk", flat=True))
        quieter.filter(state=State.HELD, subscriber__in=freed).update(state=State.PENDING, reason="", held_until=None)
    quieter.update(severity=loud, expires_at=delivery_rows.expiry_of(loud, signal.detected_at))


def _subscribers(deliveries: "QuerySet[Delivery]") -> set[int]:
    return set(deliveries.order_by().values_list("subscriber_id", flat=True))
