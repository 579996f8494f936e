"""What happened with a subscriber? The newest deliveries with their reasons, and what was wanted when, as tables of the admin."""

from datetime import datetime
from typing import Any

from django.urls import reverse

from alerts.models import Delivery
from alertsystem.admin_base import SEVERITY_COLOURS, STATE_COLOURS, badge, link_to, moment, when
from subscribers import snapshots
from subscribers.models import PreferenceChange, Subscriber
from subscribers.preferences import Preferences
from subscribers.wording import wanted_lines

NEWEST = 50


def deliveries_of(subscriber: Subscriber) -> dict[str, Any]:
    """The newest deliveries, held and failed ones too."""
    found = Delivery.objects.filter(subscriber=subscriber).select_related("alert", "move", "about").order_by("-queued_at", "-pk")[:NEWEST]
    return {"headers": ["Queued (UTC)", "Severity", "What", "State", "Reason"], "rows": [_delivery(delivery) for delivery in found]}


def changes_of(subscriber: Subscriber) -> dict[str, Any]:
    """The newest changes of what was wanted."""
    found = PreferenceChange.objects.filter(subscriber=subscriber).order_by("-at", "-pk")[:NEWEST]
    return {"headers": ["From (UTC)", "Wanted"], "rows": [[when(change.at), in_words(snapshots.of_json(change.wanted))] for change in found]}


def in_words(preferences: Preferences) -> str:
    """All that decides, in one line."""
    quiet = preferences.quiet
    parts = [
        "" if preferences.active else "nothing: not active.",
        *wanted_lines(preferences.choices),
        "Confirmed only." if preferences.confirmed_only else "",
        f"Quiet {quiet.begin:%H:%M}-{quiet.end:%H:%M} {preferences.time_zone}." if quiet else "",
        *map(_mute, sorted(preferences.mutes.items())),
        "" if preferences.capped else "No hourly cap.",
    ]
    return " ".join(filter(None, parts))


def _mute(mute: tuple[tuple[str, str], datetime]) -> str:
    (kind, asset), until = mute
    return f"Muted: {kind.replace('_', ' ') or 'every kind'}, {asset or 'every asset'}, until {moment(until)[:16]} UTC."


def _delivery(delivery: Delivery) -> list[Any]:
    what = str(delivery.alert or delivery.move or delivery.get_purpose_display())
    severity = delivery.get_severity_display()
    return [
        when(delivery.queued_at),
        badge(severity, SEVERITY_COLOURS[severity]),
        link_to(reverse("admin:alerts_delivery_change", args=[delivery.pk]), f"{delivery.purpose} of {delivery.about}" if delivery.about else what),
        badge(delivery.state, STATE_COLOURS[delivery.state]),
        delivery.reason or "-",
    ]
