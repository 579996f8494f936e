"""What does the operator see of the market? Thresholds to edit; feeds, liquidations, signals and markets to read."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin import EmptyFieldListFilter
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

from alertsystem.admin_base import Admin, HistoryAdmin, age, column, moment, when
from monitors import floors
from monitors.feeds import FeedState, judge_feeds
from monitors.forms import LADDER_UNITS, ThresholdRuleForm
from monitors.market import UNIT_OF_KIND, Kind, Unit, Venue
from monitors.models import FeedStatus, Liquidation, Market, Signal, ThresholdRule
from monitors.rule_checks import RUNGS
from monitors.scan_admin import ScanStatusAdmin as ScanStatusAdmin
from monitors.sight import scan_troubles
from monitors.universe_admin import AssetChoiceAdmin as AssetChoiceAdmin
from monitors.universe_admin import BackfillAdmin as BackfillAdmin


def in_unit(kind: str, value: Decimal) -> str:
    """A value as people read it: $1,200,000 or 4.2 %."""
    return f"${value:,.0f}" if UNIT_OF_KIND[Kind(kind)] is Unit.USD else f"{value.normalize():f} %"


@admin.register(ThresholdRule)
class ThresholdRuleAdmin(Admin):
    """The ladders, edited in the list or on a rule's page; in force within 10 s."""

    form = ThresholdRuleForm
    list_display = ("kind", "asset_or_any", *RUNGS, "min_events", "enabled")
    list_display_links = ("kind", "asset_or_any")
    list_editable = (*RUNGS, "min_events", "enabled")
    list_filter = ("kind", "enabled")
    search_fields = ("asset",)
    fieldsets = (
        (None, {"fields": (("kind", "asset"), "enabled")}),
        ("Ladder: from which value on is an alert how severe?", {"fields": (("low", "moderate"), ("high", "extreme")), "description": LADDER_UNITS}),
        ("What must be there before anything counts", {"fields": (("window_s", "min_events"), ("min_venues", "min_usd"), "cooldown_s")}),
    )

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> "type[ModelForm[ThresholdRule]]":
        """The list checks an edit as the page of a rule does."""
        form: type[ModelForm[ThresholdRule]] = super().get_changelist_form(request, form=ThresholdRuleForm, **kwargs)
        return form

    def save_model(self, request: HttpRequest, obj: ThresholdRule, form: Any, change: bool) -> None:
        """With the rule the floor may change: it is known from when on signals were kept."""
        floors.remember(timezone.now())
        super().save_model(request, obj, form, change)
        floors.remember(timezone.now())

    @column("asset", ordering="asset")
    def asset_or_any(self, rule: ThresholdRule) -> str:
        """The asset, or that the rule is for all others."""
        return rule.asset or "any other"


@admin.register(FeedStatus)
class FeedStatusAdmin(HistoryAdmin):
    """Is each venue's feed alive?"""

    list_display = ("venue", "condition", "trouble", "data_age", "rate", "reconnects", "malformed", "unknown", "connected")
    ordering = ("venue",)

    @column("state", label={"live": "success", "blind": "danger"})
    def condition(self, status: FeedStatus) -> str:
        """Whether its liquidations would be seen now."""
        return "blind" if _judged(status).blind else "live"

    @column("trouble")
    def trouble(self, status: FeedStatus) -> str:
        """Why it is blind, and what its scans do not see: a pause that the venue asked for, until when."""
        return "; ".join(filter(None, (_judged(status).note, scan_troubles(timezone.now()).get(Venue(status.venue))))) or "-"

    @column("last data", ordering="last_data_at")
    def data_age(self, status: FeedStatus) -> str:
        """How old the newest data is."""
        return age(status.last_data_at)

    @column("events a minute", ordering="events_per_minute")
    def rate(self, status: FeedStatus) -> str:
        """To a tenth."""
        return f"{status.events_per_minute:.1f}"

    @column("connected", ordering="connected_since")
    def connected(self, status: FeedStatus) -> str:
        """Since when."""
        return age(status.connected_since) if status.connected_since else "no"

    def get_queryset(self, request: HttpRequest) -> Any:
        """The watched venues only: rows of others are remains."""
        return super().get_queryset(request).filter(venue__in=settings.VENUES)


