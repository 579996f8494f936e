"""What the workers run: the sweep finds everything that a lost hint or a dead worker left."""

from datetime import timedelta

import pytest
from django.utils import timezone
from redis import Redis

from alerts import outbox, tasks
from alerts.models import Alert, Decision, Delivery
from tests.alerts.builders import make_alert, make_delivery, make_fan_out, make_signal, make_subscriber

pytestmark = pytest.mark.django_db
State = Delivery.State


def waiting(valkey: "Redis") -> list[str]:
    """The names of the delivery queue that hold tasks, one for each priority."""
    return sorted(name.decode() for name in valkey.scan_iter("alertsystem:delivery*"))


def test_an_idle_sweep_wakes_nobody(valkey: "Redis") -> None:
    tasks.sweep()
    assert not waiting(valkey)


def test_the_sweep_decides_unread_signals_and_tells(valkey: "Redis") -> None:
    make_subscriber()
    signal = make_signal(20_000_000, "BTC")
    type(signal).objects.update(decided_at=None)
    tasks.sweep()
    assert Decision.objects.get().outcome == "opened"
    assert Delivery.objects.get().severity == 4
    assert waiting(valkey) == ["alertsystem:delivery"]


def test_the_sweep_finishes_open_fan_outs(valkey: "Redis", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "CHUNK", 2)
    for _ in range(5):
        make_subscriber()
    outbox._write_chunk(make_fan_out(make_alert()).pk)
    tasks.sweep()
    assert Delivery.objects.count() == 5


def test_the_sweep_closes_quiet_incidents(valkey: "Redis") -> None:
    alert = make_alert(last_seen_at=timezone.now() - timedelta(seconds=400))
    tasks.sweep()
    alert.refresh_from_db()
    assert alert.closed_at == alert.last_seen_at + timedelta(seconds=300)
    assert not Alert.objects.filter(closed_at=None).exists()


def test_the_sweep_expires_old_messages_and_wakes_a_drainer_for_the_others(valkey: "Redis") -> None:
    old = make_delivery(expires_in=-1)
    tasks.sweep()
    old.refresh_from_db()
    assert old.state == State.EXPIRED and not waiting(valkey)
    make_delivery(state=State.SENDING)
    tasks.sweep()
    assert waiting(valkey) == ["alertsystem:delivery:9"]


def test_sweeps_do_not_pile_up() -> None:
    assert tasks.sweep.expires == tasks.SWEEP_EVERY_S
