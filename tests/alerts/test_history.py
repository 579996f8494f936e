"""What happened, and who was told."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from alerts import history
from alerts.models import Decision
from monitors.market import Kind
from monitors.thresholds import Severity
from tests.alerts.builders import make_alert, make_delivery, make_signal

pytestmark = pytest.mark.django_db


def test_the_newest_alerts_come_first_and_own_thresholds_stay_private() -> None:
    now = timezone.now()
    old = make_alert(make_signal(asset="OLD", at=now - timedelta(hours=1)))
    new = make_alert(make_signal(asset="NEW", at=now))
    make_alert(asset="OWN", severity=Severity.BELOW_LOW)
    assert history.recent_alerts(10) == [new, old]
    assert history.recent_alerts(1) == [new]
    assert len(history.recent_alerts(10, lowest=Severity.BELOW_LOW)) == 3


def test_an_alert_in_one_line_says_how_loud_what_and_how_much() -> None:
    alert = make_alert(make_signal(5_237_000, "BTC"), Severity.HIGH)
    assert history.line_of(alert) == "HIGH BTC cascade: longs liquidated ▼ $5.2M"
    alert.peak.venues = {"bybit": "5000000", "okx": "237000"}
    assert history.line_of(alert) == "HIGH BTC cascade: longs liquidated ▼ ≥ $5.2M", "OKX pushes samples: a lower bound"


def test_the_timeline_joins_signals_and_deliveries_in_the_order_of_time() -> None:
    start = timezone.now() - timedelta(minutes=1)
    first, second = make_signal(600_000, "BTC", Kind.LIQUIDATION, at=start), make_signal(2_000_000, "BTC", at=start + timedelta(seconds=20))
    alert = make_alert(second, Severity.MODERATE)
    for signal, outcome, severity in ((first, "opened", Severity.LOW), (second, "escalated", Severity.MODERATE)):
        Decision.objects.create(signal=signal, alert=alert, outcome=outcome, severity=severity, step=int(severity), decided_at=signal.detected_at)
    make_delivery(alert=alert, severity=Severity.LOW, state="sent", queued_at=start, sent_at=start + timedelta(seconds=1))
    make_delivery(alert=alert, severity=Severity.MODERATE, state="held", reason="over the hourly cap", queued_at=start + timedelta(seconds=21))
    lines = [(line.of, line.outcome, line.reason) for line in history.timeline(alert)]
    assert lines == [
        ("signal", "opened at LOW", ""),
        ("delivery", "sent", ""),
        ("signal", "escalated at MODERATE", ""),
        ("delivery", "held", "over the hourly cap"),
    ]
    assert history.delivery_counts(alert) == {"held": 1, "sent": 1}


def test_a_latency_is_known_between_the_stamps_that_are_there() -> None:
    at = timezone.now()
    stamps: dict[str, Any] = {"event_at": at, "received_at": at + timedelta(milliseconds=130), "detected_at": at + timedelta(milliseconds=132)}
    waiting = make_delivery(**stamps, queued_at=at + timedelta(milliseconds=140))
    assert history.latency(waiting) == history.Latency(130, 2, 8, None, None)
    sent = make_delivery(**stamps, queued_at=at + timedelta(milliseconds=140), sent_at=at + timedelta(milliseconds=190))
    assert history.latency(sent) == history.Latency(130, 2, 8, 50, 60)
