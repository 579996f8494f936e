"""What is usual for each asset? Its ladder from the stored open interest of up to 90 days, worked out again every hour, a slice at a time."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby

from django.db.models import FloatField, Max
from django.db.models.functions import Cast

from alertsystem import ending
from monitors import selectors
from monitors.backfill_store import OPEN_INTEREST
from monitors.detectors.own_changes import Reading, own_ladder
from monitors.detectors.own_history import DAYS
from monitors.market import epoch_ms
from monitors.models import BackfillCursor, Market, OpenInterestSample, OwnHistory

SLICE_S = 25.0  # a task must stay under its time limit; what is left follows in the next slice
EVERY = timedelta(minutes=50)  # a ladder younger than this is not worked out again
CHUNK = 5_000
LADDER = ("days", "low", "moderate", "high", "usual_price_move")


def update_own_histories(now: datetime, slice_s: float = SLICE_S) -> tuple[int, bool]:
    """Work out the ladders that are due, the oldest first; returns how many, and whether those were all."""
    until = time.monotonic() + slice_s
    due = _due(now)
    for done, asset in enumerate(due):
        if time.monotonic() >= until or ending.is_ending():
            return done, False
        update_own_history(asset, now)
    return len(due), True


def update_own_history(asset: str, now: datetime) -> OwnHistory:
    """Work out the ladder of one asset, over the contracts that it has now."""
    ladder = own_ladder(_readings(asset, now))
    values = {name: getattr(ladder, name) for name in LADDER}
    return OwnHistory.objects.update_or_create(asset=asset, defaults={**values, "updated_at": now})[0]


def _due(now: datetime) -> list[str]:
    """The scanned assets whose ladder is old, or older than the newest part of the past that was filled in."""
    updated = dict(OwnHistory.objects.values_list("asset", "updated_at"))
    backfilled = BackfillCursor.objects.filter(feed=OPEN_INTEREST, done=True).order_by().values_list("market__asset")
    filled = dict(backfilled.annotate(at=Max("updated_at")))
    never = now - timedelta(days=DAYS)
    at = {asset: updated.get(asset, never) for asset in selectors.scanned_assets()}
    return sorted((asset for asset in at if at[asset] <= max(now - EVERY, filled.get(asset, never))), key=lambda asset: at[asset])


def _readings(asset: str, now: datetime) -> Iterator[list[Reading]]:
    """The readings of each contract, in the order of their time."""
    markets = Market.objects.filter(asset=asset, active=True).values_list("pk", flat=True)
    samples = OpenInterestSample.objects.filter(market__in=list(markets), occurred_at__gte=now - timedelta(days=DAYS)).order_by("market", "occurred_at")
    rows = samples.values_list("market", "occurred_at", Cast("oi_base", FloatField()), Cast("mark_price", FloatField())).iterator(CHUNK)
    for _, of_market in groupby(rows, key=lambda row: row[0]):
        yield [Reading(epoch_ms(at), coins, price) for _, at, coins, price in of_market]
