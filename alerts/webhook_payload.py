"""What does a webhook get? The document of docs/webhooks.md, version 1."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from alerts import market_moves
from alerts.models import Alert, Delivery
from monitors.market import UNIT_OF_KIND, Kind
from monitors.thresholds import Severity

VERSION = 1
MARKET_WIDE = "market_wide"


def payload_of(delivery: Delivery, text: str, now: datetime) -> dict[str, Any]:
    """The document of a delivery; `text` is its message in plain words. Reads the database."""
    wide = delivery.alert is None and delivery.move_id is not None
    about = delivery.alert or delivery.about
    alerts: Sequence[Alert] = market_moves.listed(delivery) if wide else [about] if about else []
    # A summary's own severity says only how urgent it is, and a move's what joined it last
    shown = max(alerts, key=lambda alert: alert.step) if wide and alerts else delivery.about or delivery
    return {
        "version": VERSION,
        "delivery": delivery.pk,
        "event": MARKET_WIDE if wide else delivery.purpose,
        "severity": Severity(shown.severity).name,
        "step": shown.step,
        "text": text,
        "alerts": [_alert(alert) for alert in alerts],
        "event_at": _moment(delivery.event_at),
        "received_at": _moment(delivery.received_at),
        "detected_at": _moment(delivery.detected_at),
        "sent_at": _moment(now),
    }


def _alert(alert: Alert) -> dict[str, Any]:
    peak = alert.peak
    return {
        "id": alert.pk,
        "kind": alert.kind,
        "asset": alert.asset,
        "direction": alert.direction,
        "severity": Severity(alert.severity).name,
        "step": alert.step,
        "value": float(peak.value),
        "unit": UNIT_OF_KIND[Kind(peak.kind)].value,
        "count": peak.count,
        "window_s": peak.window_s,
        "venues": {venue: float(part) for venue, part in peak.venues.items()},
        "price": None if peak.price is None else float(peak.price),
        "unconfirmed": alert.unconfirmed,
        "opened_at": _moment(alert.opened_at),
        "last_seen_at": _moment(alert.last_seen_at),
        "closed_at": _moment(alert.closed_at),
    }


def _moment(at: datetime | None) -> str | None:
    """ISO 8601, UTC, milliseconds."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
