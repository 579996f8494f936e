"""Where does what the backfill brought go? Samples and candles into their tables, with marks, and only in the units of the live ones."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from monitors.market import Candle, OpenInterest, from_epoch_ms
from monitors.models import BackfillCursor, CandleRow, Market, OpenInterestSample
from monitors.scan_volume import save_candles

SEAM = timedelta(minutes=10)  # how far the newest step of the past may be from the live sample that it is compared with
LIKE = Decimal("0.20")  # by how much they may differ: twice as much is a venue that counts both sides in one of the answers


def like_live(market: Market, newest: OpenInterest) -> bool:
    """Whether the past is in the units of the live samples, as far as the nearest of them tells."""
    at = from_epoch_ms(newest.occurred_at_ms)
    near = OpenInterestSample.objects.filter(market=market, occurred_at__gte=at - SEAM, occurred_at__lte=at + SEAM).values_list("occurred_at", "oi_base")
    live = min(near, key=lambda row: abs(row[0] - at), default=None)
    return live is None or abs(newest.oi_base - live[1]) <= LIKE * live[1]


def store_samples(cursor: BackfillCursor, samples: Sequence[OpenInterest], now: datetime) -> int:
    """Those that are wanted; one that is there already stays. Returns how many came."""
    wanted = [sample for sample in samples if from_epoch_ms(sample.occurred_at_ms) >= cursor.from_at]
    prices = _prices(cursor, wanted)
    rows = [
        OpenInterestSample(market=cursor.market, oi_base=sample.oi_base, mark_price=sample.mark_price or prices.get(at), occurred_at=at, received_at=now)  # type: ignore[misc]  # the price may be null
        for sample in wanted
        for at in [from_epoch_ms(sample.occurred_at_ms)]
    ]
    OpenInterestSample.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _prices(cursor: BackfillCursor, samples: Sequence[OpenInterest]) -> dict[datetime, Decimal]:
    """Bybit tells no marks of the past: the price at which the contract's candle of that moment opened."""
    if not samples or samples[0].mark_price is not None:
        return {}
    span = (from_epoch_ms(samples[0].occurred_at_ms), from_epoch_ms(samples[-1].occurred_at_ms))
    opened = CandleRow.objects.filter(market=cursor.market, opened_at__range=span).values_list("opened_at", "open")
    return {at: Decimal(str(price)) for at, price in opened}


def store_candles(cursor: BackfillCursor, candles: Sequence[Candle]) -> int:
    """Finished ones only; one that a scan left unfinished is replaced. Samples that came before them get their marks."""
    opened = {from_epoch_ms(candle.opened_at_ms): candle for candle in candles}
    wanted = [(cursor.market, candle) for at, candle in opened.items() if candle.closed and at >= cursor.from_at]
    save_candles(wanted)
    unpriced = list(OpenInterestSample.objects.filter(market=cursor.market, mark_price=None, occurred_at__in=opened))
    for sample in unpriced:
        sample.mark_price = Decimal(str(opened[sample.occurred_at].open))
    OpenInterestSample.objects.bulk_update(unpriced, ["mark_price"])
    return len(wanted)
