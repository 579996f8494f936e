"""How does a venue's volume become signals? One slice: fetch the newest candles of each contract, save them, have them judged."""

from collections.abc import Collection, Iterable

from django.db.models import Max
from django.utils import timezone

from monitors.budget import FOR_SINGLE_ONES
from monitors.judge_volume import judge_volume
from monitors.market import TIMEFRAME_MS, Candle, Contract, Kind, Venue, epoch_ms, from_epoch_ms
from monitors.models import CandleRow, Market
from monitors.scan import SLICE_S, Slice, run_slice
from monitors.second_look import Markets, SecondLook, one_by_one
from monitors.venues.candles import MOST, fetch_candles
from monitors.venues.clients import client

SETTLED_MS = 5_000  # after its end a candle is asked for: the last trades are in it then
AGAIN = 4  # candles that a second look asks for: the open one, and those that had ended by the last scan
UPDATED = ["open", "close", "volume_usd", "closed", "received_at"]


def too_early_s(venue: Venue) -> float:
    """How long to wait until the candle that has just ended at the venue is settled; 0 at any other time."""
    venue_now_ms = epoch_ms(timezone.now()) + client(venue).offset_ms
    return max(0, SETTLED_MS - venue_now_ms % TIMEFRAME_MS) / 1000


def scan_volume(venue: Venue, slice_s: float = SLICE_S) -> int:
    """Fetch the newest candles of the venue's scanned contracts and judge their assets; returns how many signals were raised."""
    return run_slice(venue, Kind.VOLUME, _sample, lambda piece: judge_volume(piece, _look_again), slice_s)


def _sample(piece: Slice) -> None:
    """Save the candles since the newest closed one of each contract."""
    markets = piece.markets
    now_ms = piece.client.now_ms()
    newest_ms = _newest_closed_ms(markets.values(), now_ms)

    def fetch(contract: Contract) -> list[Candle]:
        limit = _missing(newest_ms.get(markets[contract.venue_symbol].pk), now_ms)
        return fetch_candles(piece.client, contract, limit, spare=FOR_SINGLE_ONES[piece.venue], patience_s=piece.left_s)

    found = piece.each([market.as_contract() for market in markets.values()], fetch)
    fresh = _with_markets(markets, (candle for candles in found for candle in candles))
    save_candles([(market, candle) for market, candle in fresh if candle.opened_at_ms > newest_ms.get(market.pk, 0)])
    piece.sampled = sum(bool(candles) for candles in found)


def _with_markets(markets: Markets, candles: Iterable[Candle]) -> list[tuple[Market, Candle]]:
    by_symbol = {market.symbol: market for market in markets.values()}
    return [(by_symbol[candle.symbol], candle) for candle in candles]


def save_candles(candles: Iterable[tuple[Market, Candle]]) -> None:
    """Store the candles, over what was stored of them while they were open."""
    now = timezone.now()
    rows = [
        CandleRow(
            market=market,
            opened_at=from_epoch_ms(candle.opened_at_ms),
            open=candle.open,
            close=candle.close,
            volume_usd=candle.volume_usd,
            closed=candle.closed,
            received_at=now,
        )
        for market, candle in candles
    ]
    CandleRow.objects.bulk_create(rows, update_conflicts=True, unique_fields=["market", "opened_at"], update_fields=UPDATED, batch_size=500)


def _newest_closed_ms(markets: Collection[Market], now_ms: int) -> dict[int, int]:
    """Open time of the newest closed candle that is stored, by market; none for one that is missing more than a request brings."""
    since = from_epoch_ms(now_ms - MOST * TIMEFRAME_MS)
    rows = CandleRow.objects.filter(market__in=list(markets), closed=True, opened_at__gte=since).order_by().values_list("market")
    return {market: epoch_ms(newest) for market, newest in rows.annotate(Max("opened_at"))}


def _missing(newest_ms: int | None, now_ms: int) -> int:
    """How many candles to ask for: those since the newest closed one, at least the last closed one and the open one; one request brings them all."""
    return MOST if newest_ms is None else min(MOST, max(2, (now_ms - newest_ms) // TIMEFRAME_MS))


def _look_again(second_look: SecondLook) -> None:
    """Save the newest candles of the contracts that are asked for once more."""
    for markets, candles in second_look.take(_ask_again):
        save_candles(_with_markets(markets, candles))


def _ask_again(venue: Venue, markets: Markets, left_s: float) -> list[Candle]:
    """In a thread, so nothing here touches the database."""
    found = one_by_one(markets, left_s, lambda market, patience_s: fetch_candles(client(venue), market.as_contract(), AGAIN, patience_s=patience_s))
    return [candle for candles in found.values() for candle in candles]
