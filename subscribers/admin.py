"""What does the operator see of people? Who is subscribed to what; changes keep the detectors' floors in line."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from alerts import manual
from alertsystem.admin_base import Admin, RowsInline, column, link_to
from subscribers import services
from subscribers.choice_form import ChoiceForm
from subscribers.models import Mute, Subscriber, Subscription, Webhook
from subscribers.preset_admin import PresetAdmin as PresetAdmin
from subscribers.selectors import choices_of
from subscribers.subscriber_form import SubscriberForm
from subscribers.subscriber_story import changes_of, deliveries_of
from subscribers.webhook_admin import WebhookAdmin as WebhookAdmin
from subscribers.wording import wanted_lines


class SubscriptionInline(RowsInline):
    """What the subscriber wants."""

    model = Subscription
    form = ChoiceForm


class MuteInline(RowsInline):
    """What is held back until when."""

    model = Mute
    form = ChoiceForm


@admin.register(Subscriber)
class SubscriberAdmin(Admin):
    """Chats and the console, with what each wants."""

    list_display = ("name", "where", "condition", "deactivated_reason", "wants", "capped")
    list_filter = ("active", "channel", "chat_type")
    search_fields = ("title", "=chat_id")
    search_help_text = "A name, or a chat id"
    ordering = ("-id",)
    form = SubscriberForm
    inlines = (SubscriptionInline, MuteInline)
    change_form_after_template = "subscribers/story.html"
    actions = ("send_test_alert",)
    fieldsets = (
        (None, {"fields": (("title", "channel"), ("chat_id", "chat_type"), ("active", "deactivated_reason"), ("created_at", "changed_at"), "also_to")}),
        ("Preferences", {"fields": (("confirmed_only", "charts"), ("capped", "time_zone"))}),
        ("Quiet hours", {"fields": (("quiet_from", "quiet_until"), "quiet_lets_through", ("quiet_starts_at", "quiet_ends_at"))}),
    )
    readonly_fields = ("created_at", "changed_at", "quiet_starts_at", "quiet_ends_at", "also_to")

    def get_queryset(self, request: HttpRequest) -> Any:
        """With what they want, in one more query."""
        return super().get_queryset(request).prefetch_related("subscriptions")

    def get_readonly_fields(self, request: HttpRequest, obj: Subscriber | None = None) -> tuple[str, ...]:
        """A chat stays the chat it is: another one is another subscriber."""
        return (*self.readonly_fields, "channel", "chat_id", "chat_type") if obj else self.readonly_fields

    @column("name", ordering="title")
    def name(self, subscriber: Subscriber) -> str:
        """The chat's title, or what it is."""
        return str(subscriber)

    @column("chat", ordering="chat_id")
    def where(self, subscriber: Subscriber) -> str:
        """Type and id."""
        return f"{subscriber.chat_type} {subscriber.chat_id}" if subscriber.channel == Subscriber.Channel.TELEGRAM else subscriber.channel

    @column("state", ordering="active", label={"active": "success", "inactive": "danger"})
    def condition(self, subscriber: Subscriber) -> str:
        """Whether it is told of alerts."""
        return "active" if subscriber.active else "inactive"

    @column("wants")
    def wants(self, subscriber: Subscriber) -> str:
        """As the bot says it."""
        return " ".join(wanted_lines(choices_of(subscriber))) or "nothing"

    @column("webhook")
    def also_to(self, subscriber: Subscriber) -> SafeString | str:
        """Where its alerts go as well, or which webhook it is."""
        hook = Webhook.objects.filter(Q(owner=subscriber) | Q(subscriber=subscriber)).first() if subscriber.pk else None
        return "none" if hook is None else link_to(reverse("admin:subscribers_webhook_change", args=[hook.pk]), hook.url)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The page of a subscriber, with its deliveries and earlier wishes below."""
        subscriber = Subscriber.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        tables = {"deliveries": deliveries_of(subscriber), "changes": changes_of(subscriber)} if subscriber else {}
        response: HttpResponse = super().change_view(request, object_id, form_url, {**(extra_context or {}), **tables})
        return response

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Who may send: operators that may change deliveries."""
        return bool(request.user.has_perm("alerts.change_delivery"))

    @admin.action(description="Send a test alert", permissions=["send"])
    def send_test_alert(self, request: HttpRequest, subscribers: QuerySet[Subscriber]) -> None:
        """Through the outbox, as an alert goes."""
        sent, inactive = manual.send_test(subscribers), subscribers.filter(active=False).count()
        note = f" {inactive} inactive ones get none." if inactive else ""
        self.message_user(request, f"{sent} test alerts are on their way.{note}", messages.SUCCESS if sent else messages.WARNING)

    def save_model(self, request: HttpRequest, obj: Subscriber, form: Any, change: bool) -> None:
        """An active subscriber has no reason for being inactive."""
        if obj.active:
            obj.deactivated_reason = ""
        super().save_model(request, obj, form, change)  # touches `changed_at`

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The rows of what is wanted are saved after their subscriber; then the floors and the record, all in the page's one transaction."""
        super().save_related(request, form, formsets, change)
        services.refresh_custom_floors()
        services.record_change(form.instance, timezone.now())

    def delete_model(self, request: HttpRequest, obj: Subscriber) -> None:
        """Gone, and its custom thresholds and its webhook with it."""
        services.forget(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Subscriber]) -> None:
        """The same for many."""
        with transaction.atomic():
            for subscriber in queryset:
                services.forget(subscriber)
