"""What is too old to keep? Rows past their retention go, older open interest samples become 5-minute points; in chunks, a slice at a time."""

import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models

from alertsystem import ending
from monitors.market import TIMEFRAME_MS, epoch_ms
from monitors.models import BlindSpot, CandleRow, FloorPeriod, Liquidation, Market, OpenInterestSample, PriceCandle, Signal

CHUNK = 2_000  # rows deleted at a time, so that no writer waits long
SLICE_S = 25.0  # a task must stay under its time limit; what is left follows in the next slice


def prune(now: datetime, slice_s: float = SLICE_S) -> tuple[int, bool]:
    """Delete what is older than its retention; returns how many rows went, and whether that was all."""
    until = time.monotonic() + slice_s
    deleted = 0
    for chunk in _chunks(now):
        if time.monotonic() >= until or ending.is_ending():
            return deleted, False
        deleted += chunk.delete()[0]
    return deleted, True


def surplus(samples: Iterable[tuple[int, int]]) -> list[int]:
    """The ids of the samples that are not the first of their 5 minutes; `samples` are id and epoch ms, in the order of their time."""
    found, last = [], None
    for sample_id, at_ms in samples:
        if at_ms // TIMEFRAME_MS == last:
            found.append(sample_id)
        last = at_ms // TIMEFRAME_MS
    return found


def _chunks(now: datetime) -> "Iterator[models.QuerySet[Any]]":
    """What has to go, a chunk at a time; each is gone when the next is asked for."""
    before = now - timedelta(days=settings.LIQUIDATION_RETENTION_DAYS)
    unneeded = Signal.objects.filter(received_at__lt=before, decided_at__isnull=False, decision__alert=None)  # `decision`: the trigger engine's, by its name
    yield from _of(Liquidation.objects.filter(received_at__lt=before))
    yield from _of(unneeded)
    yield from _of(PriceCandle.objects.filter(opened_at__lt=before))
    yield from _of(FloorPeriod.objects.filter(until__lt=before))
    yield from _of(BlindSpot.objects.filter(until__lt=before))
    oldest_point, oldest_candle = now - timedelta(days=settings.OI_POINTS_DAYS), now - timedelta(days=settings.CANDLE_DAYS)
    for market in Market.objects.order_by("pk"):  # their tables are indexed by market and time
        yield from _of(OpenInterestSample.objects.filter(market=market, occurred_at__lt=oldest_point))
        yield from _of(CandleRow.objects.filter(market=market, opened_at__lt=oldest_candle))
        yield from _thin(market, now - timedelta(days=settings.OI_FULL_DAYS))


def _of(rows: "models.QuerySet[Any]") -> "Iterator[models.QuerySet[Any]]":
    while keys := list(rows.order_by().values_list("pk", flat=True)[:CHUNK]):
        yield rows.model._default_manager.filter(pk__in=keys)


def _thin(market: Market, until: datetime) -> "Iterator[models.QuerySet[Any]]":
    """All but the first sample of each 5 minutes, from where the last thinning ended up to `until` (a whole 5 minutes)."""
    until -= timedelta(milliseconds=epoch_ms(until) % TIMEFRAME_MS, microseconds=until.microsecond % 1000)
    if market.thinned_until and market.thinned_until >= until:
        return
    samples = OpenInterestSample.objects.filter(market=market, occurred_at__lt=until)
    if market.thinned_until:
        samples = samples.filter(occurred_at__gte=market.thinned_until)
    times = ((pk, epoch_ms(at)) for pk, at in samples.order_by("occurred_at").values_list("pk", "occurred_at").iterator(CHUNK))
    keys = surplus(times)
    for first in range(0, len(keys), CHUNK):
        yield OpenInterestSample.objects.filter(pk__in=keys[first : first + CHUNK])
    Market.objects.filter(pk=market.pk).update(thinned_until=until)
