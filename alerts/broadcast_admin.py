"""How does an operator write to everybody? A draft, its dry run, then the sending, which can be cancelled."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from alerts import broadcasts
from alerts.models import Broadcast
from alertsystem.admin_base import Admin, column, moment

CHAT_TYPES = [("", "all chats"), ("private", "private chats"), ("group", "groups"), ("supergroup", "supergroups"), ("channel", "channels")]
MAX_TEXT = 3_000
DRAFT, UNDER_WAY, DONE = "draft", "being sent", "done"


class BroadcastForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's is not generic at run time
    """A draft can be sent, a broadcast under way cancelled."""

    chat_type = forms.ChoiceField(label="to", choices=CHAT_TYPES, required=False)
    send = forms.BooleanField(label="send it now", required=False, help_text="to the recipients that the dry run counts; it cannot be changed afterwards")
    cancel = forms.BooleanField(label="cancel what is not sent yet", required=False)

    def clean_text(self) -> str:
        """As Telegram counts: an emoji is two characters."""
        text: str = self.cleaned_data["text"]
        if (length := len(text.encode("utf-16-le")) // 2) > MAX_TEXT:
            raise forms.ValidationError(f"Text: at most {MAX_TEXT:,} characters as Telegram counts them, where an emoji is two; it has {length:,}.")
        return text


@admin.register(Broadcast)
class BroadcastAdmin(Admin):
    """Operators' messages to subscribers, under the same limits as alerts and behind every one of them."""

    form = BroadcastForm
    list_display = ("__str__", "condition", "beginning", "recipients", "sent_so_far", "created_by", "created")
    ordering = ("-id",)
    readonly_fields = ("condition", "recipients", "sent_so_far", "created_by", "created")

    def get_fields(self, request: HttpRequest, obj: Broadcast | None = None) -> Any:
        """A new one is written; a draft shows its dry run; one under way its progress."""
        if obj is None:
            return ("text", "chat_type")
        shown = ("condition", "recipients", "sent_so_far", ("created_by", "created"))
        if obj.confirmed_at is None:
            return ("text", "chat_type", *shown, "send")
        return ("text", "chat_type", *shown, *(("cancel",) if obj.done_at is None else ()))

    def get_readonly_fields(self, request: HttpRequest, obj: Broadcast | None = None) -> tuple[str, ...]:
        """What was confirmed stays as it is."""
        confirmed = obj is not None and obj.confirmed_at is not None
        return (*self.readonly_fields, "text", "chat_type") if confirmed else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Broadcast | None = None) -> bool:
        """Drafts only: what was sent is history."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.confirmed_at is None)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """No deletion of many."""
        return {}

    @column("state")
    def condition(self, broadcast: Broadcast) -> str:
        """Draft, being sent or done."""
        if broadcast.confirmed_at is None:
            return DRAFT
        return DONE if broadcast.done_at else UNDER_WAY

    @column("recipients")
    def recipients(self, broadcast: Broadcast) -> str:
        """Who would get it now, and how long that takes; nothing is sent to find out."""
        if broadcast.confirmed_at is not None:
            return f"confirmed {moment(broadcast.confirmed_at)[:19]} UTC"
        count = broadcasts.audience(broadcast).count()
        return f"dry run: {count:,} chats, at least {broadcasts.takes(count)} (h:mm:ss) at the limit of messages, longer while alerts are sent"

    @column("messages")
    def sent_so_far(self, broadcast: Broadcast) -> str:
        """By state."""
        return ", ".join(f"{count:,} {state}" for state, count in broadcasts.progress(broadcast).items()) or "none"

    @column("text")
    def beginning(self, broadcast: Broadcast) -> str:
        """The first words."""
        return f"{broadcast.text[:60]}..." if len(broadcast.text) > 60 else broadcast.text

    @column("written (UTC)", ordering="created_at")
    def created(self, broadcast: Broadcast) -> str:
        """To the second."""
        return moment(broadcast.created_at)[:19]

    def save_model(self, request: HttpRequest, obj: Broadcast, form: Any, change: bool) -> None:
        """Save the draft, send it, or cancel what is under way."""
        now = timezone.now()
        if obj.confirmed_at is not None:
            if form.cleaned_data.get("cancel"):
                messages.warning(request, f"Cancelled: messages taken back before they left: {broadcasts.cancel(obj, now):,}. What was sent stays sent.")
            return
        if not change:
            obj.created_by = request.user.get_username()
        super().save_model(request, obj, form, change)
        if form.cleaned_data.get("send") and "chat_type" in form.changed_data:
            messages.warning(request, "Not sent yet: it is for other chats now. Look at the new dry run, then send it.")
        elif form.cleaned_data.get("send") and broadcasts.confirm(obj, now):
            messages.success(request, f"{broadcasts.audience(obj).count():,} messages are on their way, behind every alert.")

    def response_add(self, request: HttpRequest, obj: Broadcast, post_url_continue: str | None = None) -> Any:
        """To the draft's page, with its dry run."""
        messages.info(request, "Saved as a draft: look at the dry run, then send it.")
        return redirect(reverse("admin:alerts_broadcast_change", args=[obj.pk]))
