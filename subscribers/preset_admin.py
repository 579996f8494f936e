"""How does the operator offer ready choices? Presets, each with the link that subscribes to it."""

from django.contrib import admin

from alertsystem.admin_base import Admin, RowsInline, column
from subscribers.choice_form import ChoiceForm
from subscribers.models import Preset, PresetChoice
from subscribers.selectors import choices_of
from subscribers.wording import wanted_lines


class PresetChoiceInline(RowsInline):
    """What the preset wants of each kind and asset."""

    model = PresetChoice
    form = ChoiceForm


@admin.register(Preset)
class PresetAdmin(Admin):
    """Sets of choices; changing one changes nothing for those who took it before."""

    list_display = ("title", "link", "wants", "enabled")
    list_filter = ("enabled",)
    search_fields = ("title", "slug")
    ordering = ("title",)
    inlines = (PresetChoiceInline,)
    fields = (("title", "slug"), "description", "enabled", "link")
    readonly_fields = ("link",)
    prepopulated_fields = {"slug": ("title",)}  # noqa: RUF012  # Django's own way

    @column("link")
    def link(self, preset: Preset) -> str:
        """What to publish."""
        return f"https://t.me/<your bot's name>?start={preset.slug}" if preset.pk else "shown when it is saved"

    @column("wants")
    def wants(self, preset: Preset) -> str:
        """As the bot says it."""
        return " ".join(wanted_lines(choices_of(preset))) or "nothing yet: add choices"
