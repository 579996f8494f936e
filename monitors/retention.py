"""What is too old to keep? Rows past their retention go, older open interest samples become 5-minute points; in chunks, a slice at a time."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models

from alertsystem import pruning
from alertsystem.pruning import SLICE_S, chunks_of, delete
from monitors.market import TIMEFRAME_MS, epoch_ms
from monitors.models import BlindSpot, CandleRow, FloorPeriod, Liquidation, Market, OpenInterestSample, PriceCandle, Signal


def prune(now: datetime, slice_s: float = SLICE_S) -> tuple[int, bool]:
    """Delete what is older than its retention; returns how many rows went, and whether that was all."""
    return delete(_old(now), slice_s)


def surplus(samples: Iterable[tuple[int, int]]) -> list[int]:
    """The ids of the samples that are not the first of their 5 minutes; `samples` are id and epoch ms, in the order of their time."""
    found, last = [], None
    for sample_id, at_ms in samples:
        if at_ms // TIMEFRAME_MS == last:
            found.append(sample_id)
        last = at_ms // TIMEFRAME_MS
    return found


def _old(now: datetime) -> "Iterator[models.QuerySet[Any]]":
    """What has to go, a chunk at a time; each is gone when the next is asked for."""
    before = now - timedelta(days=settings.LIQUIDATION_RETENTION_DAYS)
    unneeded = Signal.objects.filter(received_at__lt=before, decided_at__isnull=False, decision__alert=None)  # `decision`: the trigger engine's, by its name
    yield from chunks_of(Liquidation.objects.filter(received_at__lt=before))
    yield from chunks_of(unneeded)
    yield from chunks_of(PriceCandle.objects.filter(opened_at__lt=before))
    yield from chunks_of(FloorPeriod.objects.filter(until__lt=before))
    yield from chunks_of(BlindSpot.objects.filter(until__lt=before))
    oldest_point, oldest_candle = now - timedelta(days=settings.OI_POINTS_DAYS), now - timedelta(days=settings.CANDLE_DAYS)
    for market in Market.objects.order_by("pk"):  # their tables are indexed by market and time
        yield from chunks_of(OpenInterestSample.objects.filter(market=market, occurred_at__lt=oldest_point))
        yield from chunks_of(CandleRow.objects.filter(market=market, opened_at__lt=oldest_candle))
        yield from _thin(market, now - timedelta(days=settings.OI_FULL_DAYS))


def _thin(market: Market, until: datetime) -> "Iterator[models.QuerySet[Any]]":
    """All but the first sample of each 5 minutes, from where the last thinning ended up to `until` (a whole 5 minutes)."""
    until -= timedelta(milliseconds=epoch_ms(until) % TIMEFRAME_MS, microseconds=until.microsecond % 1000)
    if market.thinned_until and market.thinned_until >= until:
        return
    samples = OpenInterestSample.objects.filter(market=market, occurred_at__lt=until)
    if market.thinned_until:
        samples = samples.filter(occurred_at__gte=market.thinned_until)
    times = ((pk, epoch_ms(at)) for pk, at in samples.order_by("occurred_at").values_list("pk", "occurred_at").iterator(pruning.CHUNK))
    keys = surplus(times)
    for first in range(0, len(keys), pruning.CHUNK):
        yield OpenInterestSample.objects.filter(pk__in=keys[first : first + pruning.CHUNK])
    Market.objects.filter(pk=market.pk).update(thinned_until=until)
