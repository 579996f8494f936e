"""What does the operator see of market-wide moves? Their incidents, and how many were told in one message."""

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from alerts.models import MarketMove
from alerts.rules.market_move import LEAST_ASSETS
from alertsystem.admin_base import HistoryAdmin, column, link_to, moment


@admin.register(MarketMove)
class MarketMoveAdmin(HistoryAdmin):
    """Moves of so many assets that they could be told in one message."""

    list_display = ("opened", "what", "assets", "messages_sent")
    list_filter = ("family", "direction")
    ordering = ("-id",)
    fields = (("opened", "what"), ("assets", "messages_sent"), "incidents")
    readonly_fields = ("opened", "what", "assets", "messages_sent", "incidents")

    def get_queryset(self, request: HttpRequest) -> QuerySet[MarketMove]:
        """Without the lone incidents that no others followed."""
        return super().get_queryset(request).annotate(size=Count("alerts")).filter(size__gte=LEAST_ASSETS)  # type: ignore[no-any-return]

    @column("opened (UTC)", ordering="opened_at")
    def opened(self, move: MarketMove) -> str:
        """To the second."""
        return moment(move.opened_at)[:19]

    @column("what")
    def what(self, move: MarketMove) -> str:
        """Family and direction."""
        return f"{move.family.replace('_', ' ')} {move.direction}".strip()

    @column("incidents")
    def assets(self, move: MarketMove) -> int:
        """How many joined."""
        return move.alerts.count()

    @column("messages")
    def messages_sent(self, move: MarketMove) -> str:
        """How many subscribers were told in one message, by state."""
        states = move.deliveries.filter(alert=None).order_by().values_list("state").annotate(Count("id"))
        return ", ".join(f"{count} {state}" for state, count in sorted(states)) or "none: nobody wanted so many of them"

    @column("incidents")
    def incidents(self, move: MarketMove) -> SafeString:
        """Each with its page."""
        pages = ((link_to(reverse("admin:alerts_alert_change", args=[alert.pk]), str(alert)),) for alert in move.alerts.order_by("opened_at"))
        return format_html_join("", "<div>{}</div>", pages)
