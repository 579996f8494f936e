"""What is known of the hour around an alert? Mark prices from a venue, and what is stored of liquidations, open interest or volume."""

from datetime import datetime

from django.db.models import FloatField
from django.db.models.functions import Cast

from alerts.models import Alert
from alerts.rules.chart import LEAST_MINUTES, SILENT_MS, Bars, Line, Picture, a_minute, summed, window
from alerts.rules.summary import story
from monitors import price_candles
from monitors.market import MINUTE_MS, TIMEFRAME_MS, Direction, Kind, PriceCandle, epoch_ms, from_epoch_ms
from monitors.models import CandleRow, Liquidation, OpenInterestSample
from monitors.venues.troubles import MarketDataError

NO_PRICES = "no mark prices of that hour are to be had"


class NoPicture(Exception):
    """There is nothing to draw; `later`: it may be tried again."""

    def __init__(self, reason: str, later: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.later = reason, later


def picture_of(alert: Alert, now: datetime, patience_s: float) -> Picture:
    """The chart of an alert as values; raises NoPicture."""
    start_ms, end_ms = window(epoch_ms(alert.peak.received_at), epoch_ms(now))
    prices = _prices(alert.asset, start_ms, end_ms, patience_s)
    opened_ms = epoch_ms(alert.opened_at)
    return Picture(
        title=story(alert.asset, Kind(alert.kind), Direction(alert.direction)),  # not how much: the picture stays when that has risen
        venue=prices[0].venue.title,
        start_ms=start_ms,
        end_ms=end_ms,
        prices=prices,
        opened_ms=opened_ms if start_ms <= opened_ms <= end_ms else None,
        below=_below(Kind(alert.kind), alert.asset, start_ms, end_ms),
    )


def _prices(asset: str, start_ms: int, end_ms: int, patience_s: float) -> list[PriceCandle]:
    """Of the first venue that answers with enough of them."""
    silent = False
    for contract in price_candles.contracts_of(asset):
        try:
            found = price_candles.price_candles(contract, range(start_ms, end_ms, MINUTE_MS), patience_s)
        except MarketDataError:
            silent = True
            continue
        if len(found) >= LEAST_MINUTES:
            return [found[at] for at in sorted(found)]
    raise NoPicture(NO_PRICES, later=silent)


def _below(kind: Kind, asset: str, start_ms: int, end_ms: int) -> Bars | Line | None:
    match kind:
        case Kind.OPEN_INTEREST:
            return _open_interest(asset, start_ms, end_ms)
        case Kind.VOLUME:
            return _volume(asset, start_ms, end_ms)
    return _liquidations(asset, start_ms, end_ms)


def _liquidations(asset: str, start_ms: int, end_ms: int) -> Bars | None:
    """What detection counted; the venues do not send all of it."""
    counted = Liquidation.objects.filter(asset=asset, kept_out="", occurred_at__gte=from_epoch_ms(start_ms), occurred_at__lt=from_epoch_ms(end_ms)).order_by()
    rows = list(counted.values_list("position_side", "occurred_at", Cast("notional_usd", FloatField())))
    sides = {side: a_minute((epoch_ms(at), usd) for of, at, usd in rows if of == side) for side in (Direction.LONG, Direction.SHORT)}
    parts = (("longs", sides[Direction.LONG]), ("shorts", sides[Direction.SHORT]))
    return Bars("liquidations", "Liquidated in a minute, at least, $", MINUTE_MS, parts) if rows else None


def _open_interest(asset: str, start_ms: int, end_ms: int) -> Line | None:
    since, until = from_epoch_ms(start_ms - SILENT_MS), from_epoch_ms(end_ms)
    samples = OpenInterestSample.objects.filter(market__asset=asset, occurred_at__gte=since, occurred_at__lte=until).order_by("occurred_at")
    rows = samples.values_list("market_id", "occurred_at", Cast("oi_base", FloatField()))
    points = summed(((str(market), epoch_ms(at), coins) for market, at, coins in rows), start_ms, end_ms)
    return Line("open interest", "Open interest of all venues, coins", points) if points else None


def _volume(asset: str, start_ms: int, end_ms: int) -> Bars | None:
    """5-minute candles of all contracts; the first and the last may stand for a part of their time."""
    first = from_epoch_ms(start_ms // TIMEFRAME_MS * TIMEFRAME_MS)
    rows = CandleRow.objects.filter(market__asset=asset, opened_at__gte=first, opened_at__lt=from_epoch_ms(end_ms)).order_by()
    sums: dict[int, float] = {}
    for at, usd in rows.values_list("opened_at", "volume_usd"):
        sums[epoch_ms(at)] = sums.get(epoch_ms(at), 0.0) + usd
    return Bars("volume", "Volume of all venues in 5 minutes, $", TIMEFRAME_MS, (("", sums),)) if sums else None
