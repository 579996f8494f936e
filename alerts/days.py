"""How many alerts has a day brought? By severity, and how many of them a subscriber has heard of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from alerts import told
from alerts.models import Alert
from monitors.thresholds import Severity
from subscribers.models import Subscriber


@dataclass(frozen=True, slots=True)
class Day:
    """Alerts for everybody by severity, and those, own thresholds included, that the subscriber has heard of (None: there is no subscriber)."""

    by_severity: Mapping[Severity, int]
    heard: int | None


def since(begin: datetime, subscriber: Subscriber | None) -> Day:
    """What has opened from `begin` on."""
    opened = Alert.objects.filter(opened_at__gte=begin)
    counts = opened.filter(severity__gte=Severity.LOW).order_by("-severity").values_list("severity").annotate(Count("pk"))
    heard = opened.filter(told.heard_by(subscriber)).count() if subscriber is not None else None
    return Day({Severity(severity): count for severity, count in counts}, heard)
