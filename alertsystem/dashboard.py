"""Is all well, and what happened last? The first page of the admin."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from alerts.history import line_of, recent_alerts
from alerts.models import Delivery
from alertsystem.admin_base import SEVERITY_COLOURS, STATE_COLOURS, age, badge, link_to, moment
from monitors.feeds import FeedState, feed_states
from monitors.models import FeedStatus, ScanStatus
from monitors.sight import blindness
from monitors.thresholds import Severity

LAST_ALERTS = 10


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the feeds, the deliveries of the last hour and the last alerts."""
    now = timezone.now()
    statuses = {status.venue: status for status in FeedStatus.objects.all()}
    feeds = [_feed_row(feed, statuses.get(feed.venue.value)) for feed in feed_states(now, settings.VENUES)]
    counts = _queued_since(now - timedelta(hours=1)).order_by().values_list("state").annotate(Count("id"))
    return context | {
        "feeds": {"headers": ["Feed", "State", "Last data", "Events a minute", "Reconnects"], "rows": feeds},
        "scans": {"headers": ["Scan", "State", "Last data", "Contracts", "Took"], "rows": _scan_rows(now)},
        "deliveries": {"headers": ["State", "Count"], "rows": [[badge(state, STATE_COLOURS[state]), count] for state, count in sorted(counts)]},
        "last_alerts": {"headers": ["Opened (UTC)", "Severity", "Alert", "State"], "rows": _alert_rows()},
    }


def _queued_since(at: datetime) -> "QuerySet[Delivery]":
    """Those with newer ids than the newest of before: there is no index by time alone, and the table holds years."""
    before = Delivery.objects.filter(queued_at__lte=at).order_by("-pk").values_list("pk", flat=True).first()
    return Delivery.objects.filter(pk__gt=before or 0)


def _feed_row(feed: FeedState, status: FeedStatus | None) -> list[str]:
    state = badge(f"blind: {feed.note}", "danger") if feed.blind else badge("live", "success")
    if status is None:
        return [feed.venue.title, state, "never", "-", "-"]
    return [feed.venue.title, state, age(status.last_data_at), f"{status.events_per_minute:.1f}", str(status.reconnects)]


def _scan_rows(now: datetime) -> list[list[str]]:
    rows = []
    for status in ScanStatus.objects.filter(venue__in=settings.VENUES).order_by("kind", "venue"):
        why = blindness(status, now)
        state = badge(f"blind: {why}", "danger") if why else badge("live", "success")
        rows.append([str(status), state, age(status.succeeded_at), str(status.contracts), f"{status.duration_ms / 1000:.1f} s"])
    return rows


def _alert_rows() -> list[list[str]]:
    alerts = recent_alerts(LAST_ALERTS, lowest=Severity.BELOW_LOW)
    return [
        [
            moment(alert.opened_at)[:19],
            badge(alert.get_severity_display(), SEVERITY_COLOURS[alert.get_severity_display()]),
            link_to(reverse("admin:alerts_alert_change", args=[alert.pk]), line_of(alert)),
            badge("over") if alert.closed_at else badge("open", "info"),
        ]
        for alert in alerts
    ]
