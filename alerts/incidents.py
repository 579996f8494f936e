"""How is an incident kept? Between the value that is decided on and its row."""

from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal

from alerts.models import Alert
from alerts.rules.incident import Incident, Tally
from monitors import rulefile
from monitors.market import Kind, epoch_ms, from_epoch_ms
from monitors.models import Signal


def incident_of(alert: Alert) -> Incident:
    """The value of a row; `alert.peak` is best selected with it."""
    return Incident(
        kind=Kind(alert.kind), step=alert.step, opened_at_ms=epoch_ms(alert.opened_at), last_seen_ms=epoch_ms(alert.last_seen_at),
        newest_signal_ms=epoch_ms(alert.newest_signal_at), peak=alert.peak.as_value(), rule=rulefile.of_object(alert.rule), unconfirmed=alert.unconfirmed,
        tally=_tally_of(alert.tally), over=alert.closed_at is not None,
    )  # fmt: skip


def apply(alert: Alert, incident: Incident, signal: Signal, now: datetime) -> None:
    """Make the row (a new one when it has no id) say how the incident is after `signal`; it is not saved yet."""
    told_before = (alert.kind, alert.step, alert.peak_id, alert.unconfirmed, alert.tally)
    alert.kind, alert.step, alert.severity = incident.kind.value, incident.step, incident.severity.value
    alert.opened_at, alert.last_seen_at = from_epoch_ms(incident.opened_at_ms), from_epoch_ms(incident.last_seen_ms)
    alert.newest_signal_at = from_epoch_ms(incident.newest_signal_ms)
    alert.cooldown_s, alert.rule, alert.unconfirmed = incident.rule.cooldown_s, rulefile.as_object(incident.rule), incident.unconfirmed
    alert.tally = {name: str(value) for name, value in asdict(incident.tally).items()}
    if alert.pk is None or incident.peak == signal.as_value():
        alert.peak, alert.largest = signal, signal.value
    if alert.pk is None or told_before != (alert.kind, alert.step, alert.peak_id, alert.unconfirmed, alert.tally):
        alert.revision, alert.changed_at = alert.revision + 1, now


def closes_at(alert: Alert) -> datetime:
    """When the incident is over, unless it is seen again before: last seen + cooldown."""
    return alert.last_seen_at + timedelta(seconds=alert.cooldown_s)


def close(alert: Alert, now: datetime) -> None:
    """The incident is over since last seen + cooldown, whenever that is noticed."""
    alert.closed_at = closes_at(alert)
    alert.revision, alert.changed_at = alert.revision + 1, now
    alert.save(update_fields=["closed_at", "revision", "changed_at"])


def _tally_of(stored: dict[str, str]) -> Tally:
    if not stored:
        return Tally()
    return Tally(Decimal(stored["usd"]), int(stored["events"]), int(stored["since_ms"]), Decimal(stored["seen_usd"]), int(stored["seen_events"]))
