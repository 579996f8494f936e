"""A fan-out becomes delivery rows: for whom, once, and what happens to what was not sent yet."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Q
from django.utils import timezone
from redis import Redis

from alerts import delivery_rows, outbox
from alerts.models import Alert, Delivery
from monitors.market import Kind
from monitors.thresholds import Severity
from subscribers.models import Subscriber
from tests.alerts.builders import escalate, make_alert, make_console, make_delivery, make_fan_out, make_signal, make_subscriber

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
State = Delivery.State


def states(alert: Alert | None = None, **filters: Any) -> list[tuple[int, str]]:
    """(step, state) of an alert's deliveries, oldest first."""
    return list(Delivery.objects.filter(Q(alert=alert) if alert else Q(), **filters).order_by("id").values_list("step", "state"))


def tell(alert: Alert) -> int:
    return outbox.fan_out(make_fan_out(alert))


def test_everybody_who_wants_it_gets_one_row_with_the_times_of_the_signal() -> None:
    wanting, _, _ = make_subscriber(), make_subscriber(lowest=Severity.HIGH), make_subscriber(active=False)
    alert = make_alert(severity=Severity.MODERATE)
    assert tell(alert) == 1
    row = Delivery.objects.get()
    signal = alert.peak
    assert (row.subscriber, row.alert, row.severity, row.step, row.state) == (wanting, alert, Severity.MODERATE, 2, State.PENDING)
    assert (row.event_at, row.received_at, row.detected_at) == (signal.occurred_at, signal.received_at, signal.detected_at)
    assert row.expires_at == signal.detected_at + timedelta(minutes=5)
    assert abs(timezone.now() - row.queued_at) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("severity", "minutes"), [(Severity.BELOW_LOW, 2), (Severity.LOW, 2), (Severity.MODERATE, 5), (Severity.HIGH, 15), (Severity.EXTREME, 15)]
)
def test_a_message_is_worth_sending_for_so_long(severity: Severity, minutes: int) -> None:
    now = timezone.now()
    assert delivery_rows.expiry_of(severity, now) == now + timedelta(minutes=minutes)


def test_a_custom_threshold_is_told_below_low() -> None:
    subscriber = make_subscriber(lowest=Severity.HIGH)
    subscriber.subscriptions.update(custom_threshold=Decimal(300_000))
    make_subscriber(lowest=Severity.LOW)
    assert tell(make_alert(make_signal(300_000, "DOGE"), Severity.BELOW_LOW)) == 1
    assert Delivery.objects.get().subscriber == subscriber


def test_a_fan_out_that_runs_twice_writes_nothing_new() -> None:
    make_subscriber()
    fan_out = make_fan_out(make_alert())
    assert (outbox.fan_out(fan_out), outbox.fan_out(fan_out)) == (1, 0)
    assert Delivery.objects.count() == 1


def test_who_was_told_at_this_step_or_a_higher_one_is_not_told_again() -> None:
    make_subscriber()
    alert = make_alert(severity=Severity.HIGH)
    tell(alert)
    alert.step = alert.severity = Severity.MODERATE
    assert tell(alert) == 0
    alert.step = alert.severity = Severity.HIGH
    assert tell(alert) == 0
    assert states() == [(3, State.PENDING)]


def test_whoever_wants_only_cascades_hears_when_the_incident_becomes_one() -> None:
    make_subscriber(kind=Kind.LIQUIDATION)
    late = make_subscriber(kind=Kind.CASCADE)
    alert = make_alert(make_signal(kind=Kind.LIQUIDATION, asset="SOL"), Severity.MODERATE)
    assert tell(alert) == 1
    assert outbox.fan_out(make_fan_out(alert, make_signal(kind=Kind.CASCADE, asset="SOL"))) == 1
    assert Delivery.objects.order_by("id").last().subscriber == late  # type: ignore[union-attr]


def test_chunks_are_resumed_at_their_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "CHUNK", 3)
    people = [make_subscriber() for _ in range(8)]
    fan_out = make_fan_out(make_alert())
    assert outbox._write_chunk(fan_out.pk) == (3, False)  # and then the worker dies
    fan_out.refresh_from_db()
    assert (fan_out.cursor, fan_out.done_at) == (people[2].pk, None)
    assert outbox.resume() == 5
    fan_out.refresh_from_db()
    assert fan_out.done_at is not None
    assert sorted(Delivery.objects.values_list("subscriber", flat=True)) == [person.pk for person in people]
    assert outbox.resume() == 0


@pytest.mark.parametrize("unsent", [State.PENDING, State.HELD])
def test_an_escalation_supersedes_the_unsent_lower_step(unsent: str) -> None:
    make_subscriber()
    alert = make_alert()
    tell(alert)
    Delivery.objects.update(state=unsent)
    outbox.fan_out(escalate(alert, Severity.HIGH))
    assert states(alert) == [(1, State.SUPERSEDED), (3, State.PENDING)]


