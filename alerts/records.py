"""What is on record of an incident's story? Looked up while its largest measurement grows, so that no message has to ask.

One query for each incident, as a rule: what is found holds until the measurement grows past it. It counts incidents of the same asset,
family and direction, and only as far back as the system has seen the market.
"""

from datetime import datetime
from decimal import Decimal

from alerts.models import Alert
from alerts.rules.record import DAY, LEAST_DAYS, Record
from alertsystem.prepared import Given, Prepared
from monitors import blind_spots
from monitors.market import Kind, family_of
from monitors.models import Signal

ENDLESS = 2**63 - 1  # no alert's number is larger

# The last incident of the story that was at least as large; its index holds the values, so that years are looked through in a millisecond
LARGER = Prepared(
    lambda: (
        Alert.objects.filter(fingerprint=Given("fingerprint"), pk__lt=Given("before"), largest__gte=Given("value"))
        .order_by("-id")
        .values_list("last_seen_at", "largest")[:1]
    )
)
FIRST = Prepared(lambda: Signal.objects.filter(fingerprint=Given("fingerprint")).order_by("received_at").values_list("received_at", flat=True)[:1])


def look_up(alert: Alert, peak: Signal, *, is_first: bool) -> None:
    """Make the alert's row, not saved yet, say what is on record now that `peak` is its largest signal. `is_first`: its story has no earlier incident."""
    if not _still_holds(alert.record, peak.value):
        alert.record = _look_up(alert, peak, is_first).as_json()


def line_of(alert: Alert) -> str:
    """What the message says of it; "" for nothing."""
    return Record.of_json(alert.record).line(alert.peak.received_at)


def _still_holds(kept: dict[str, str | None], value: Decimal) -> bool:
    return bool(kept) and (kept["larger"] is None or value <= Decimal(kept["larger"]))


def _look_up(alert: Alert, peak: Signal, is_first: bool) -> Record:
    earlier = None if is_first else LARGER.first(fingerprint=alert.fingerprint, before=alert.pk or ENDLESS, value=peak.value)
    larger_at, larger = earlier or (None, None)
    if larger_at is not None and peak.received_at - larger_at < LEAST_DAYS * DAY:
        return Record(larger_at, str(larger))
    return Record(larger_at, None if larger is None else str(larger), _covered_since(alert, peak.received_at))


def _covered_since(alert: Alert, now: datetime) -> datetime | None:
    """Since when the story would have been seen: its first signal that is kept, or the last long time in which no venue was seen; None when too short."""
    first = FIRST.first(fingerprint=alert.fingerprint) or now
    if now - first < LEAST_DAYS * DAY:
        return None
    dark = blind_spots.last_dark(family_of(Kind(alert.kind)), first)
    return max(first, dark) if dark is not None else first
