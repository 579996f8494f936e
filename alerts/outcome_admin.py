"""What does the operator see of what came of alerts? Each outcome, and the page that counts them."""

from decimal import Decimal

from django.contrib import admin
from django.urls import reverse
from django.utils.safestring import SafeString

from alerts.effectiveness_page import effectiveness_view
from alerts.models import Outcome
from alerts.rules.money import price
from alerts.rules.outcome import horizon_in_words
from alertsystem.admin_base import HistoryAdmin, badge, column, link_to, moment

OUTCOME_COLOURS = {"known": "success", "unknown": "warning", "waiting": "info"}
OUTCOME_HEADERS = ["After", "State", "Return", "Largest up", "Largest down", "Usual move", "Mark price at detection", "Venue", "Reason"]


def outcome_cells(outcome: Outcome) -> list[str]:
    """An outcome below OUTCOME_HEADERS."""
    state = badge(outcome.state, OUTCOME_COLOURS[outcome.state])
    return [
        horizon_in_words(outcome.horizon_min), state, *map(_move, (outcome.change_pct, outcome.up_pct, outcome.down_pct)), _usual(outcome), _price(outcome),
        outcome.get_venue_display() or "-", outcome.reason or "-",
    ]  # fmt: skip


@admin.register(Outcome)
class OutcomeAdmin(HistoryAdmin):
    """What the price did after each incident, over each horizon."""

    custom_urls = (("effectiveness/", "alerts_effectiveness", effectiveness_view),)
    list_display = ("of_alert", "opened", "horizon", "condition", "move", "up", "down", "usual", "mark", "venue", "reason")
    list_filter = ("state", "horizon_min", "venue")
    list_select_related = ("alert",)
    search_fields = ("=alert__asset", "reason")
    search_help_text = "An asset, or words of the reason"
    ordering = ("-id",)

    @column("alert")
    def of_alert(self, outcome: Outcome) -> SafeString:
        """Leads to its page."""
        return link_to(reverse("admin:alerts_alert_change", args=[outcome.alert_id]), str(outcome.alert))

    @column("opened (UTC)")
    def opened(self, outcome: Outcome) -> str:
        """To the second."""
        return moment(outcome.alert.opened_at)[:19]

    @column("after", ordering="horizon_min")
    def horizon(self, outcome: Outcome) -> str:
        """The horizon."""
        return horizon_in_words(outcome.horizon_min)

    @column("state", ordering="state", label=OUTCOME_COLOURS)
    def condition(self, outcome: Outcome) -> str:
        """As stored."""
        return outcome.state

    @column("return", ordering="change_pct")
    def move(self, outcome: Outcome) -> str:
        """At the horizon's end."""
        return _move(outcome.change_pct)

    @column("largest up", ordering="up_pct")
    def up(self, outcome: Outcome) -> str:
        """Within the horizon."""
        return _move(outcome.up_pct)

    @column("largest down", ordering="down_pct")
    def down(self, outcome: Outcome) -> str:
        """Within the horizon."""
        return _move(outcome.down_pct)

    @column("usual move", ordering="usual_pct")
    def usual(self, outcome: Outcome) -> str:
        """Of the asset over this horizon."""
        return _usual(outcome)

    @column("mark price at detection")
    def mark(self, outcome: Outcome) -> str:
        """In dollars per coin."""
        return _price(outcome)


def _move(percent: float | None) -> str:
    return "-" if percent is None else f"{percent:+.2f} %"


def _usual(outcome: Outcome) -> str:
    return "-" if outcome.usual_pct is None else f"{outcome.usual_pct:.2f} %"


def _price(outcome: Outcome) -> str:
    return "-" if outcome.price is None else f"${price(Decimal(str(outcome.price)))}"
