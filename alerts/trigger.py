"""What follows from a signal? The trigger engine: unread signals become decisions, incidents and fan-outs."""

import logging
from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from alerts import companions, incidents, market_moves, outbox, records
from alerts.models import Alert, Decision, FanOut, Silence
from alerts.rules.incident import Outcome, decide
from alerts.rules.severity import Grade
from alertsystem.prepared import Given, Prepared, PreparedUpdate, insert, inserting
from alertsystem.statements import run_together
from monitors import rulefile, selectors
from monitors.market import Kind
from monitors.models import Signal
from monitors.thresholds import Rule, Severity
from subscribers.models import Subscriber, Subscription

log = logging.getLogger(__name__)
InForce = tuple[Rule | None, Decimal | None]  # the rule, and the lowest custom threshold
Begun = tuple[FanOut, int]  # and how many rows of it are written
AT_ONCE = 200  # signals in one transaction: on SQLite everybody else who writes waits for it
LOST_RACES = 5  # two workers may open the same incident at once; the loser looks again

UNREAD = Prepared(
    lambda: (
        Signal.objects.select_for_update()
        .filter(fingerprint=Given("fingerprint"), decided_at=None)
        .annotate(
            silence=Subquery(
                Silence.objects.filter(kind__in=["", OuterRef("kind")], asset__in=["", OuterRef("asset")], until__gt=Given("now"))
                .order_by("-until")
                .values("pk")[:1]
            )
        )
        .order_by("id")[:AT_ONCE]
    )
)
NEWEST = Prepared(
    lambda: Alert.objects.select_for_update(of=("self",), no_key=True).select_related("peak").filter(fingerprint=Given("fingerprint")).order_by("-id")[:1]
)
DECIDED = PreparedUpdate(lambda: Signal.objects.filter(pk=Given("pk")), decided_at=Given("now"))


def evaluate(fingerprint: str) -> None:
    """Decide every unread signal of this fingerprint, in order; then write whom they tell."""
    more = True
    while more:
        fan_outs, more = _decide_some(fingerprint)
        for fan_out, written in fan_outs:
            outbox.fan_out(fan_out, written)


def evaluate_unread() -> int:
    """Decide every unread signal there is; return how many fingerprints had some. One that fails leaves the others."""
    fingerprints = dict.fromkeys(Signal.objects.filter(decided_at=None).order_by("id").values_list("fingerprint", flat=True))
    for fingerprint in fingerprints:
        try:
            evaluate(fingerprint)
        except Exception:
            log.exception("The signals of %s could not be decided; the next sweep tries again", fingerprint)
    return len(fingerprints)


def close_due(now: datetime) -> int:
    """Close the incidents whose cooldown is over and that have no unread signal; return how many."""
    quiet = Alert.objects.filter(closed_at=None, last_seen_at__lt=now).only("last_seen_at", "cooldown_s")
    # Only those, for each takes a lock; SQLite has one for all writers
    return sum(_close_if_due(alert.pk, now) for alert in quiet if incidents.closes_at(alert) <= now)


@transaction.atomic
def _close_if_due(pk: int, now: datetime) -> bool:
    alert = Alert.objects.select_for_update().filter(pk=pk, closed_at=None).first()
    if alert is None or incidents.closes_at(alert) > now or Signal.objects.filter(decided_at=None, fingerprint=alert.fingerprint).exists():
        return False
    incidents.close(alert, now)
    companions.changed(alert, now)
    return True


def _decide_some(fingerprint: str) -> tuple[list[Begun], bool]:
    """Decide the oldest unread signals; the fan-outs that follow, and whether there may be more signals."""
    for _ in range(LOST_RACES - 1):
        try:
            return _decide_unread(fingerprint)
        except IntegrityError:  # another worker opened the incident between our look and our insert
            pass
    return _decide_unread(fingerprint)


@transaction.atomic
def _decide_unread(fingerprint: str) -> tuple[list[Begun], bool]:
    now = timezone.now()
    # The row locks (on SQLite the whole transaction) make a second worker wait here, and then find nothing unread.
    unread = UNREAD.rows(fingerprint=fingerprint, now=now)
    if not unread:
        return [], False
    newest, begun = NEWEST.first(fingerprint=fingerprint), list[Begun]()
    rules = {kind: selectors.in_force(Kind(kind), unread[0].asset) for kind in {signal.kind for signal in unread}}
    for signal in unread:
        newest, fan_out = _decide(newest, signal, rules[signal.kind], now, signal.silence)
        begun += [fan_out] if fan_out is not None else []
    return begun, len(unread) == AT_ONCE


