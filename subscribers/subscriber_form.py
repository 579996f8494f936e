"""What may an operator set of a subscriber? Zone and quiet hours as the bot takes them."""

from typing import Any

from django import forms

from subscribers.models import Subscriber
from subscribers.zones import zone_named


class SubscriberForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's is not generic at run time
    """A subscriber without its rows."""

    def clean_channel(self) -> str:
        """Webhooks have an address and a secret, and a page of their own."""
        channel: str = self.cleaned_data["channel"]
        if self.instance.pk is None and channel == Subscriber.Channel.WEBHOOK:
            raise forms.ValidationError("Channel: a webhook is made on the page Webhooks.")
        return channel

    def clean_time_zone(self) -> str:
        """The name under which the zone is kept."""
        try:
            return zone_named(self.cleaned_data["time_zone"])
        except ValueError as problem:
            raise forms.ValidationError(f"Time zone: {problem}") from None

    def clean(self) -> dict[str, Any]:
        """Both ends of quiet hours, or none."""
        cleaned: dict[str, Any] = super().clean() or {}
        begin, end = cleaned.get("quiet_from"), cleaned.get("quiet_until")
        if (begin is None) != (end is None):
            self.add_error("quiet_until", "Quiet hours: give both times, or none.")
        elif begin is not None and begin == end:
            self.add_error("quiet_until", "Quiet hours: they must end at another time than they begin.")
        return cleaned
