"""What does the operator silence?"""

from typing import Any

from django import forms
from django.contrib import admin
from django.utils import timezone

from alerts.models import Silence
from alertsystem.admin_base import Admin, column, moment
from monitors.forms import AssetForm


class SilenceForm(AssetForm):
    """A silence as the operator writes it."""

    def clean_until(self) -> Any:
        """A silence that is over before it begins is a mistake."""
        until = self.cleaned_data["until"]
        if "until" in self.changed_data and until <= timezone.now():
            raise forms.ValidationError(f"Until: must be in the future; it is {timezone.now():%Y-%m-%d %H:%M} UTC now.")
        return until


@admin.register(Silence)
class SilenceAdmin(Admin):
    """Nobody is told of what is silenced; the incidents are stored all the same."""

    form = SilenceForm
    list_display = ("kind_or_every", "asset_or_every", "ends", "condition", "reason")
    list_filter = ("kind",)
    search_fields = ("=asset", "reason")
    ordering = ("-until",)
    fields = (("kind", "asset"), "until", "reason")

    @column("kind", ordering="kind")
    def kind_or_every(self, silence: Silence) -> str:
        """One kind, or every."""
        return silence.get_kind_display() if silence.kind else "every kind"

    @column("asset", ordering="asset")
    def asset_or_every(self, silence: Silence) -> str:
        """One asset, or every."""
        return silence.asset or "every asset"

    @column("until (UTC)", ordering="until")
    def ends(self, silence: Silence) -> str:
        """To the second."""
        return moment(silence.until)[:19]

    @column("state", label={"in force": "warning", "over": ""})
    def condition(self, silence: Silence) -> str:
        """Whether it is in force now."""
        return "in force" if silence.until > timezone.now() else "over"