@pytest.mark.parametrize("final", [State.SENT, State.SENDING, State.UNKNOWN, State.FAILED, State.EXPIRED])
def test_an_escalation_leaves_what_was_sent_or_given_up(final: str) -> None:
    make_subscriber()
    alert = make_alert()
    tell(alert)
    Delivery.objects.update(state=final)
    outbox.fan_out(escalate(alert, Severity.HIGH))
    assert states(alert) == [(1, final), (3, State.PENDING)]


def test_an_escalation_leaves_those_who_do_not_get_the_higher_step() -> None:
    """Their own row is still the only one that tells them."""
    make_subscriber(kind=Kind.LIQUIDATION)
    alert = make_alert(make_signal(kind=Kind.LIQUIDATION, asset="SOL"))
    tell(alert)
    outbox.fan_out(escalate(alert, Severity.HIGH))  # a cascade
    assert states(alert) == [(1, State.PENDING)]


@pytest.mark.parametrize(("severity", "cap"), [(Severity.LOW, 10), (Severity.MODERATE, 10), (Severity.HIGH, 30)])
def test_over_the_hourly_cap_a_message_is_held_with_the_reason(severity: Severity, cap: int) -> None:
    subscriber = make_subscriber()
    for _ in range(cap - 1):
        make_delivery(subscriber, alert=make_alert())
    make_delivery(subscriber)  # a test message: does not count
    make_delivery(subscriber, alert=make_alert(), state=State.HELD)  # nor does what was held
    make_delivery(subscriber, alert=make_alert(), queued_at=timezone.now() - timedelta(minutes=61))  # nor what is an hour old
    last, held = make_alert(severity=severity), make_alert(severity=severity)
    tell(last)
    tell(held)
    assert states(last) == [(severity, State.PENDING)]
    assert list(Delivery.objects.filter(alert=held).values_list("state", "reason")) == [(State.HELD, "over the hourly cap")]


def test_extreme_is_never_held() -> None:
    subscriber = make_subscriber()
    for _ in range(40):
        make_delivery(subscriber, alert=make_alert())
    alert = make_alert(severity=Severity.EXTREME)
    tell(alert)
    assert states(alert) == [(4, State.PENDING)]


def test_the_cap_is_not_for_consoles_and_operators() -> None:
    for subscriber in (make_console(), make_subscriber(capped=False)):
        for _ in range(12):
            make_delivery(subscriber, alert=make_alert())
    alert = make_alert()
    tell(alert)
    assert states(alert) == [(1, State.PENDING)] * 2


def test_a_held_higher_step_does_not_take_the_lower_one_away() -> None:
    """Else the subscriber would hear nothing; the message shows the incident as it is when it is sent."""
    subscriber = make_subscriber()
    for _ in range(9):
        make_delivery(subscriber, alert=make_alert())
    alert = make_alert()
    tell(alert)
    outbox.fan_out(escalate(alert, Severity.MODERATE, 2_000_000))
    assert states(alert) == [(1, State.PENDING), (2, State.HELD)]


def test_too_old_messages_expire_with_a_reason() -> None:
    old, refused, fresh = make_delivery(expires_in=-1), make_delivery(expires_in=-1, reason="Telegram cannot be reached"), make_delivery()
    assert outbox.expire_due(timezone.now()) == 2
    assert list(Delivery.objects.order_by("id").values_list("pk", "state", "reason")) == [
        (old.pk, State.EXPIRED, "not sent in time"), (refused.pk, State.EXPIRED, "Telegram cannot be reached"), (fresh.pk, State.PENDING, ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("severity", "queue"), [(Severity.EXTREME, "delivery"), (Severity.HIGH, "delivery:3"), (Severity.MODERATE, "delivery:6"), (Severity.LOW, "delivery:9")]
)
def test_the_dispatcher_is_woken_with_the_priority_of_the_severity(valkey: "Redis", severity: Severity, queue: str) -> None:
    make_subscriber()
    tell(make_alert(severity=severity))
    assert valkey.keys("alertsystem:delivery*") == [f"alertsystem:{queue}".encode()]


def test_nobody_to_tell_wakes_nobody(valkey: "Redis") -> None:
    assert tell(make_alert()) == 0
    assert not valkey.keys("alertsystem:delivery*")


def test_somebody_who_subscribes_later_is_told_by_the_next_step_only() -> None:
    alert = make_alert()
    tell(alert)
    make_subscriber()
    assert states(alert) == []
    outbox.fan_out(escalate(alert, Severity.MODERATE, 2_000_000))
    assert states(alert) == [(2, State.PENDING)]
    assert Subscriber.objects.count() == 1
