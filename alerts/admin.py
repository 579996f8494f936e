"""What does the operator see of alerts? Their timelines, each delivery, each decision; silences to set."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from unfold.decorators import action

from alerts import effectiveness, history
from alerts.broadcast_admin import BroadcastAdmin as BroadcastAdmin
from alerts.delivery_admin import DeliveryAdmin as DeliveryAdmin
from alerts.delivery_admin import link
from alerts.export import csv_lines
from alerts.market_move_admin import MarketMoveAdmin as MarketMoveAdmin
from alerts.messages import text_of
from alerts.models import Alert, Decision
from alerts.outcome_admin import OUTCOME_HEADERS, outcome_cells
from alerts.outcome_admin import OutcomeAdmin as OutcomeAdmin
from alerts.rules import why_text
from alerts.rules.summary import amount
from alerts.silence_admin import SilenceAdmin as SilenceAdmin
from alerts.votes import votes_of
from alerts.why import why
from alertsystem.admin_base import SEVERITY_COLOURS, STATE_COLOURS, HistoryAdmin, badge, column, link_to, moment, when

ASKS_FOR_ASSET = "An asset: BTC"


@admin.register(Alert)
class AlertAdmin(HistoryAdmin):
    """Incidents, each with what came of it and the timeline of its signals and deliveries."""

    list_display = ("opened", "loudness", "line", "condition", "lasted")
    list_filter = ("severity", "kind", "direction", ("closed_at", admin.EmptyFieldListFilter))
    list_select_related = ("peak",)
    search_fields = ("=asset",)
    search_help_text = ASKS_FOR_ASSET
    date_hierarchy = "opened_at"
    ordering = ("-opened_at",)
    actions = ("export_chosen",)
    actions_list = ("export_all",)
    change_form_after_template = "alerts/timeline.html"
    fieldsets = (
        (None, {"fields": (("loudness", "line"), ("condition", "lasted"), "message")}),
        ("Deliveries", {"fields": (("delivered", "votes"), "told_with")}),
        ("Why", {"fields": ("numbers",), "classes": ["collapse"]}),
        ("How it was decided", {"fields": (("opened", "seen"), ("fingerprint", "cooldown_s"), ("step", "unconfirmed"), "rule"), "classes": ["collapse"]}),
    )
    readonly_fields = ("loudness", "line", "condition", "lasted", "message", "delivered", "votes", "told_with", "numbers", "opened", "seen")

    @admin.action(description="Export as CSV", permissions=["view"])
    def export_chosen(self, request: HttpRequest, alerts: QuerySet[Alert]) -> StreamingHttpResponse:
        """The chosen alerts with what came of them."""
        return _csv(alerts)

    @action(description="Export all as CSV", url_path="export", permissions=["view"])  # type: ignore[untyped-decorator]  # unfold is not typed
    def export_all(self, request: HttpRequest) -> StreamingHttpResponse:
        """The whole history."""
        return _csv(Alert.objects.all())

    @column("opened (UTC)", ordering="opened_at")
    def opened(self, alert: Alert) -> str:
        """To the second."""
        return moment(alert.opened_at)[:19]

    @column("last seen (UTC)")
    def seen(self, alert: Alert) -> str:
        """To the second."""
        return moment(alert.last_seen_at)[:19]

    @column("severity", ordering="severity", label=SEVERITY_COLOURS)
    def loudness(self, alert: Alert) -> str:
        """The highest it has had."""
        return alert.get_severity_display()

    @column("alert")
    def line(self, alert: Alert) -> str:
        """In one line."""
        return history.line_of(alert)

    @column("state", ordering="closed_at", label={"open": "info", "over": ""})
    def condition(self, alert: Alert) -> str:
        """Open until it has been quiet for its cooldown."""
        return "over" if alert.closed_at else "open"

    @column("lasted")
    def lasted(self, alert: Alert) -> str:
        """From the first to the last signal."""
        return f"{(alert.last_seen_at - alert.opened_at).total_seconds():,.0f} s"

    @column("message")
    def message(self, alert: Alert) -> SafeString:
        """As it reads now."""
        return format_html('<span style="white-space: pre-line">{}</span>', text_of(alert).plain)

    @column("by state")
    def delivered(self, alert: Alert) -> str:
        """How many deliveries are in each state."""
        return ", ".join(f"{count} {state}" for state, count in history.delivery_counts(alert).items()) or "none: nobody wanted it"

    @column("votes")
    def votes(self, alert: Alert) -> str:
        """What people thought of it."""
        found = votes_of(alert)
        return f"{found.useful} useful, {found.noise} noise"

    @column("told in the message of")
    def told_with(self, alert: Alert) -> SafeString | str:
        """The incident that it accompanies."""
        return link(alert.companion_of) if alert.companion_of else "-"

    @column("the largest signal")
    def numbers(self, alert: Alert) -> SafeString | str:
        """The exact numbers, the rule that decided, the venues and who confirms; as /why has them."""
        found = why(alert, None)
        if found is None:
            return "not kept any more"
        confirmed = why_text.confirmation(found.signal, found.rule, unconfirmed=found.decision.unconfirmed)
        judged = why_text.judged(found.signal, found.rule, found.decision.step)
        lines = [*why_text.measured(found.signal), *judged, *why_text.venues(found.signal), confirmed]
        return format_html_join(mark_safe("<br>"), "{}", ((line,) for line in lines))

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The page of an alert, with its timeline below."""
        alert = Alert.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        tables = {"outcomes": _outcomes(alert), "timeline": _timeline(alert)} if alert else {}
        response: HttpResponse = super().change_view(request, object_id, form_url, {**(extra_context or {}), **tables})
        return response


