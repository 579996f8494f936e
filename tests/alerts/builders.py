"""Rows that tests of alerts start from: make_*() with sensible values."""

import itertools
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from alerts.models import Alert, Delivery, FanOut
from monitors import rulefile
from monitors.market import Direction, Kind, Venue, fingerprint_of
from monitors.models import Signal
from monitors.thresholds import Rule, Severity
from subscribers.models import Subscriber, Subscription

_ids = itertools.count(1)
RULE = Rule(Kind.CASCADE, "", Decimal(500_000), Decimal(1_500_000), Decimal(5_000_000), Decimal(12_000_000), 30, 5, 1, Decimal(0), 300)


def make_subscriber(chat_id: int | None = None, lowest: int = Severity.LOW, asset: str = "", kind: Kind = Kind.CASCADE, **fields: Any) -> Subscriber:
    """A chat that wants cascades from `lowest` on."""
    subscriber = Subscriber.objects.create(chat_id=next(_ids) + 1000 if chat_id is None else chat_id, **fields)
    Subscription.objects.create(subscriber=subscriber, kind=kind.value, asset=asset, lowest_severity=lowest)
    return subscriber


def make_console(lowest: int = Severity.LOW) -> Subscriber:
    """The console."""
    return make_subscriber(0, lowest, channel=Subscriber.Channel.CONSOLE, capped=False)


def make_signal(value: int = 600_000, asset: str = "BTC", kind: Kind = Kind.CASCADE, at: datetime | None = None) -> Signal:
    """A decided cascade of longs, measured at `at` (now)."""
    moment = (at or timezone.now()) + timedelta(microseconds=next(_ids) % 1000)
    return Signal.objects.create(
        kind=kind.value, asset=asset, direction=Direction.LONG.value, fingerprint=fingerprint_of(kind, asset, Direction.LONG), value=Decimal(value),
        count=7, venues={Venue.BYBIT.value: str(value)}, window_s=30, episode=1, number=1, listed_on=3, price=Decimal("62310"),
        occurred_at=moment - timedelta(milliseconds=200), received_at=moment - timedelta(milliseconds=20), detected_at=moment, decided_at=moment,
    )  # fmt: skip


def make_alert(signal: Signal | None = None, severity: Severity = Severity.LOW, asset: str | None = None, **fields: Any) -> Alert:
    """An open incident whose peak is `signal`, of an asset of its own unless one is given."""
    peak = signal or make_signal(asset=asset or f"A{next(_ids)}")
    values = {
        "fingerprint": peak.fingerprint, "kind": peak.kind, "asset": peak.asset, "direction": peak.direction, "severity": severity, "step": int(severity),
        "opened_at": peak.received_at, "last_seen_at": peak.received_at, "cooldown_s": 300, "rule": rulefile.as_object(RULE), "peak": peak,
        "largest": peak.value, "newest_signal_at": peak.received_at, "changed_at": timezone.now(),
    }  # fmt: skip
    return Alert.objects.create(**{**values, **fields})


def escalate(alert: Alert, severity: Severity, value: int = 6_000_000) -> FanOut:
    """The incident as the trigger engine leaves it after a more severe signal; the fan-out is not carried out."""
    alert.peak, alert.largest = make_signal(value, alert.asset), Decimal(value)
    alert.severity, alert.step, alert.revision, alert.changed_at = severity, int(severity), alert.revision + 1, timezone.now()
    alert.save()
    return make_fan_out(alert)


def make_fan_out(alert: Alert, signal: Signal | None = None) -> FanOut:
    """Who has to be told of the alert as it is."""
    return FanOut.objects.create(alert=alert, signal=signal or alert.peak, severity=alert.severity, step=alert.step)


def make_delivery(
    subscriber: Subscriber | None = None, severity: Severity = Severity.LOW, alert: Alert | None = None, expires_in: float = 120, **fields: Any
) -> Delivery:
    """A pending message; without an alert one with a text of its own."""
    now = timezone.now()
    subscriber = subscriber or make_subscriber()
    values = {
        "text": "" if alert else f"message {next(_ids)}", "severity": severity, "step": int(severity), "detected_at": now, "queued_at": now,
        "expires_at": now + timedelta(seconds=expires_in),
    }  # fmt: skip
    return Delivery.objects.create(subscriber=subscriber, alert=alert, **{**values, **fields})
