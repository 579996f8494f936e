"""Is this a threshold rule that can work? What the admin checks before a rule is in force."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS

from monitors.models import ThresholdRule
from monitors.rule_checks import RUNGS, normal_asset, problems

FIELDS = ["kind", "asset", *RUNGS, "window_s", "min_events", "min_venues", "min_usd", "cooldown_s", "enabled"]
LADDER_UNITS = "In dollars for liquidation and cascade, in percent for open interest and volume (4.2 is 4.2 %). Each rung must be above the one before."
ROOM_FOR_MILLIONS = {"style": "min-width: 7rem"}


class PlainDecimalField(forms.DecimalField):
    """Shows 400000 where the database holds 400000.000000000000."""

    def prepare_value(self, value: Any) -> Any:
        """The value for the input; what the operator typed is shown as it was typed."""
        return f"{value.normalize():f}" if isinstance(value, Decimal) else value


class AssetForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's is not generic at run time
    """Whatever has an asset: it is kept as assets are."""

    def clean_asset(self) -> str:
        """The asset in upper case, without spaces around it."""
        try:
            return normal_asset(self.cleaned_data["asset"])
        except ValueError as problem:
            raise forms.ValidationError(str(problem)) from None


class ThresholdRuleForm(AssetForm):
    """A rule as the operator writes it; the same form serves the page of a rule and the editable list."""

    class Meta:
        model = ThresholdRule
        fields = FIELDS
        field_classes = dict.fromkeys((*RUNGS, "min_usd"), PlainDecimalField)
        help_texts = {
            "window_s": "Seconds over which is measured; without meaning for a single liquidation.",
            "min_events": "How many liquidations a cascade must have; 1 for all other kinds.",
            "min_venues": "How many venues must confirm; with fewer the severity is one step lower and the text says unconfirmed.",
            "min_usd": "A further minimum in dollars for open interest and volume; 0 for none.",
            "cooldown_s": "Seconds of quiet after which an incident is over.",
        }
        error_messages = {NON_FIELD_ERRORS: {"unique_together": "There is a rule for this kind and asset already: change that one."}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in RUNGS:
            self.fields[name].widget.attrs.update(ROOM_FOR_MILLIONS)

    def clean(self) -> dict[str, Any]:
        """Put each problem beside the field it is about; the list shows only some of the fields, so the stored rule completes them."""
        cleaned = super().clean() or self.cleaned_data
        stored = {name: getattr(self.instance, name) for name in FIELDS}
        for field, message in problems({**stored, **cleaned}).items():
            shown = field if field in self.fields else None
            if field not in self.errors:
                self.add_error(shown, message)
        return cleaned