def _csv(alerts: QuerySet[Alert]) -> StreamingHttpResponse:
    name = f"alerts-{timezone.now():%Y-%m-%d}.csv"
    return StreamingHttpResponse(csv_lines(alerts), content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _outcomes(alert: Alert) -> dict[str, Any]:
    """What the price did afterwards; a row for each horizon, the reason where it is not known."""
    return {"headers": OUTCOME_HEADERS, "rows": [outcome_cells(outcome) for outcome in effectiveness.outcomes_of(alert)]}


def _timeline(alert: Alert) -> dict[str, Any]:
    rows = [
        [when(line.at), link_to(_page_of(line), line.of), line.what, badge(line.outcome, STATE_COLOURS.get(line.outcome, "")), line.reason or "-"]
        for line in history.timeline(alert)
    ]
    return {"headers": ["Time (UTC)", "What", "Which", "Outcome", "Reason"], "rows": rows}


def _page_of(line: history.Moment) -> str:
    return reverse("admin:monitors_signal_change" if line.of == "signal" else "admin:alerts_delivery_change", args=[line.pk])


@admin.register(Decision)
class DecisionAdmin(HistoryAdmin):
    """What the trigger engine made of each signal, and why."""

    list_display = ("decided", "asset", "kind", "measured", "outcome", "loudness", "reason", "of_alert")
    list_filter = ("outcome", "severity", "signal__kind")
    list_select_related = ("signal", "alert__peak")
    search_fields = ("=signal__asset", "reason")
    search_help_text = "An asset, or words of the reason"
    ordering = ("-id",)

    @column("decided (UTC)", ordering="id")
    def decided(self, decision: Decision) -> SafeString:
        """To the millisecond."""
        return when(decision.decided_at)

    @column("asset", ordering="signal__asset")
    def asset(self, decision: Decision) -> str:
        """Of the signal."""
        return decision.signal.asset

    @column("kind")
    def kind(self, decision: Decision) -> str:
        """Of the signal, with the direction."""
        return f"{decision.signal.get_kind_display()} {decision.signal.direction}"

    @column("value", ordering="signal__value")
    def measured(self, decision: Decision) -> SafeString:
        """Of the signal, with the unit."""
        return format_html('<span class="one-line">{}</span>', amount(decision.signal.as_value()))

    @column("severity", ordering="severity", label=SEVERITY_COLOURS)
    def loudness(self, decision: Decision) -> str:
        """As it was judged."""
        return decision.get_severity_display()

    @column("alert")
    def of_alert(self, decision: Decision) -> SafeString | str:
        """The incident it belongs to, if any."""
        return link(decision.alert) if decision.alert else "-"
