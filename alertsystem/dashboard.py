"""Is all well, and what happened last? The first page of the admin."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from alerts.history import line_of, recent_alerts
from alerts.models import Delivery
from alertsystem.admin_base import age, moment
from monitors.feeds import FeedState, feed_states
from monitors.models import FeedStatus
from monitors.thresholds import Severity

LAST_ALERTS = 10


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the feeds, the deliveries of the last hour and the last alerts."""
    now = timezone.now()
    statuses = {status.venue: status for status in FeedStatus.objects.all()}
    feeds = [_feed_row(feed, statuses.get(feed.venue.value)) for feed in feed_states(now, settings.VENUES)]
    counts = Delivery.objects.filter(queued_at__gt=now - timedelta(hours=1)).order_by().values_list("state").annotate(Count("id"))
    return context | {
        "feeds": {"headers": ["Feed", "State", "Last data", "Events a minute", "Reconnects"], "rows": feeds},
        "deliveries": {"headers": ["Deliveries of the last hour", "Count"], "rows": [list(row) for row in sorted(counts)]},
        "last_alerts": {"headers": ["Opened (UTC)", "Alert", "State"], "rows": _alert_rows()},
    }


def _feed_row(feed: FeedState, status: FeedStatus | None) -> list[str]:
    state = f"blind: {feed.note}" if feed.blind else "live"
    if status is None:
        return [feed.venue.title, state, "never", "-", "-"]
    return [feed.venue.title, state, age(status.last_data_at), f"{status.events_per_minute:.1f}", str(status.reconnects)]


def _alert_rows() -> list[list[str]]:
    alerts = recent_alerts(LAST_ALERTS, lowest=Severity.BELOW_LOW)
    return [
        [
            moment(alert.opened_at)[:19],
            format_html('<a href="{}">{}</a>', reverse("admin:alerts_alert_change", args=[alert.pk]), line_of(alert)),
            "over" if alert.closed_at else "open",
        ]
        for alert in alerts
    ]
