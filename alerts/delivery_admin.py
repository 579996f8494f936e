"""What does the operator see of deliveries? What was sent to whom, when, what was held back or not sent, and why."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from alerts import history, manual
from alerts.holding import REASONS
from alerts.messages import message_for
from alerts.models import Alert, Delivery
from alertsystem.admin_base import SEVERITY_COLOURS, STATE_COLOURS, HistoryAdmin, column, link_to, moment, when


def link(alert: Alert) -> SafeString:
    """A few words that lead to the alert's page."""
    return link_to(reverse("admin:alerts_alert_change", args=[alert.pk]), f"{alert.asset} {alert.get_kind_display()} {alert.direction}".strip())


class HeldBecause(admin.SimpleListFilter):
    """Deliveries that were held back, by the reason."""

    title = "held because of"
    parameter_name = "held"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The reasons."""
        return [(reason, reason) for reason in REASONS.values()]

    def queryset(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
        """Those with the chosen one."""
        return deliveries.filter(reason=self.value()) if self.value() else deliveries


@admin.register(Delivery)
class DeliveryAdmin(HistoryAdmin):
    """The outbox: what was sent to whom, when, and why not."""

    list_display = ("queued", "loudness", "what", "subscriber", "condition", "reason", "received_to_sent")
    list_filter = ("state", HeldBecause, "purpose", "severity", "subscriber__channel")
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
