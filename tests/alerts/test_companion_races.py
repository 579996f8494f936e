"""Do workers that decide an incident and its companion at once get in each other's way, or lose a line?"""

from dataclasses import replace

import pytest
from django.utils import timezone

from alerts import trigger
from alerts.messages import message_for
from alerts.models import Alert, Decision, Delivery
from monitors import recorder
from monitors.market import Direction, Kind, epoch_ms
from monitors.models import ThresholdRule
from monitors.thresholds import Severity
from tests.alerts.builders import make_subscriber
from tests.alerts.test_companions import OI_DETAILS, OI_LADDER
from tests.alerts.test_trigger_races import together
from tests.builders import LADDER, make_signal

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.usefixtures("valkey")]
State = Delivery.State
PEOPLE, ROUNDS = 20, 12


def arrive(value: float, kind: Kind, after_ms: int) -> str:
    direction, details = (Direction.DOWN, OI_DETAILS) if kind is Kind.OPEN_INTEREST else (Direction.LONG, {})
    at_ms = epoch_ms(timezone.now()) + after_ms
    measured = replace(make_signal(value, kind=kind, direction=direction, details=details), received_at_ms=at_ms, occurred_at_ms=at_ms - 100)
    recorder.write([(measured, timezone.now())])
    return measured.fingerprint


def test_both_are_decided_and_every_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerts.outbox.CHUNK", 6)
    ThresholdRule.objects.filter(kind=Kind.CASCADE).update(**LADDER, min_venues=1)
    ThresholdRule.objects.filter(kind=Kind.OPEN_INTEREST).update(**OI_LADDER, min_venues=1)
    for _ in range(PEOPLE):
        make_subscriber().subscriptions.create(kind=Kind.OPEN_INTEREST, lowest_severity=Severity.LOW)
    trigger.evaluate(arrive(1_500, Kind.CASCADE, 0))

    def cascade() -> None:
        for number in range(ROUNDS):
            trigger.evaluate(arrive(5_000 + number * 1_000, Kind.CASCADE, number + 1))

    def drop() -> None:
        for number in range(ROUNDS):
            trigger.evaluate(arrive(2 + number * 0.3, Kind.OPEN_INTEREST, number + 1))

    together(cascade, drop, trigger.evaluate_unread)
    trigger.evaluate_unread()
    host, companion = Alert.objects.get(kind=Kind.CASCADE), Alert.objects.get(kind=Kind.OPEN_INTEREST)
    assert Decision.objects.count() == 1 + 2 * ROUNDS
    assert companion.companion_of == host
    assert Delivery.objects.filter(alert=companion, state=State.FOLDED).values("subscriber").distinct().count() == PEOPLE
    waiting = Delivery.objects.filter(alert=host, state=State.PENDING)
    assert waiting.count() == PEOPLE
    assert all("Also" in message_for(message, timezone.now()).plain for message in waiting)
    shown = Delivery.objects.filter(alert=companion).order_by("-revision").values_list("revision", flat=True)[0]
    assert 1 < shown <= host.revision
