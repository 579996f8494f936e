"""What does the operator see of the scans? How each venue's do, what they sampled, where the episodes stand."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from alertsystem.admin_base import HistoryAdmin, age, column, moment
from monitors.models import BlindSpot, CandleRow, EpisodeState, OpenInterestSample, OwnHistory, ScanStatus
from monitors.sight import blindness


@admin.register(ScanStatus)
class ScanStatusAdmin(HistoryAdmin):
    """Do the scans of each venue bring data?"""

    list_display = ("venue", "kind", "condition", "data_age", "contracts", "requests", "took", "troubles", "unjudged_assets", "paused")
    list_filter = ("venue", "kind")
    ordering = ("venue", "kind")

    @column("state", label={"live": "success", "blind": "danger"})
    def condition(self, status: ScanStatus) -> str | tuple[str, str]:
        """Live, or blind with the reason."""
        why = blindness(status, timezone.now())
        return ("blind", f"blind: {why}") if why else "live"

    @column("last data", ordering="succeeded_at")
    def data_age(self, status: ScanStatus) -> str:
        """How long ago a scan brought data."""
        return age(status.succeeded_at)

    @column("took", ordering="duration_ms")
    def took(self, status: ScanStatus) -> str:
        """The last scan."""
        return f"{status.duration_ms / 1000:.1f} s"

    @column("troubles so far")
    def troubles(self, status: ScanStatus) -> str:
        """By reason."""
        return _counts(status.failed)

    @column("not judged")
    def unjudged_assets(self, status: ScanStatus) -> str:
        """Of the last scan, by reason."""
        return _counts(status.unjudged)

    @column("paused until (UTC)", ordering="paused_until")
    def paused(self, status: ScanStatus) -> str:
        """To the second, while the pause lasts."""
        return moment(status.paused_until)[:19] if status.paused_until and status.paused_until > timezone.now() else "-"

    def get_queryset(self, request: HttpRequest) -> Any:
        """The watched venues only: rows of others are remains."""
        return super().get_queryset(request).filter(venue__in=settings.VENUES)


@admin.register(BlindSpot)
class BlindSpotAdmin(HistoryAdmin):
    """When nothing came of a venue's feed."""

    list_display = ("venue", "feed", "began", "ended", "lasted")
    list_filter = ("venue", "feed")
    ordering = ("-until",)

    @column("from (UTC)", ordering="since")
    def began(self, spot: BlindSpot) -> str:
        """The last data before it."""
        return moment(spot.since)[:19]

    @column("to (UTC)", ordering="until")
    def ended(self, spot: BlindSpot) -> str:
        """The first data after it."""
        return moment(spot.until)[:19]

    @column("lasted")
    def lasted(self, spot: BlindSpot) -> str:
        """In seconds."""
        return f"{(spot.until - spot.since).total_seconds():,.0f} s"


def _counts(by_reason: dict[str, int]) -> str:
    return ", ".join(f"{reason}: {count}" for reason, count in sorted(by_reason.items())) or "-"


class _OfMarket(HistoryAdmin):
    """Rows of a contract; a search by its asset finds them, for there is no index by time alone."""

    list_filter = ("market__venue",)
    search_fields = ("=market__asset",)
    search_help_text = "An asset: BTC"
    list_select_related = ("market",)
    ordering = ("-pk",)
    list_per_page = 100

    @column("contract")
    def contract(self, row: OpenInterestSample | CandleRow) -> str:
        """The venue and its symbol."""
        return str(row.market)


@admin.register(OpenInterestSample)
class OpenInterestSampleAdmin(_OfMarket):
    """The newest samples."""

    list_display = ("contract", "at", "coins", "dollars", "mark")

    @column("venue's time (UTC)")
    def at(self, row: OpenInterestSample) -> str:
        """To the millisecond."""
        return moment(row.occurred_at)

    @column("coins")
    def coins(self, row: OpenInterestSample) -> str:
        """Two places."""
        return f"{row.oi_base:,.2f}"

    @column("dollars")
    def dollars(self, row: OpenInterestSample) -> str:
        """At the mark of that time."""
        return f"${row.oi_base * row.mark_price:,.0f}" if row.mark_price else "-"

    @column("mark, $")
    def mark(self, row: OpenInterestSample) -> str:
        """As many places as there are."""
        return f"{row.mark_price.normalize():,f}" if row.mark_price else "-"


@admin.register(CandleRow)
class CandleAdmin(_OfMarket):
    """The newest candles."""

    list_display = ("contract", "opened", "dollars", "move", "closed")

    @column("opened (UTC)")
    def opened(self, row: CandleRow) -> str:
        """To the minute."""
        return moment(row.opened_at)[:16]

    @column("volume")
    def dollars(self, row: CandleRow) -> str:
        """Whole dollars."""
        return f"${row.volume_usd:,.0f}"

    @column("close over open")
    def move(self, row: CandleRow) -> str:
        """In percent."""
        return f"{(row.close / row.open - 1) * 100:+.2f} %" if row.open else "-"


@admin.register(EpisodeState)
class EpisodeAdmin(HistoryAdmin):
    """The stories that run now; one that never began is not shown."""

    list_display = ("asset", "kind", "direction", "running", "peak_percent", "number", "index")
    list_filter = ("kind", "running")
    search_fields = ("=asset",)
    ordering = ("-running", "-signal_at_ms")

    @column("peak", ordering="peak")
    def peak_percent(self, row: EpisodeState) -> str:
        """In percent."""
        return f"{row.peak.normalize():f} %"

    def get_queryset(self, request: HttpRequest) -> "QuerySet[EpisodeState]":
        """Those that have begun at least once."""
        rows: QuerySet[EpisodeState] = super().get_queryset(request).filter(index__gt=0)
        return rows


@admin.register(OwnHistory)
class OwnHistoryAdmin(HistoryAdmin):
    """What is usual for each asset, in percent of open interest in 15 minutes."""

    list_display = ("asset", "days", "low", "moderate", "high", "usual_price_move", "updated_at")
    search_fields = ("=asset",)
    ordering = ("asset",)
