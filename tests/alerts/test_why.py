"""Why an alert came, to whom, and by which road."""

from datetime import timedelta
from decimal import Decimal

import pytest

from alerts import trigger
from alerts.models import Alert, Decision
from alerts.why import why
from monitors.market import Kind
from monitors.models import Signal
from monitors.thresholds import Severity
from subscribers.models import Subscriber
from tests.alerts.builders import make_alert, make_delivery, make_signal, make_subscriber

pytestmark = pytest.mark.django_db


def decided(signal: Signal, alert: Alert, severity: Severity) -> Decision:
    return Decision.objects.create(signal=signal, alert=alert, outcome="opened", severity=severity, step=int(severity), decided_at=signal.detected_at)


def told(subscriber: Subscriber, alert: Alert, signal: Signal, severity: Severity) -> None:
    at = signal.detected_at
    make_delivery(subscriber, severity, alert, state="sent", received_at=signal.received_at, queued_at=at, sent_at=at + timedelta(seconds=1))


def test_it_is_the_signal_that_this_subscriber_was_last_told_of_not_the_largest() -> None:
    small, large = make_signal(600_000, "BTC"), make_signal(2_000_000, "BTC")
    alert = make_alert(large, Severity.MODERATE)
    first, second = decided(small, alert, Severity.LOW), decided(large, alert, Severity.MODERATE)
    ann, bob = make_subscriber(), make_subscriber()
    told(ann, alert, small, Severity.LOW)
    told(bob, alert, small, Severity.LOW)
    told(bob, alert, large, Severity.MODERATE)
    answers = [why(alert, who) for who in (ann, bob, make_subscriber(), None)]
    assert [answer.decision for answer in answers if answer] == [first, second, second, second]
    assert [answer.step is not None for answer in answers if answer] == [True, True, False, False]


def test_the_own_threshold_decided_where_there_is_one() -> None:
    signal = make_signal(600_000, "BTC")
    alert = make_alert(signal, Severity.LOW)
    decided(signal, alert, Severity.LOW)
    ann, bob = make_subscriber(), make_subscriber()
    ann.subscriptions.update(custom_threshold=550_000)
    for who in (ann, bob):
        told(who, alert, signal, Severity.LOW)
    answers = [why(alert, who) for who in (ann, bob)]
    assert [answer.own_threshold for answer in answers if answer] == [Decimal(550_000), None]


def test_there_is_no_answer_when_the_measurement_is_not_kept() -> None:
    assert why(make_alert(), None) is None, "no decision is on record"


def test_each_signal_of_one_story_keeps_the_rule_that_judged_it() -> None:
    cascade = make_signal(1_600_000, "ETH", Kind.CASCADE)
    single = make_signal(1_100_000, "ETH", Kind.LIQUIDATION)
    Signal.objects.update(decided_at=None)
    trigger.evaluate(cascade.fingerprint)
    alert = Alert.objects.get()
    kept = {decision.signal_id: decision.rule["kind"] for decision in Decision.objects.filter(alert=alert) if decision.rule}
    assert kept == {cascade.pk: "cascade", single.pk: "liquidation"}
    answer = why(alert, None)
    assert answer is not None
    assert (answer.decision.signal, answer.rule.kind) == (cascade, Kind.CASCADE)


def test_of_two_signals_of_one_frame_it_is_the_one_that_this_subscriber_wants() -> None:
    cascade, single = make_signal(6_000_000, "BTC", Kind.CASCADE), make_signal(2_500_000, "BTC", Kind.LIQUIDATION)
    Signal.objects.update(received_at=cascade.received_at)
    single.refresh_from_db()
    alert = make_alert(cascade, Severity.HIGH)
    of_cascade, of_single = decided(cascade, alert, Severity.HIGH), decided(single, alert, Severity.MODERATE)
    ann = make_subscriber()
    ann.subscriptions.update(kind=Kind.LIQUIDATION)
    told(ann, alert, single, Severity.MODERATE)
    assert [answer and answer.decision for answer in (why(alert, ann), why(alert, None))] == [of_single, of_cascade]
    Decision.objects.filter(pk=of_cascade.pk).update(severity=Severity.MODERATE, step=Severity.MODERATE)
    answer = why(alert, ann)
    assert answer is not None and answer.decision == of_single, "both had her step"