def _decide(newest: Alert | None, signal: Signal, in_force: InForce, now: datetime, silence: int | None) -> tuple[Alert | None, Begun | None]:
    """Decide one signal against the newest alert of its fingerprint; return the newest one after it, and whom to tell unless there is a `silence`."""
    alert = newest if newest is not None and newest.closed_at is None else None
    state, (rule, custom_floor) = None if newest is None else incidents.incident_of(newest), in_force
    decision = decide(state, signal.as_value(), rule, custom_floor)
    if alert is not None and decision.closed is not None:
        incidents.close(alert, now)
        companions.changed(alert, now)
        alert = None
    if decision.incident is not None and decision.outcome is not Outcome.OUT_OF_ORDER:
        alert = alert or Alert(fingerprint=signal.fingerprint, asset=signal.asset, direction=signal.direction, revision=0)
        shown, is_new = alert.revision, alert.pk is None or alert.severity == Severity.BELOW_LOW < decision.incident.severity
        incidents.apply(alert, decision.incident, signal, now)
        if alert.severity and alert.peak_id == signal.pk:
            records.look_up(alert, signal, is_first=newest is None)
        market_moves.join(alert, signal)
        if is_new and alert.companion_of_id is None:
            companions.join(alert, signal)
        insert(alert) if alert.pk is None else alert.save()
        if shown and alert.revision > shown:
            companions.changed(alert, now)
    silenced = _silenced(silence) if decision.tells and silence is not None else ""
    accompanies = _accompanies(alert, decision.grade) if alert is not None and decision.tells and not silenced else ""
    grade = decision.grade
    made = Decision(
        signal=signal, alert=alert, outcome=decision.outcome, reason="; ".join(filter(None, (decision.reason, silenced, accompanies))),
        severity=grade.severity, step=grade.step, unconfirmed=grade.unconfirmed, decided_at=now,
        rule=None if rule is None else rulefile.as_object(rule),
    )  # fmt: skip
    stored = inserting(made), DECIDED.call(pk=signal.pk, now=now)
    opens = decision.outcome is Outcome.OPENED
    if alert is None or not decision.tells or silenced or not (opens or _somebody_may_be_new(alert, signal, grade)):
        run_together(*stored)
        return alert or newest, None
    fan_out = FanOut(alert=alert, signal=signal, severity=grade.severity, step=grade.step, unconfirmed=grade.unconfirmed)
    if opens and alert.companion_of_id is None:
        return alert, (fan_out, outbox.begin(fan_out, *stored))
    insert(fan_out, *stored)
    return alert, (fan_out, 0)


def _accompanies(alert: Alert, grade: Grade) -> str:
    """Whose message tells of this incident; "" when it stands alone."""
    host = companions.host_of(alert, grade.severity)
    return "" if host is None else f"part of another incident: alert {host.pk}"


def _silenced(silence: int) -> str:
    """Why an operator wants nobody to be told."""
    return f"silenced: {Silence.objects.get(pk=silence)}"[:150]


def _somebody_may_be_new(alert: Alert, signal: Signal, grade: Grade) -> bool:
    """False when everybody whom this signal could tell was told by an earlier one of its kind.

    That is so when an earlier one had this step (a confirmed one, when this is confirmed), no custom threshold lies between
    the values, and nobody has changed what they want since. It spares a query over all subscribers for each new peak.
    """
    alike = FanOut.objects.filter(alert=alert, signal__kind=signal.kind, step__gte=grade.step)
    alike = alike if grade.unconfirmed else alike.filter(unconfirmed=False)
    told = list(alike.order_by("-id").values_list("signal__value", "created_at"))
    if not told:
        return True
    as_large = [each for each in told if each[0] >= signal.value]
    value, since = as_large[0] if as_large else max(told, key=lambda each: each[0])  # the newest that told all of them, or the largest
    between = Subscription.objects.filter(custom_threshold__gt=value, custom_threshold__lte=signal.value)
    own = between.filter(kind=signal.kind, asset__in=["", signal.asset])
    return (not as_large and own.exists()) or Subscriber.objects.filter(changed_at__gte=since).exists()
