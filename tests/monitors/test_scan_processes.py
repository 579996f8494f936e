"""Do worker processes share the scans? Two of them never scan one venue at once, and what they find is one story."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone

from alertsystem.broker import redis_client
from alertsystem.celery import USUAL, enqueue
from monitors.market import Venue
from monitors.models import EpisodeState, Lease, OpenInterestSample, ScanStatus, Signal
from tests import harness
from tests.fakes.venues import FakeVenues
from tests.monitors.scanning import past_samples, scanned_venues, status

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def venues(settings: Any, processes: harness.Processes) -> Iterator[FakeVenues]:
    with scanned_venues(settings, ["BTC", "ETH", "SOL", "XRP", "DOGE"]) as fakes:
        yield fakes


def start_workers(processes: harness.Processes, venues: FakeVenues, workers: int = 2) -> None:
    env = {**venues.env, "ASSETS": "BTC,ETH,SOL,XRP,DOGE", "MAX_ASSETS": "1"}
    for _ in range(workers):
        processes.celery_workers("scans", concurrency=2, env=env)


def scan(times: int = 1, kind: str = "open_interest") -> None:
    for _ in range(times):
        for venue in Venue:
            enqueue(f"monitors.scan_{kind}", venue.value, priority=USUAL)


def all_scanned(since: Any) -> bool:
    return ScanStatus.objects.filter(kind="open_interest", succeeded_at__gt=since).count() == len(Venue)


def test_two_workers_never_scan_one_venue_at_once(processes: harness.Processes, venues: FakeVenues) -> None:
    start_workers(processes, venues)
    scan(times=8)
    harness.wait_until(lambda: redis_client().llen("alertsystem:scans:6") == 0 and all_scanned(timezone.now() - timedelta(minutes=1)), 40)
    for venue in ("bybit", "okx"):
        asked = [request.at for request in venues.requests(venue) if not request.path.endswith("/time")]
        assert asked and all(later > earlier for earlier, later in pairwise(asked))
    samples = OpenInterestSample.objects.filter(market__venue="binance", market__symbol="BTC/USDT:USDT")
    assert samples.count() == len({row.occurred_at for row in samples}) >= 1


def test_workers_of_three_venues_write_one_story(processes: harness.Processes, venues: FakeVenues) -> None:
    start_workers(processes, venues)
    before = timezone.now()
    scan()
    harness.wait_until(lambda: all_scanned(before) and not Lease.objects.exclude(holder="").exists(), 40)
    past_samples(20, change="0.98")
    again = timezone.now()
    scan(times=3)
    harness.wait_until(lambda: all_scanned(again) and Signal.objects.filter(asset="BTC").exists(), 40)
    for asset in ("BTC", "ETH", "SOL"):
        signals = list(Signal.objects.filter(asset=asset, direction="UP").order_by("id"))
        assert [signal.number for signal in signals] == list(range(1, len(signals) + 1))
        assert {signal.episode for signal in signals} == {1}
        harness.wait_until(partial(is_up_to_date, asset))


def is_up_to_date(asset: str) -> bool:
    """Whether the stored episode has counted every signal of the asset."""
    return EpisodeState.objects.get(asset=asset, direction="UP").number == Signal.objects.filter(asset=asset, direction="UP").count()


def test_a_pause_in_one_process_holds_in_the_other(processes: harness.Processes, venues: FakeVenues) -> None:
    start_workers(processes, venues)
    venues.rest_answers("okx", 429, "", {"Retry-After": "60"}, path="open-interest")
    enqueue("monitors.scan_open_interest", "okx", priority=USUAL)
    harness.wait_until(lambda: ScanStatus.objects.filter(venue="okx", paused_until__gt=timezone.now()).exists(), 30)
    asked = len(venues.requests("okx"))
    scan(times=4, kind="volume")
    scan(times=4)
    harness.wait_until(lambda: ScanStatus.objects.filter(venue="bybit", succeeded_at__isnull=False).count() == 2, 40)
    assert len(venues.requests("okx")) == asked
    assert "429" in status("okx").note
