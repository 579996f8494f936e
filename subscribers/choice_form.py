"""What may an operator type as a choice? The rows of a subscriber and of a preset, and mutes, validated alike."""

from typing import Any

from django import forms

from monitors.forms import AssetForm, PlainDecimalField
from monitors.market import Kind
from subscribers.preferences import DIRECTIONS


class ChoiceForm(AssetForm):
    """What is wanted of one kind and asset."""

    class Meta:
        field_classes = {"custom_threshold": PlainDecimalField}  # noqa: RUF012  # Django's own way

    def clean(self) -> dict[str, Any]:
        """A direction that the kind does not have would leave nothing."""
        cleaned: dict[str, Any] = super().clean() or {}
        kind, direction = cleaned.get("kind"), cleaned.get("direction")
        if kind and direction and direction not in DIRECTIONS[Kind(kind)]:
            known = " or ".join(DIRECTIONS[Kind(kind)])
            self.add_error("direction", f"Direction: for this kind {known}, or empty for both." if known else "Direction: volume has none; leave it empty.")
        return cleaned

    def clean_custom_threshold(self) -> Any:
        """A threshold of 0 would tell of every single event."""
        value = self.cleaned_data["custom_threshold"]
        if value is not None and value <= 0:
            raise forms.ValidationError("Custom threshold: must be above 0, or empty to use the lowest severity.")
        return value
