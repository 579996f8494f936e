"""How does the admin look, and where does each thing stand? The settings of django-unfold."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy


def _item(title: str, icon: str, name: str, permission: str = "") -> dict[str, Any]:
    """One line of the sidebar; whoever may not see the page does not see the line."""
    item: dict[str, Any] = {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{name}")}
    if permission:
        item["permission"] = lambda request: request.user.has_perm(permission)
    return item


def _group(title: str, *items: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "separator": True, "items": list(items)}


NAVIGATION = [
    {"items": [_item("Overview", "monitoring", "index")]},
    _group(
        "What happened",
        _item("Alerts", "notifications", "alerts_alert_changelist", "alerts.view_alert"),
        _item("Effectiveness", "insights", "alerts_effectiveness", "alerts.view_alert"),
        _item("Market-wide moves", "ssid_chart", "alerts_marketmove_changelist", "alerts.view_marketmove"),
        _item("Deliveries", "send", "alerts_delivery_changelist", "alerts.view_delivery"),
        _item("Decisions", "rule", "alerts_decision_changelist", "alerts.view_decision"),
    ),
    _group(
        "What alerts",
        _item("Thresholds", "tune", "monitors_thresholdrule_changelist", "monitors.view_thresholdrule"),
        _item("Watched assets", "playlist_add_check", "monitors_assetchoice_changelist", "monitors.view_assetchoice"),
        _item("Silences", "notifications_off", "alerts_silence_changelist", "alerts.view_silence"),
    ),
    _group(
        "Who is told",
        _item("Subscribers", "group", "subscribers_subscriber_changelist", "subscribers.view_subscriber"),
        _item("Presets", "bookmarks", "subscribers_preset_changelist", "subscribers.view_preset"),
        _item("Webhooks", "webhook", "subscribers_webhook_changelist", "subscribers.view_webhook"),
        _item("Broadcasts", "campaign", "alerts_broadcast_changelist", "alerts.view_broadcast"),
    ),
    _group(
        "The market",
        _item("Feeds", "sensors", "monitors_feedstatus_changelist", "monitors.view_feedstatus"),
        _item("Scans", "radar", "monitors_scanstatus_changelist", "monitors.view_scanstatus"),
        _item("Blind spots", "visibility_off", "monitors_blindspot_changelist", "monitors.view_blindspot"),
        _item("Liquidations", "bolt", "monitors_liquidation_changelist", "monitors.view_liquidation"),
        _item("Signals", "show_chart", "monitors_signal_changelist", "monitors.view_signal"),
        _item("Open interest", "stacked_line_chart", "monitors_openinterestsample_changelist", "monitors.view_openinterestsample"),
        _item("Candles", "candlestick_chart", "monitors_candlerow_changelist", "monitors.view_candlerow"),
        _item("Episodes", "timeline", "monitors_episodestate_changelist", "monitors.view_episodestate"),
        _item("Own histories", "percent", "monitors_ownhistory_changelist", "monitors.view_ownhistory"),
        _item("Markets", "storefront", "monitors_market_changelist", "monitors.view_market"),
        _item("Backfill", "history", "monitors_backfillcursor_changelist", "monitors.view_backfillcursor"),
    ),
    _group(
        "The system",
        _item("Schedule", "schedule", "django_celery_beat_periodictask_changelist", "django_celery_beat.view_periodictask"),
        _item("Users", "person", "auth_user_changelist", "auth.view_user"),
    ),
]

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Liquidation alerts",
    "SITE_HEADER": "Liquidation alerts",
    "SITE_SUBHEADER": "Binance, Bybit, OKX",
    "SITE_SYMBOL": "crisis_alert",
    "SITE_URL": None,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("alertsystem/icon.svg")}],
    "STYLES": [lambda request: static("alertsystem/admin.css")],
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "alertsystem.dashboard.overview",
    "COLORS": {
        "primary": {
            "50": "oklch(98.0% .016 73.7)",
            "100": "oklch(95.4% .038 75.2)",
            "200": "oklch(90.1% .076 70.7)",
            "300": "oklch(83.7% .128 66.3)",
            "400": "oklch(75.0% .183 55.9)",
            "500": "oklch(70.5% .213 47.6)",
            "600": "oklch(64.6% .222 41.1)",
            "700": "oklch(55.3% .195 38.4)",
            "800": "oklch(47.0% .157 37.3)",
            "900": "oklch(40.8% .123 38.2)",
            "950": "oklch(26.6% .079 36.3)",
        },
    },
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": NAVIGATION},
}
