"""Which message is next? The most severe, oldest delivery that may be sent now; with none waiting, the edit that is due."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from alerts import digest_message, folding, market_moves
from alerts.chart_rows import OTHERS, THERE, charts
from alerts.models import Alert, Delivery, FanOut, MarketMove
from alerts.outbox import expire_due, overtaken
from alerts.rules.text import SCANNED
from alertsystem.prepared import Given, Prepared, PreparedUpdate
from monitors.thresholds import Severity
from subscribers.models import Subscriber

State = Delivery.State
EDIT_INTERVAL = timedelta(seconds=5)
EDITED_FOR = timedelta(minutes=10)  # the closing edit may be dropped after this
CUT_OFF = "the sender died while sending"
LEFT = "not subscribed any more"
URGENCY = ("-severity", "purpose", "id")  # of one severity "alert" comes before all other purposes

MESSAGES = ~Q(subscriber__channel=Subscriber.Channel.WEBHOOK)  # webhooks are called by `webhooks`, which never holds these up

FIRST = Prepared(lambda: Delivery.objects.filter(OTHERS, MESSAGES, state=State.PENDING).order_by(*URGENCY).select_related("subscriber", "alert__peak")[:1])
CLAIM = PreparedUpdate(
    lambda: Delivery.objects.filter(pk=Given("pk"), state=State.PENDING, attempts=Given("before")),
    state=State.SENDING, claimed_at=Given("now"), attempts=Given("attempts"),
)  # fmt: skip


def next_delivery(now: datetime, without: Collection[int], only: Collection[int] | None = None) -> Delivery | None:
    """The most severe, oldest pending message but for charts, not to the subscribers `without`; of the subscribers `only`, webhooks too, if given.

    Settles what it finds in its way: too old, overtaken by a higher step, to somebody who left, told in a market-wide message, an empty digest.
    While a higher step's deliveries are being written the lower ones wait: it would be told twice, as a message shows the newest state. So does, for
    a moment, what one scan found for many assets: it becomes one market-wide message.
    """
    if not without and only is None:  # the usual case, and then nothing is in the way
        found = FIRST.first()
        if found is None or _is_ready(found, now):
            return found
    waiting = Delivery.objects.filter(OTHERS, state=State.PENDING).exclude(subscriber__in=without).order_by(*URGENCY)
    waiting = waiting.filter(MESSAGES) if only is None else waiting.filter(subscriber__in=only)
    waiting = waiting.select_related("subscriber", "alert__peak")
    while (found := waiting.first()) is not None:
        if found.expires_at <= now:
            expire_due(now)
        elif found.alert is not None and _is_escalating(found.alert, found.step):
            waiting = waiting.exclude(alert=found.alert, step__lt=found.alert.step)
        elif _is_overtaken(found):
            _settle(found, State.SUPERSEDED, "a higher step followed")
        elif not found.subscriber.active:
            _settle(found, State.FAILED, found.subscriber.deactivated_reason or LEFT)
        elif found.purpose == Delivery.Purpose.DIGEST and digest_message.is_empty(found):
            _settle(found, State.SUPERSEDED, "nothing was left to tell")
        elif (move := market_moves.growing(found, now)) is not None:
            waiting = waiting.exclude(Q(move=move) | Q(alert__move=move), severity__lt=Severity.EXTREME)
        elif not folding.settle(found):
            return found
    return None


def next_chart(now: datetime, without: Collection[int], uploading: Collection[int]) -> Delivery | None:
    """The oldest chart that is there to be sent, not to the subscribers `without`, nor of the alerts whose picture is just being uploaded."""
    there = charts().filter(THERE | ~Q(text=""), state=State.PENDING).exclude(subscriber__in=without).exclude(about__in=uploading)
    waiting = there.select_related("subscriber", "about__chart").defer("about__chart__png").order_by("id")
    while (found := waiting.first()) is not None:
        if found.expires_at <= now:
            expire_due(now)
        elif not found.subscriber.active:
            _settle(found, State.FAILED, found.subscriber.deactivated_reason or LEFT)
        else:
            return found
    return None


def claim(delivery: Delivery, now: datetime) -> bool:
    """Make a pending delivery ours to send; False when it is not pending any more. `attempts` then names this claim."""
    delivery.state, delivery.claimed_at, delivery.attempts = State.SENDING, now, delivery.attempts + 1
    return bool(CLAIM.run(pk=delivery.pk, before=delivery.attempts - 1, now=now, attempts=delivery.attempts))


def recover() -> int:
    """Take back what a dead drainer was sending: nobody knows whether it arrived. Return how many rows there were."""
    cut_off = Delivery.objects.filter(MESSAGES, state=State.SENDING)
    lost = cut_off.filter(unknown_outcomes__gt=0).update(state=State.UNKNOWN, reason=CUT_OFF, unknown_outcomes=F("unknown_outcomes") + 1)
    return lost + cut_off.update(state=State.PENDING, reason=CUT_OFF, unknown_outcomes=1)


def most_urgent(now: datetime) -> Severity | None:
    """How urgent the work is that waits for a drainer: messages, those of a dead drainer, charts, edits; None when there is none."""
    ordered = Delivery.objects.filter(MESSAGES).order_by(*URGENCY)
    # One state a query: each has an index of its own
    states = (Q(OTHERS, state=State.PENDING), Q(state=State.SENDING))
    waiting = [ordered.filter(state).values_list("severity", flat=True).first() for state in states]
    found = [severity for severity in waiting if severity is not None]
    if not found and (later := next_chart(now, (), ()) or next_edit(now, ())) is not None:
        found = [later.severity]
    return Severity(max(found)) if found else None


def consoles() -> list[int]:
    """The subscribers whose messages need no slot."""
    return list(Subscriber.objects.filter(channel=Subscriber.Channel.CONSOLE).values_list("pk", flat=True))


def next_edit(now: datetime, without: Collection[int]) -> Delivery | None:
    """A sent message that does not say what its incident or market move has become; None when none is due.

    Incidents go first, the most severe of them before the others. One whose deliveries are being written waits: a new message may take its place.
    """
    recently = now - EDITED_FOR
    writing = FanOut.objects.filter(alert=OuterRef("pk"), done_at=None)
    for alert in Alert.objects.filter(~Exists(writing), changed_at__gt=recently, revision__gt=1).order_by("-severity", "id"):
        found = _behind(_due(now).filter(alert=alert), alert.revision, without)
        if found is not None:
            return found
    told = Delivery.objects.filter(alert=None, move=OuterRef("pk"), state=State.SENT, live=True)
    changed = Alert.objects.filter(changed_at__gt=recently, move__isnull=False)
    for move in MarketMove.objects.filter(Exists(told), pk__in=changed.values("move")).order_by("id"):
        found = _behind(_due(now).filter(alert=None, move=move), market_moves.revision(move.pk), without)
        if found is not None:
            return found
    return None


def _behind(shown: "QuerySet[Delivery]", revision: int, without: Collection[int]) -> Delivery | None:
    return shown.filter(revision__lt=revision).exclude(subscriber__in=without).order_by("revision").first()


def _due(now: datetime) -> "QuerySet[Delivery]":
    """The live messages that may be edited now, whatever they show."""
    rested = Q(edited_at=None, sent_at__lte=now - EDIT_INTERVAL) | Q(edited_at__lte=now - EDIT_INTERVAL)
    shown = Delivery.objects.filter(rested, state=State.SENT, live=True, message_id__isnull=False, subscriber__active=True)
    return shown.select_related("subscriber", "alert__peak")


def _is_escalating(alert: Alert, step: int) -> bool:
    """Whether deliveries of a step above `step` are still to be written."""
    return alert.step > step and FanOut.objects.filter(alert=alert, step__gt=step, done_at=None).exists()


def _is_ready(delivery: Delivery, now: datetime) -> bool:
    """Whether nothing else can have become of it; False when that takes a closer look."""
    alone = delivery.move_id is None and (delivery.alert is None or delivery.alert.step <= delivery.step) and delivery.purpose != Delivery.Purpose.DIGEST
    may_grow = delivery.alert is not None and delivery.alert.move_id is not None and delivery.alert.kind in SCANNED
    return alone and not may_grow and delivery.expires_at > now and delivery.subscriber.active


def _is_overtaken(delivery: Delivery) -> bool:
    if delivery.alert is None or delivery.alert.step <= delivery.step:  # the usual case needs no query
        return False
    return Delivery.objects.filter(overtaken(), pk=delivery.pk).exists()


def _settle(delivery: Delivery, state: str, reason: str) -> None:
    Delivery.objects.filter(pk=delivery.pk, state=State.PENDING).update(state=state, reason=reason)
