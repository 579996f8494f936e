"""What does the database say of the market? Rules, watched assets and contracts, as values."""

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count, Max, QuerySet, Subquery, Sum

from alertsystem.prepared import Given, Prepared
from monitors import rulefile, universe
from monitors.market import Contract, Kind, Venue
from monitors.models import AssetChoice, CustomFloor, Market, OpenInterestSample, ThresholdRule
from monitors.thresholds import Rule, Rulebook
from monitors.venues.contracts import Contracts, of_rows

MARK_FRESH = timedelta(minutes=3)
DEFAULT_ASSETS = ("BTC", "ETH", "SOL", "XRP", "DOGE")

LAST_MARK = Prepared(
    lambda: (
        OpenInterestSample.objects.filter(
            market__asset=Given("asset"), occurred_at__gte=Given("since"), occurred_at__lte=Given("now"), mark_price__isnull=False
        )
        .order_by("-occurred_at")
        .values_list("mark_price", flat=True)[:1]
    )
)
IN_FORCE = Prepared(
    lambda: (
        ThresholdRule.objects.filter(kind=Given("kind"), asset__in=["", Given("asset")])
        .annotate(custom_floor=Subquery(_floors(Given("kind"), Given("asset")).order_by("value").values("value")[:1]))
        .order_by("-asset")[:1]
    )
)


def rulebook() -> Rulebook:
    """The rules and custom floors in force now."""
    floors = {(Kind(floor.kind), floor.asset): floor.value for floor in CustomFloor.objects.all()}
    return Rulebook.of((row.as_rule() for row in ThresholdRule.objects.all()), floors)


def rulebook_of(asset: str) -> Rulebook:
    """What is in force now for one asset."""
    either = ["", asset]
    floors = {(Kind(floor.kind), floor.asset): floor.value for floor in CustomFloor.objects.filter(asset__in=either)}
    return Rulebook.of((row.as_rule() for row in ThresholdRule.objects.filter(asset__in=either).order_by()), floors)


def in_force(kind: Kind, asset: str) -> tuple[Rule | None, Decimal | None]:
    """The rule of a kind and asset and the lowest custom threshold, as `rulebook_of` has them; of what is not watched neither."""
    row = IN_FORCE.first(kind=kind.value, asset=asset)
    return (None, None) if row is None or not row.enabled else (row.as_rule(), row.custom_floor)


def _floors(kind: Given, asset: Given) -> "QuerySet[CustomFloor]":
    return CustomFloor.objects.filter(kind=kind, asset__in=["", asset])


def all_rules() -> tuple[list[Rule], str]:
    """Every rule, also the ones that are switched off; the seeded ones while there is no database, and none is made.

    The text says why the database's own could not be read ("" when they could, or there is none).
    """
    if connection.vendor == "sqlite" and not Path(str(connection.settings_dict["NAME"])).exists():
        return rulefile.seeded(), ""
    try:
        return [row.as_rule() for row in ThresholdRule.objects.all()], ""
    except DatabaseError as error:
        return rulefile.seeded(), f"the rules cannot be read from the database ({str(error).strip()}); the seeded ones are used"


def watched_assets() -> tuple[str, ...]:
    """The assets whose liquidations alert: `ASSETS`, else the `MAX_ASSETS` of most turnover, else, before contracts are known, the usual ones.

    The operator's choices come on top.
    """
    return universe.watched(_ranked() or DEFAULT_ASSETS, _named(), settings.MAX_ASSETS, _choices())


def scanned_assets() -> tuple[str, ...]:
    """The assets whose open interest and volume are scanned: the `MAX_ASSETS` of most turnover and `ASSETS`, with the operator's choices on top."""
    return universe.scanned(_ranked() or DEFAULT_ASSETS, _named(), settings.MAX_ASSETS, _choices())


def _ranked() -> list[str]:
    """Every asset that is listed now, most turnover over the venues first."""
    ranked = Market.objects.filter(active=True, venue__in=settings.VENUES).order_by().values("asset").annotate(usd=Sum("turnover_usd"))
    return [row["asset"] for row in ranked.order_by("-usd", "asset")]


def _named() -> list[str]:
    return [asset.upper() for asset in settings.ASSETS]


def _choices() -> universe.Choices:
    chosen = dict(AssetChoice.objects.values_list("asset", "choice"))
    return universe.Choices(*([asset for asset, choice in chosen.items() if choice == which] for which in (AssetChoice.IN, AssetChoice.OUT)))


def scanned_markets(venue: Venue) -> dict[str, Market]:
    """The contracts of a venue whose open interest and volume are scanned, by the venue's own symbol, most turnover first."""
    return {row.venue_symbol: row for row in Market.objects.filter(venue=venue, active=True, asset__in=scanned_assets())}


def contracts() -> dict[Venue, Contracts]:
    """Every contract of each watched venue; a delisted one as well, for its last events."""
    rows: dict[Venue, list[Contract]] = {venue: [] for venue in settings.VENUES}
    for row in Market.objects.filter(venue__in=settings.VENUES).order_by():
        rows[Venue(row.venue)].append(row.as_contract())
    return {venue: of_rows(venue, of_venue) for venue, of_venue in rows.items()}


def venues_of_assets() -> dict[str, frozenset[Venue]]:
    """The venues that list each asset now."""
    venues: dict[str, set[Venue]] = {}
    for asset, venue in Market.objects.filter(active=True, venue__in=settings.VENUES).order_by().values_list("asset", "venue"):
        venues.setdefault(asset, set()).add(Venue(venue))
    return {asset: frozenset(listing) for asset, listing in venues.items()}


def markets_version() -> tuple[int, object]:
    """Changes whenever the contracts were refreshed."""
    found = Market.objects.aggregate(rows=Count("pk"), newest=Max("refreshed_at"))
    return found["rows"], found["newest"]


def venues_without_contracts() -> list[Venue]:
    """The watched venues of which no contract is known yet."""
    known = set(Market.objects.order_by().values_list("venue", flat=True).distinct())
    return [venue for venue in settings.VENUES if venue not in known]


def last_mark(asset: str, now: datetime) -> Decimal | None:
    """The newest mark that a scan of any venue brought, dollars per coin; None when there is none of the last minutes."""
    return LAST_MARK.first(asset=asset, since=now - MARK_FRESH, now=now)
