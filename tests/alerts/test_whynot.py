"""Why a subscriber was not told: every reason, and that it was told after all."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from alerts.models import Alert, Decision, FanOut
from alerts.whynot import Because, Finding, why_not
from monitors import rulefile
from monitors.market import Kind
from monitors.models import Signal, ThresholdRule
from monitors.thresholds import Severity
from subscribers import services
from subscribers.models import Subscriber, Subscription
from subscribers.preferences import Choice
from tests.alerts.builders import make_alert, make_delivery, make_signal, make_subscriber

pytestmark = pytest.mark.django_db
NOW = timezone.now()
MINUTE = timedelta(minutes=1)


@pytest.fixture
def ann() -> Subscriber:
    """Subscribed since an hour, wants cascades from MODERATE on."""
    subscriber = make_subscriber(lowest=Severity.MODERATE)
    Subscriber.objects.filter(pk=subscriber.pk).update(created_at=NOW - timedelta(hours=1))
    subscriber.refresh_from_db()
    services.record_change(subscriber, NOW - timedelta(hours=1))
    return subscriber


def decided(severity: Severity, outcome: str = "opened", value: int = 2_000_000, minutes_ago: float = 10, reason: str = "", **fields: Any) -> Decision:
    signal = make_signal(value, "BTC", fields.pop("kind", Kind.CASCADE), at=NOW - minutes_ago * MINUTE)
    alert = fields.pop("alert", None)
    if alert is None and severity > Severity.BELOW_LOW and outcome != "switched_off":
        alert = make_alert(signal, severity, closed_at=NOW)
    return Decision.objects.create(
        signal=signal, alert=alert, outcome=outcome, reason=reason, severity=severity, step=int(severity), decided_at=signal.detected_at, **fields
    )


def told(subscriber: Subscriber, decision: Decision, **fields: Any) -> None:
    signal = decision.signal
    stamps = {"received_at": signal.received_at, "queued_at": signal.detected_at, "sent_at": signal.detected_at + timedelta(seconds=1)}
    make_delivery(subscriber, Severity(decision.severity), decision.alert, **{"state": "sent", **stamps, **fields})


def found(subscriber: Subscriber) -> list[Finding]:
    return why_not(subscriber, "BTC", NOW - 30 * MINUTE, NOW)


def only(subscriber: Subscriber) -> Finding:
    (finding,) = found(subscriber)
    return finding


def because(subscriber: Subscriber) -> tuple[Because, str]:
    return only(subscriber).because, only(subscriber).note


def test_of_each_kind_and_direction_the_most_severe_signal_is_told_and_the_largest_of_those(ann: Subscriber) -> None:
    decided(Severity.MODERATE, value=9_000_000, minutes_ago=12)  # unconfirmed, say
    strongest = decided(Severity.HIGH, value=5_100_000, minutes_ago=11)
    decided(Severity.HIGH, value=5_000_000, minutes_ago=10)
    single = decided(Severity.LOW, value=800_000, kind=Kind.LIQUIDATION)
    decided(Severity.EXTREME, minutes_ago=40)
    make_signal(99_000_000, "ETH", at=NOW - 5 * MINUTE)
    assert [finding.signal for finding in found(ann)] == [strongest.signal, single.signal]


def test_all_assets_at_once_show_the_loudest_stories(ann: Subscriber) -> None:
    for number in range(12):
        make_signal(600_000, f"A{number}", at=NOW - 5 * MINUTE)
    loud = decided(Severity.HIGH)
    findings = why_not(ann, "", NOW - 30 * MINUTE, NOW)
    assert len(findings) == 8 and findings[0].signal == loud.signal


def test_it_did_reach(ann: Subscriber) -> None:
    told(ann, decided(Severity.HIGH))
    assert only(ann).because is Because.REACHED and only(ann).step is not None


def test_a_higher_step_took_its_place(ann: Subscriber) -> None:
    first = decided(Severity.MODERATE, minutes_ago=10)
    told(ann, first, state="superseded", reason="a higher step followed", sent_at=None)
    assert only(ann).because is Because.STEP, "until that is told"
    louder = decided(Severity.HIGH, "escalated", 6_000_000, minutes_ago=9.9, alert=first.alert, kind=Kind.LIQUIDATION)
    told(ann, louder)
    findings = {finding.signal: finding for finding in found(ann)}
    assert (findings[first.signal].because, findings[louder.signal].because) == (Because.TOLD_LOUDER, Because.REACHED)
    assert findings[first.signal].step == findings[louder.signal].step


def test_part_of_an_incident_that_had_been_told(ann: Subscriber) -> None:
    first = decided(Severity.HIGH, value=5_000_000, minutes_ago=40)
    told(ann, first)
    decided(Severity.HIGH, "updated", 6_000_000, minutes_ago=20, alert=first.alert)
    finding = only(ann)
    assert finding.because is Because.TOLD_BEFORE
    assert finding.step is not None and finding.step.told_at == first.signal.detected_at + timedelta(seconds=1)


def test_a_message_of_a_lower_step_is_not_this_one(ann: Subscriber) -> None:
    first = decided(Severity.MODERATE, minutes_ago=40)
    told(ann, first)
    decided(Severity.HIGH, "escalated", 6_000_000, alert=first.alert, reason="; silenced: cascade BTC until 2026-07-11 14:00 UTC")
    assert because(ann) == (Because.SILENCED, "cascade BTC until 2026-07-11 14:00 UTC")


def test_a_higher_step_that_is_held_back_is_not_why_a_quieter_signal_was_not_sent(ann: Subscriber) -> None:
    louder = decided(Severity.HIGH, minutes_ago=9)
    told(ann, louder, state="held", reason="muted", sent_at=None)
    single = decided(Severity.LOW, "updated", 800_000, minutes_ago=10, alert=louder.alert, kind=Kind.LIQUIDATION)
    services.choose(ann, Kind.LIQUIDATION, "", Choice(Severity.HIGH), NOW - 40 * MINUTE)
    findings = {finding.signal: finding for finding in found(ann)}
    assert (findings[louder.signal].because, findings[single.signal].because) == (Because.STEP, Because.UNWANTED)
    services.choose(ann, Kind.LIQUIDATION, "", Choice(Severity.LOW), NOW - 30 * MINUTE)
    assert {finding.because for finding in found(ann)} == {Because.STEP}, "wanted: it was held back with the rest of its incident"


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("held", "muted"), ("held", "quiet hours"), ("held", "over the hourly cap"), ("superseded", "a higher step followed"), ("expired", "not sent in time"),
        ("failed", "Forbidden: bot was blocked by the user"), ("unknown", "no clear answer"), ("pending", ""), ("folded", "told in the market-wide message"),
    ],
)  # fmt: skip
def test_a_message_that_was_not_sent_says_it_itself(ann: Subscriber, state: str, reason: str) -> None:
    told(ann, decided(Severity.HIGH), state=state, reason=reason, sent_at=None)
    finding = only(ann)
    assert finding.because is Because.STEP
    assert finding.step is not None and (finding.step.delivery.state, finding.step.delivery.reason) == (state, reason)


def test_below_low_and_what_the_operator_did(ann: Subscriber) -> None:
    rule = ThresholdRule.objects.get(kind="cascade", asset="BTC")
    decision = decided(Severity.BELOW_LOW, "below_low", 400_000, reason="below LOW", rule=rulefile.as_object(rule.as_rule()))
    ThresholdRule.objects.update(low=1)
    assert because(ann) == (Because.BELOW_LOW, "LOW was $500,000"), "the rule that decided, not that of now"
    for outcome, reason in (("switched_off", Because.SWITCHED_OFF), ("out_of_order", Because.OUT_OF_ORDER)):
        Decision.objects.filter(pk=decision.pk).update(outcome=outcome)
        assert only(ann).because is reason


def test_what_was_wanted_then_decides_not_what_is_wanted_now(ann: Subscriber) -> None:
    decided(Severity.LOW)
    services.choose(ann, Kind.CASCADE, "", Choice(Severity.LOW), NOW - 5 * MINUTE)
    finding = only(ann)
    assert (finding.because, finding.note, finding.as_today) == (Because.UNWANTED, "below your lowest severity, MODERATE", False)


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"custom_threshold": 3_000_000}, "below your threshold, $3,000,000"),
        ({"direction": "SHORT"}, "not the direction you chose, SHORT"),
        ({"lowest_severity": 99}, "switched off by you"),
        ({"kind": "volume"}, "kind and asset not chosen"),
    ],
)
def test_what_was_wanted_instead_is_named(ann: Subscriber, fields: dict[str, Any], note: str) -> None:
    Subscription.objects.filter(subscriber=ann).update(**fields)
    services.record_change(ann, NOW - 20 * MINUTE)
    decided(Severity.HIGH)
    assert because(ann) == (Because.UNWANTED, note)


def test_confirmed_alerts_only(ann: Subscriber) -> None:
    Subscriber.objects.filter(pk=ann.pk).update(confirmed_only=True)
    ann.refresh_from_db()
    services.record_change(ann, NOW - 20 * MINUTE)
    decided(Severity.HIGH, unconfirmed=True)
    assert because(ann) == (Because.UNWANTED, "unconfirmed, and you want confirmed alerts only")


def test_who_came_later_was_not_subscribed_then(ann: Subscriber) -> None:
    decided(Severity.HIGH)
    assert because(make_subscriber()) == (Because.NOT_SUBSCRIBED, "")
    services.deactivate(ann, services.STOPPED)
    decision = decided(Severity.EXTREME, minutes_ago=-60)
    found_now = why_not(ann, "BTC", NOW + 55 * MINUTE, NOW + 65 * MINUTE)
    assert [(finding.signal, finding.note) for finding in found_now] == [(decision.signal, "not subscribed any more")]


def test_without_a_record_of_then_todays_wishes_are_asked_and_that_is_said(ann: Subscriber) -> None:
    ann.changes.all().delete()
    decided(Severity.LOW)
    finding = only(ann)
    assert (finding.note, finding.as_today) == ("below your lowest severity, MODERATE", True)


def test_what_is_still_under_way_is_said(ann: Subscriber) -> None:
    decision = decided(Severity.HIGH)
    assert because(ann) == (Because.UNEXPLAINED, "")
    FanOut.objects.create(alert=Alert.objects.get(), signal=decision.signal, severity=3, step=3)
    assert because(ann) == (Because.BEING_WRITTEN, "")
    Decision.objects.all().delete()
    assert because(ann) == (Because.UNDECIDED, "") and Signal.objects.count() == 1
