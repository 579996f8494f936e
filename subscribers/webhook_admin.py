"""How does an operator have alerts sent to a program? Webhooks with their state; the secret is shown once, when one is made."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from alerts.channels.addresses import Forbidden, checked_url
from alertsystem.admin_base import Admin, age, column, link_to
from subscribers import services, webhooks
from subscribers.models import Webhook


class WebhookForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's is not generic at run time
    """An address that may be called, and a name."""

    title = forms.CharField(max_length=255, required=False, help_text="what it is for")

    def clean_url(self) -> str:
        """As it may be called."""
        try:
            return checked_url(self.cleaned_data["url"], allow_private=settings.WEBHOOK_ALLOW_PRIVATE)
        except Forbidden as problem:
            raise forms.ValidationError(f"Address: {problem}.") from None


@admin.register(Webhook)
class WebhookAdmin(Admin):
    """Where alerts are sent as JSON: the operator's own webhooks, and those of chats."""

    form = WebhookForm
    list_display = ("name", "url", "condition", "succeeded", "last_error", "wants")
    list_select_related = ("subscriber", "owner")
    search_fields = ("url", "subscriber__title")
    ordering = ("-id",)
    readonly_fields = ("name", "condition", "succeeded", "last_error", "wants")

    def get_fields(self, request: HttpRequest, obj: Webhook | None = None) -> Any:
        """A name for a new one; how an old one is doing."""
        return ("url", "title") if obj is None else ("name", "url", "condition", ("succeeded", "last_error"), "wants")

    @column("webhook")
    def name(self, hook: Webhook) -> str:
        """Its name."""
        return str(hook.subscriber)

    @column("state", label={"active": "success", "failing": "warning", "off": "danger"})
    def condition(self, hook: Webhook) -> str:
        """Whether it takes what is sent."""
        if not hook.subscriber.active:
            return "off"
        return "failing" if hook.failing_since else "active"

    @column("last taken")
    def succeeded(self, hook: Webhook) -> str:
        """How long ago."""
        return age(hook.last_success_at)

    @column("choices")
    def wants(self, hook: Webhook) -> SafeString:
        """On the subscriber's page."""
        page = reverse("admin:subscribers_subscriber_change", args=[hook.subscriber_id])
        note = f"as those of {hook.owner}" if hook.owner else "of its own"
        return format_html("{} {}", link_to(page, "choices, deliveries and test"), note)

    def save_model(self, request: HttpRequest, obj: Webhook, form: Any, change: bool) -> None:
        """A new one begins with everything from LOW, and its secret is shown."""
        if change:
            super().save_model(request, obj, form, change)
            return
        webhooks.connect_operator(obj, form.cleaned_data["title"] or "operator's webhook", timezone.now())
        messages.warning(request, f"The secret of its signatures, shown only now: {obj.secret}")

    def delete_model(self, request: HttpRequest, obj: Webhook) -> None:
        """With the subscriber that it is."""
        services.forget(obj.subscriber)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        """The same for many."""
        with transaction.atomic():
            for hook in queryset.select_related("subscriber"):
                services.forget(hook.subscriber)
