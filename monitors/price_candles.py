"""What was the mark price of an asset in each minute? From the table, and what is missing there from the venue, in as few requests as possible."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings

from monitors.budget import SPARE
from monitors.market import MINUTE_MS, TIMEFRAME_MS, Contract, PriceCandle, Venue, epoch_ms, from_epoch_ms
from monitors.models import CandleRow, Market
from monitors.models import PriceCandle as PriceCandleRow
from monitors.venues.clients import client
from monitors.venues.price_candles import MOST, fetch_price_candles

PREFERRED = (Venue.BINANCE, Venue.BYBIT, Venue.OKX)


def contracts_of(asset: str) -> list[Contract]:
    """The contract of most turnover on each watched venue, those that trade first, then in the order of preference."""
    rows = Market.objects.filter(asset=asset, venue__in=settings.VENUES).order_by("-active", "-turnover_usd", "venue_symbol")
    of_venue: dict[Venue, Market] = {}
    for row in rows:
        of_venue.setdefault(Venue(row.venue), row)
    found = sorted(of_venue.items(), key=lambda entry: (not entry[1].active, PREFERRED.index(entry[0])))
    return [row.as_contract() for _, row in found]


def stored(venue: Venue, asset: str, first_ms: int, last_ms: int) -> dict[int, PriceCandle]:
    """The stored minutes that opened from `first_ms` to `last_ms`, by their open times."""
    rows = PriceCandleRow.objects.filter(asset=asset, venue=venue, opened_at__gte=from_epoch_ms(first_ms), opened_at__lte=from_epoch_ms(last_ms))
    values = rows.order_by().values_list("opened_at", "open", "high", "low", "close")
    return {(at_ms := epoch_ms(at)): PriceCandle(venue, asset, at_ms, opened, high, low, close, True) for at, opened, high, low, close in values}


def price_candles(contract: Contract, wanted_ms: Iterable[int], patience_s: float = 20.0) -> dict[int, PriceCandle]:
    """The minutes that opened at `wanted_ms`, as far as they are stored or the venue has them; raises MarketDataError.

    Closed ones are stored; the one that is still open comes as it stands now.
    """
    wanted = set(wanted_ms)
    if not wanted:
        return {}
    found = stored(contract.venue, contract.asset, min(wanted), max(wanted))
    for first_ms, last_ms in requests_for(wanted - set(found), MOST[contract.venue]):
        fetched = fetch_price_candles(client(contract.venue), contract, first_ms, last_ms, SPARE[contract.venue], patience_s)
        _save([candle for candle in fetched if candle.closed])
        found |= {candle.opened_at_ms: candle for candle in fetched}
    return found


def closes(contract: Contract, since: datetime, until: datetime) -> dict[int, float]:
    """The closes of the contract's stored 5-minute candles that opened from `since` on and closed by `until`, by their open times."""
    rows = CandleRow.objects.filter(market__venue=contract.venue, market__venue_symbol=contract.venue_symbol, closed=True, opened_at__gte=since)
    ended = rows.filter(opened_at__lte=until - timedelta(milliseconds=TIMEFRAME_MS))
    return {epoch_ms(at): close for at, close in ended.order_by().values_list("opened_at", "close")}


def requests_for(wanted_ms: Iterable[int], most: int) -> list[tuple[int, int]]:
    """The fewest requests of at most `most` minutes each that bring all the wanted ones: first and last open time of each."""
    found: list[tuple[int, int]] = []
    for at in sorted(wanted_ms):
        if found and at - found[-1][0] < most * MINUTE_MS:
            found[-1] = (found[-1][0], at)
        else:
            found.append((at, at))
    return found


def _save(candles: Iterable[PriceCandle]) -> None:
    rows = [
        PriceCandleRow(
            venue=candle.venue,
            asset=candle.asset,
            opened_at=from_epoch_ms(candle.opened_at_ms),
            open=candle.open,
            high=candle.high,
            low=candle.low,
            close=candle.close,
        )
        for candle in candles
    ]
    PriceCandleRow.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
