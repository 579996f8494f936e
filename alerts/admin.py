"""What does the operator see of alerts? Their timelines, each delivery, each decision; silences to set."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from unfold.decorators import action

from alerts import effectiveness, history, manual
from alerts.broadcast_admin import BroadcastAdmin as BroadcastAdmin
from alerts.export import csv_lines
from alerts.market_move_admin import MarketMoveAdmin as MarketMoveAdmin
from alerts.messages import message_for, text_of
from alerts.models import Alert, Decision, Delivery
from alerts.outcome_admin import OUTCOME_HEADERS, outcome_cells
from alerts.outcome_admin import OutcomeAdmin as OutcomeAdmin
from alerts.rules import why_text
from alerts.rules.summary import amount
from alerts.silence_admin import SilenceAdmin as SilenceAdmin
from alerts.votes import votes_of
from alerts.why import why
from alertsystem.admin_base import SEVERITY_COLOURS, STATE_COLOURS, HistoryAdmin, badge, column, link_to, moment, when

ASKS_FOR_ASSET = "An asset: BTC"


def link(alert: Alert) -> SafeString:
    """A few words that lead to the alert's page."""
    return link_to(reverse("admin:alerts_alert_change", args=[alert.pk]), f"{alert.asset} {alert.get_kind_display()} {alert.direction}".strip())


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


@admin.register(Delivery)
class DeliveryAdmin(HistoryAdmin):
    """The outbox: what was sent to whom, when, and why not."""

    list_display = ("queued", "loudness", "what", "subscriber", "condition", "reason", "received_to_sent")
    list_filter = ("state", "purpose", "severity", "subscriber__channel")
    list_select_related = ("subscriber", "alert__peak", "about__peak", "move")
    search_fields = ("subscriber__title", "=subscriber__chat_id", "=alert__asset", "reason")
    search_help_text = "A subscriber's name or chat id, an asset, words of the reason"
    ordering = ("-id",)
    actions = ("send_again",)
    fieldsets = (
        (None, {"fields": (("what", "subscriber"), ("condition", "reason", "until", "told_by"), ("loudness", "step"), "message")}),
        ("Latency", {"fields": ("received_to_sent", "stages", "stamps")}),
        ("Sending", {"fields": (("attempts", "unknown_outcomes"), ("message_id", "revision"), "expires")}),
    )
    readonly_fields = ("what", "condition", "until", "told_by", "message", "loudness", "received_to_sent", "stages", "stamps", "expires")

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Who may send: operators that may change deliveries."""
        return bool(request.user.has_perm("alerts.change_delivery"))

    @admin.action(description="Send again (what failed, expired, was held, or has an unknown outcome)", permissions=["send"])
    def send_again(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        """Back into the outbox, with a fresh expiry."""
        chosen, sent = deliveries.count(), manual.send_again(deliveries)
        self.message_user(request, f"{sent} of {chosen} deliveries are waiting to be sent again.", messages.SUCCESS if sent else messages.WARNING)

    @column("queued (UTC)", ordering="id")
    def queued(self, delivery: Delivery) -> SafeString:
        """To the millisecond."""
        return when(delivery.queued_at)

    @column("severity", ordering="severity", label=SEVERITY_COLOURS)
    def loudness(self, delivery: Delivery) -> str:
        """Of the step it tells."""
        return delivery.get_severity_display()

    @column("of")
    def what(self, delivery: Delivery) -> SafeString | str:
        """The alert, that it is market-wide, or what else it is for."""
        if delivery.alert is not None:
            return link(delivery.alert)
        if delivery.about is not None:
            return format_html("{} of {}", delivery.get_purpose_display().lower(), link(delivery.about))
        return str(delivery.move) if delivery.move is not None else delivery.get_purpose_display().lower()

    @column("state", ordering="state", label=STATE_COLOURS)
    def condition(self, delivery: Delivery) -> str:
        """As stored."""
        return delivery.state

    @column("held until (UTC)")
    def until(self, delivery: Delivery) -> str:
        """When the digest that tells of it is due."""
        return "-" if delivery.held_until is None else moment(delivery.held_until)[:19]

    @column("told by")
    def told_by(self, delivery: Delivery) -> SafeString | str:
        """The digest that told of it."""
        digest = delivery.digest_id
        return "-" if digest is None else link_to(reverse("admin:alerts_delivery_change", args=[digest]), f"digest {digest}")

    @column("text")
    def message(self, delivery: Delivery) -> SafeString:
        """As it reads now."""
        return format_html('<span style="white-space: pre-line">{}</span>', message_for(delivery, delivery.sent_at or delivery.queued_at).plain)

    @column("from stage to stage")
    def stages(self, delivery: Delivery) -> SafeString:
        """Each part of the way, in ms."""
        way = history.latency(delivery)
        parts = (
            ("venue's stamp to received", way.venue_to_received),
            ("received to detected", way.received_to_detected),
            ("detected to queued", way.detected_to_queued),
            ("queued to sent", way.queued_to_sent),
        )
        return format_html_join(mark_safe("<br>"), "{}: {}", ((name, _ms(milliseconds)) for name, milliseconds in parts))

    @column("received to sent")
    def received_to_sent(self, delivery: Delivery) -> str:
        """In ms: the latency that is ours."""
        return _ms(history.latency(delivery).received_to_sent)

    @column("expires (UTC)")
    def expires(self, delivery: Delivery) -> str:
        """After that it is not worth sending."""
        return moment(delivery.expires_at)[:19]

    @column("stamps (UTC): venue, received, detected, queued, sent")
    def stamps(self, delivery: Delivery) -> SafeString:
        """All stamps."""
        stamps = (delivery.event_at, delivery.received_at, delivery.detected_at, delivery.queued_at, delivery.sent_at)
        return format_html_join(mark_safe("<br>"), "{}", ((moment(at),) for at in stamps))


def _ms(milliseconds: int | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds:,} ms"


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
