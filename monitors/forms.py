"""Is this a threshold rule that can work? What the admin checks before a rule is in force."""

from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS

from monitors.models import ThresholdRule
from monitors.rule_checks import RUNGS, normal_asset, problems


class ThresholdRuleForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's is not generic at run time
    """A rule as the operator writes it; the same form serves the page of a rule and the editable list."""

    class Meta:
        model = ThresholdRule
        fields = ["kind", "asset", *RUNGS, "window_s", "min_events", "min_venues", "min_usd", "cooldown_s", "enabled"]
        error_messages = {NON_FIELD_ERRORS: {"unique_together": "There is a rule for this kind and asset already: change that one."}}

    def clean_asset(self) -> str:
        """The asset in upper case, without spaces around it."""
        try:
            return normal_asset(self.cleaned_data["asset"])
        except ValueError as problem:
            raise forms.ValidationError(str(problem)) from None

    def clean(self) -> dict[str, Any]:
        """Put each problem beside the field it is about; the list shows only some of the fields, so the stored rule completes them."""
        cleaned = super().clean() or self.cleaned_data
        stored = {name: getattr(self.instance, name) for name in self.Meta.fields}
        for field, message in problems({**stored, **cleaned}).items():
            shown = field if field in self.fields else None
            if field not in self.errors:
                self.add_error(shown, message)
        return cleaned
