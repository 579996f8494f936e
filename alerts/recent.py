"""Which alerts came lately? Filtered, and page by page: a page stays what it is while new alerts come."""

from dataclasses import dataclass

from django.db.models import Prefetch, QuerySet

from alerts import told
from alerts.models import Alert, Outcome
from monitors.market import Kind
from monitors.thresholds import Severity
from subscribers.models import Subscriber

PAGE = 8  # alerts
SHOWN_HORIZON_MIN = 15


@dataclass(frozen=True, slots=True)
class Filter:
    """Alerts of an asset ("" any), of a kind (None any), from a severity on. Without a `subscriber` those for everybody, from LOW on;
    with one those that it has heard of, own thresholds included.
    """

    asset: str = ""
    kind: Kind | None = None
    lowest: Severity = Severity.BELOW_LOW
    subscriber: Subscriber | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """The newest first; whether there are newer and older ones. Each alert has its `outcomes` over the shown horizon at hand."""

    alerts: list[Alert]
    newer: bool = False
    older: bool = False


def newest(which: Filter, size: int = PAGE) -> Page:
    """The first page."""
    return _downwards(_found(which), size, newer=False)


def older_than(alert_id: int, which: Filter, size: int = PAGE) -> Page:
    """The page below an alert."""
    return _downwards(_found(which).filter(pk__lt=alert_id), size, newer=True)


def newer_than(alert_id: int, which: Filter, size: int = PAGE) -> Page:
    """The page above an alert; the first page where less than a whole one is left."""
    above = list(_found(which).filter(pk__gt=alert_id).order_by("id")[: size + 1])
    if len(above) <= size:
        return newest(which, size)
    return Page(above[size - 1 :: -1], newer=True, older=True)


def _downwards(alerts: "QuerySet[Alert]", size: int, *, newer: bool) -> Page:
    found = list(alerts[: size + 1])
    return Page(found[:size], newer=newer, older=len(found) > size)


def _found(which: Filter) -> "QuerySet[Alert]":
    """By id: alerts are numbered as they open, and a page's edge has to be one number."""
    alerts = Alert.objects.order_by("-id").select_related("peak")
    alerts = alerts.prefetch_related(Prefetch("outcomes", Outcome.objects.filter(horizon_min=SHOWN_HORIZON_MIN)))
    if which.subscriber is None:
        alerts = alerts.filter(severity__gte=max(which.lowest, Severity.LOW))
    else:
        alerts = alerts.filter(told.heard_by(which.subscriber), severity__gte=which.lowest)
    if which.kind is not None:
        alerts = alerts.filter(kind=which.kind)
    return alerts.filter(asset=which.asset) if which.asset else alerts