def _judged(status: FeedStatus) -> FeedState:
    return judge_feeds([status], timezone.now(), [Venue(status.venue)])[0]


@admin.register(Liquidation)
class LiquidationAdmin(HistoryAdmin):
    """Every liquidation that was received."""

    list_display = ("received", "venue", "asset", "position_side", "dollars", "coins", "price_per_coin", "on_the_way", "kept_out")
    list_filter = ("venue", "position_side", "kept_out")
    search_fields = ("=asset",)
    search_help_text = "An asset: BTC"
    ordering = ("-received_at",)
    list_per_page = 100

    @column("received (UTC)", ordering="received_at")
    def received(self, row: Liquidation) -> str:
        """To the millisecond."""
        return moment(row.received_at)

    @column("dollars", ordering="notional_usd")
    def dollars(self, row: Liquidation) -> str:
        """Whole dollars."""
        return f"${row.notional_usd:,.0f}"

    @column("coins")
    def coins(self, row: Liquidation) -> str:
        """As many places as there are."""
        return f"{row.quantity_base.normalize():,f}"

    @column("price, $")
    def price_per_coin(self, row: Liquidation) -> str:
        """As many places as there are."""
        return f"{row.price.normalize():,f}"

    @column("venue to us")
    def on_the_way(self, row: Liquidation) -> str:
        """From the venue's stamp to the arrival."""
        return milliseconds(row.occurred_at, row.received_at)


@admin.register(Signal)
class SignalAdmin(HistoryAdmin):
    """What the detectors measured."""

    list_display = ("received", "kind", "asset", "direction", "measured", "count", "shares", "detection", "decided")
    list_filter = ("kind", "direction")
    search_fields = ("=asset",)
    search_help_text = "An asset: BTC"
    ordering = ("-received_at",)

    @column("received (UTC)", ordering="received_at")
    def received(self, signal: Signal) -> SafeString:
        """To the millisecond."""
        return when(signal.received_at)

    @column("value", ordering="value")
    def measured(self, signal: Signal) -> str:
        """In the kind's unit."""
        return in_unit(signal.kind, signal.value)

    @column("venues")
    def shares(self, signal: Signal) -> SafeString:
        """The part of each venue."""
        parts = ((Venue(venue).title, in_unit(signal.kind, Decimal(part))) for venue, part in signal.venues.items())
        return format_html_join(mark_safe("<br>"), '<span class="one-line">{} {}</span>', parts)

    @column("detected after")
    def detection(self, signal: Signal) -> str:
        """From the arrival of the frame."""
        return milliseconds(signal.received_at, signal.detected_at)

    @column("decided after")
    def decided(self, signal: Signal) -> str:
        """From the detection; nothing while it waits."""
        return milliseconds(signal.detected_at, signal.decided_at) if signal.decided_at else "waits"


@admin.register(Market)
class MarketAdmin(HistoryAdmin):
    """The contracts that are known, refreshed hourly."""

    list_display = ("venue_symbol", "venue", "asset", "size", "times", "active", "turnover", "apart", "refreshed")
    list_filter = ("venue", "active", ("apart", EmptyFieldListFilter))
    search_fields = ("=asset", "venue_symbol")

    @column("coins a contract")
    def size(self, market: Market) -> str:
        """As many places as there are."""
        return f"{market.contract_size.normalize():f}"

    @column("multiplier")
    def times(self, market: Market) -> str:
        """Coins of the asset in one coin of the contract."""
        return f"{market.multiplier.normalize():f}"

    @column("refreshed", ordering="refreshed_at")
    def refreshed(self, market: Market) -> str:
        """How long ago."""
        return age(market.refreshed_at)

    @column("24 h turnover", ordering="turnover_usd")
    def turnover(self, market: Market) -> str:
        """Whole dollars."""
        return f"${market.turnover_usd:,.0f}"


def milliseconds(start: datetime, end: datetime) -> str:
    """From start to end; clocks of two machines may disagree."""
    return f"{(end - start).total_seconds() * 1000:,.0f} ms"
