"""What does the operator see and decide of the universe? Choices of assets to edit, the backfill to read."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ValidationError
from django.http import HttpRequest

from alertsystem.admin_base import Admin, HistoryAdmin, age, column
from monitors.forms import AssetForm
from monitors.models import AssetChoice, BackfillCursor, Market


class AssetChoiceForm(AssetForm):
    """Assets are written as the markets write them, and have to be there."""

    class Meta:
        model = AssetChoice
        fields = ("asset", "choice", "reason")

    def clean_asset(self) -> str:
        """In capitals; one that no venue lists is surely a slip of the pen, unless no contracts are known yet."""
        asset = super().clean_asset()
        if Market.objects.exists() and not Market.objects.filter(asset=asset).exists():
            raise ValidationError(f"No venue lists {asset}. Under Markets are the assets that are known.")
        return asset


@admin.register(AssetChoice)
class AssetChoiceAdmin(Admin):
    """Which assets are watched whatever their turnover."""

    form = AssetChoiceForm
    list_display = ("asset", "choice", "listed", "reason")
    list_filter = ("choice",)
    search_fields = ("asset",)

    @column("listed on")
    def listed(self, choice: AssetChoice) -> str:
        """The venues that list the asset now."""
        venues = Market.objects.filter(asset=choice.asset, active=True).order_by("venue").values_list("venue", flat=True).distinct()
        return ", ".join(venues) or "no venue now"


@admin.register(BackfillCursor)
class BackfillAdmin(HistoryAdmin):
    """How far the past of each contract is filled in."""

    list_display = ("market", "feed", "asset", "progress", "reached_at", "rows", "note", "reported")
    list_filter = ("done", "feed", "market__venue")
    search_fields = ("=market__asset",)
    search_help_text = "An asset: BTC"
    ordering = ("done", "-updated_at")

    @column("asset", ordering="market__asset")
    def asset(self, cursor: BackfillCursor) -> str:
        """The contract's asset."""
        return cursor.market.asset

    @column("state", label={"done": "success"})
    def progress(self, cursor: BackfillCursor) -> str:
        """Done, or on its way."""
        return "done" if cursor.done else "being filled in"

    @column("last request", ordering="updated_at")
    def reported(self, cursor: BackfillCursor) -> str:
        """How long ago."""
        return age(cursor.updated_at)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """With the contracts, in one query."""
        rows: QuerySet[Any] = super().get_queryset(request).select_related("market")
        return rows
