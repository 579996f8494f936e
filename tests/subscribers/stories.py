"""What has happened when somebody looks back: incidents with their signals, decisions, deliveries and outcomes, at exact times."""

from datetime import datetime, timedelta
from typing import Any

from alerts.models import Alert, Decision, Delivery, Outcome
from monitors.market import Kind
from monitors.models import Signal
from monitors.thresholds import Severity
from subscribers.models import Subscriber
from tests.alerts.builders import make_alert, make_delivery, make_signal


def signal(now: datetime, minutes_ago: float, value: int = 600_000, asset: str = "BTC", kind: Kind = Kind.CASCADE) -> Signal:
    """Detected `minutes_ago` before `now`; received 20 ms before that, and stamped by the venue another 200 ms before."""
    exact = now - timedelta(minutes=minutes_ago)
    made = make_signal(value, asset, kind, exact)
    made.occurred_at, made.received_at, made.detected_at = (exact - timedelta(milliseconds=ms) for ms in (220, 20, 0))
    made.save()
    return made


def decided(alert: Alert, of: Signal, outcome: str, severity: Severity, reason: str = "") -> Decision:
    """3 ms after the detection."""
    at = of.detected_at + timedelta(milliseconds=3)
    return Decision.objects.create(signal=of, alert=alert, outcome=outcome, severity=severity, step=int(severity), reason=reason, decided_at=at)


def sent(subscriber: Subscriber, alert: Alert, of: Signal, severity: Severity, **fields: Any) -> Delivery:
    """Queued 8 ms after the detection, sent 112 ms later."""
    queued, sent_at = of.detected_at + timedelta(milliseconds=8), of.detected_at + timedelta(milliseconds=120)
    stamps = {"event_at": of.occurred_at, "received_at": of.received_at, "detected_at": of.detected_at, "queued_at": queued, "sent_at": sent_at}
    return make_delivery(subscriber, severity, alert, **{"state": "sent", **stamps, **fields})


def cascade_of_longs(now: datetime, asset: str = "BTC") -> Alert:
    """LOW, then HIGH, then a smaller one, a quarter of an hour ago; over, and the price fell."""
    small, large, last = signal(now, 16, asset=asset), signal(now, 15.5, 5_237_412, asset), signal(now, 15, 700_000, asset)
    over: dict[str, Any] = {"last_seen_at": last.received_at, "closed_at": last.received_at + timedelta(seconds=300)}
    alert = make_alert(large, Severity.HIGH, opened_at=small.received_at, **over)
    for of, outcome, severity in ((small, "opened", Severity.LOW), (large, "escalated", Severity.HIGH), (last, "updated", Severity.LOW)):
        decided(alert, of, outcome, severity)
    for horizon, change in ((5, -1.24), (15, -2.1)):
        Outcome.objects.create(alert=alert, horizon_min=horizon, due_at=now, state="known", price=62_310, change_pct=change, up_pct=0.2, down_pct=-2.96)
    Outcome.objects.create(alert=alert, horizon_min=60, due_at=now)
    return alert
