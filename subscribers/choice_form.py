"""What may an operator type as a choice? The rows of a subscriber and of a preset, and mutes, validated alike."""

from typing import Any

from django import forms

from monitors.rule_checks import normal_asset


class ChoiceForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's is not generic at run time
    """What is wanted of one kind and asset."""

    def clean_asset(self) -> str:
        """As assets are kept."""
        try:
            return normal_asset(self.cleaned_data["asset"])
        except ValueError as problem:
            raise forms.ValidationError(str(problem)) from None

    def clean_custom_threshold(self) -> Any:
        """A threshold of 0 would tell of every single event."""
        value = self.cleaned_data["custom_threshold"]
        if value is not None and value <= 0:
            raise forms.ValidationError("Custom threshold: must be above 0, or empty to use the lowest severity.")
        return value
