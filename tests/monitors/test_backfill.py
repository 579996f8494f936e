"""Is the past filled in from the venues' own history, in the units of the live samples, once, and from where it stopped?"""

import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from redis import Redis

from alertsystem.broker import key, redis_client
from alertsystem.celery import LAST, enqueue
from monitors import backfill_store, services
from monitors.backfill import LEASE, backfill
from monitors.budget import budget
from monitors.market import OpenInterest, Venue, epoch_ms, from_epoch_ms
from monitors.models import BackfillCursor, CandleRow, Lease, Market, OpenInterestSample
from monitors.tasks import fill_in
from monitors.venues.clients import client, client_of
from monitors.venues.oi_history import fetch_oi_history
from tests.fakes.venue_rest_history import past
from tests.fakes.venues import FakeVenues
from tests.harness import Processes, wait_until

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


@pytest.fixture
def venues(settings: Any, valkey: Redis, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[FakeVenues]:
    """The fakes, few assets, a shorter past, and a budget that does not slow a test down."""
    if "whole_past" not in request.keywords:
        monkeypatch.setattr(backfill_store, "SPANS", {"candles": DAY, "open_interest": 2 * DAY})
    settings.ASSETS, settings.MAX_ASSETS, settings.VENUE_BUDGET_PERCENT = ["PEPE"], 1, 1_000_000
    budget.cache_clear()
    client_of.cache_clear()
    with FakeVenues() as fakes:
        for name, url in fakes.env.items():
            setattr(settings, name, url)
        services.refresh_markets(timezone.now())
        if "whole_past" in request.keywords:
            Market.objects.filter(asset="PEPE").update(turnover_usd=1e12)  # three contracts are enough
        yield fakes
    budget.cache_clear()
    client_of.cache_clear()


def live_samples(fakes: FakeVenues) -> None:
    """What a first scan brings."""
    now = timezone.now()
    for row in Market.objects.filter(asset__in=("BTC", "PEPE")):
        listing = fakes.markets.find(row.venue, row.venue_symbol)
        assert listing is not None
        OpenInterestSample.objects.create(market=row, oi_base=listing.open_interest * listing.multiplier, occurred_at=now, received_at=now)


def run_to_the_end(slices: int = 30) -> None:
    """Slice after slice until nothing is missing."""
    for _ in range(slices):
        backfill()
        if not BackfillCursor.objects.filter(done=False).exists():
            return
    raise AssertionError(list(BackfillCursor.objects.filter(done=False).values("market__venue_symbol", "feed", "note")))


def history(fakes: FakeVenues, venue: Venue, symbol: str) -> tuple[OpenInterest, Any]:
    row = Market.objects.get(venue=venue, venue_symbol=symbol)
    now_ms = epoch_ms(timezone.now())
    page = fetch_oi_history(client(venue), row.as_contract(), now_ms, now_ms - 86_400_000)
    listing = fakes.markets.find(venue, symbol)
    assert listing is not None
    return page.samples[-1], listing


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("venue", "symbol"), [(Venue.BINANCE, "1000PEPEUSDT"), (Venue.BYBIT, "BTCUSDT"), (Venue.BYBIT, "1000PEPEUSDT"), (Venue.OKX, "PEPE-USDT-SWAP")]
)
def test_the_past_is_in_coins_of_the_asset_and_one_sided_on_every_venue(venues: FakeVenues, venue: Venue, symbol: str) -> None:
    sample, listing = history(venues, venue, symbol)
    assert float(sample.oi_base) == pytest.approx(float(past(listing, sample.occurred_at_ms) * listing.multiplier))
    if venue is Venue.BYBIT:
        assert sample.mark_price is None
    else:
        assert float(sample.mark_price or 0) == pytest.approx(float(listing.price / listing.multiplier))


@pytest.mark.django_db
@pytest.mark.whole_past
def test_seven_days_of_candles_and_what_each_venue_has_of_open_interest_are_filled_in(venues: FakeVenues) -> None:
    live_samples(venues)
    run_to_the_end()
    now = timezone.now()
    for row in Market.objects.filter(asset="PEPE"):
        candles = CandleRow.objects.filter(market=row).order_by("opened_at")
        assert candles.count() == pytest.approx(7 * 288 + 12, abs=2), row
        assert all(candle.closed for candle in candles)
        points = OpenInterestSample.objects.filter(market=row).order_by("occurred_at")
        days = {"binance": 29, "bybit": 29, "okx": 5}[row.venue]
        assert points.count() == pytest.approx(days * 288, abs=4), row
        assert points[0].occurred_at == pytest.approx(now - days * DAY, abs=10 * MINUTE)
        recent = points.filter(occurred_at__gt=now - 6 * DAY)
        unpriced = recent.filter(mark_price=None).count()
        assert unpriced <= 2, "the live one, and the step of a candle that is still open; all others get their marks from candles"
    assert not Market.objects.filter(pk__in=BackfillCursor.objects.values("market")).exclude(asset="PEPE").exists()


@pytest.mark.django_db
def test_a_second_time_brings_nothing_new_and_asks_nobody(venues: FakeVenues) -> None:
    live_samples(venues)
    run_to_the_end()
    rows, asked = (CandleRow.objects.count(), OpenInterestSample.objects.count()), len(venues.requests("okx"))
    assert backfill() == 0
    assert (rows, asked) == ((CandleRow.objects.count(), OpenInterestSample.objects.count()), len(venues.requests("okx")))


@pytest.mark.django_db
def test_a_first_page_of_open_interest_comes_before_more_of_one_contract(venues: FakeVenues) -> None:
    live_samples(venues)
    backfill()
    asked = [request.query["symbol"] for request in venues.requests("bybit", "open-interest")]
    assert set(asked[:3]) == {"BTCUSDT", "BTCPERP", "1000PEPEUSDT"}


@pytest.mark.django_db
def test_open_interest_waits_for_a_live_sample_and_is_not_used_when_it_is_counted_otherwise(venues: FakeVenues) -> None:
    backfill(slice_s=2)
    assert not BackfillCursor.objects.filter(feed="open_interest", rows__gt=0).exists()
    live_samples(venues)
    OpenInterestSample.objects.filter(market__venue="bybit").update(oi_base=Decimal(1))
    run_to_the_end()
    notes = BackfillCursor.objects.filter(feed="open_interest", market__venue="bybit").values_list("note", "rows")
    assert set(notes) == {(backfill_store.ODD_UNITS, 0)}
    assert OpenInterestSample.objects.filter(market__venue="bybit").count() == len(notes)


@pytest.mark.django_db
def test_a_contract_that_was_listed_yesterday_is_filled_in_since_then(venues: FakeVenues) -> None:
    listed_ms = epoch_ms(timezone.now() - DAY / 2)
    venues.markets.listings = [replace(listing, listed_ms=listed_ms) for listing in venues.markets.listings]
    services.refresh_markets(timezone.now())
    live_samples(venues)
    run_to_the_end()
    assert CandleRow.objects.filter(market__venue_symbol="BTCUSDT", market__venue="binance").count() == pytest.approx(144, abs=2)
    assert OpenInterestSample.objects.filter(market__venue_symbol="BTCUSDT", market__venue="bybit").count() == pytest.approx(145, abs=2)
    assert BackfillCursor.objects.get(market__venue_symbol="BTCUSDT", market__venue="bybit", feed="open_interest").from_at == from_epoch_ms(listed_ms)


@pytest.mark.django_db
def test_what_was_missed_while_the_system_was_down_is_filled_in(venues: FakeVenues) -> None:
    live_samples(venues)
    run_to_the_end()
    now = timezone.now()
    gap = (now - 3 * 60 * MINUTE, now - MINUTE)
    CandleRow.objects.filter(opened_at__range=gap).delete()
    Lease.objects.filter(name=LEASE).update(until=gap[0])
    whole = CandleRow.objects.count()
    run_to_the_end()
    assert CandleRow.objects.count() - whole == pytest.approx(36 * Market.objects.filter(asset__in=("BTC", "PEPE")).count(), abs=12)


@pytest.mark.django_db
def test_a_refused_contract_and_a_venue_that_is_away_cost_only_themselves(venues: FakeVenues) -> None:
    live_samples(venues)
    venues.rest_answers("okx", 503, "maintenance", times=1_000)
    venues.markets.listings = [listing for listing in venues.markets.listings if listing.symbol != "BTCPERP"]
    for _ in range(10):
        backfill()
        if not BackfillCursor.objects.filter(done=False).exclude(market__venue="okx").exists():
            break
    done = {(row.market.venue, row.market.venue_symbol): row for row in BackfillCursor.objects.filter(feed="candles")}
    assert done["bybit", "BTCUSDT"].done and done["binance", "BTCUSDT"].rows > 280
    assert done["bybit", "BTCPERP"].done and "Bybit over REST" in done["bybit", "BTCPERP"].note
    assert not done["okx", "BTC-USDT-SWAP"].done and done["okx", "BTC-USDT-SWAP"].rows == 0


@pytest.mark.django_db
def test_no_second_worker_runs_beside_the_first(venues: FakeVenues) -> None:
    Lease.objects.create(name=LEASE, holder="another", until=timezone.now() + MINUTE)
    assert backfill() == 0
    assert not BackfillCursor.objects.exists()


@pytest.mark.whole_past
@pytest.mark.django_db(transaction=True)
def test_a_kill_in_the_middle_loses_nothing_and_the_next_goes_on(venues: FakeVenues, processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    live_samples(venues)
    env = {**venues.env, "ASSETS": "PEPE", "MAX_ASSETS": "1", "VENUE_BUDGET_PERCENT": "20"}
    worker = processes.manage("shell", "-c", "from monitors.backfill import backfill; backfill()", env=env)
    wait_until(lambda: CandleRow.objects.count() > 500, 20, "some candles")
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    cursors = list(BackfillCursor.objects.filter(feed="candles"))
    assert sum(cursor.rows for cursor in cursors) == CandleRow.objects.count()
    assert not all(cursor.done for cursor in cursors)
    Lease.objects.filter(name=LEASE).update(until=timezone.now())
    BackfillCursor.objects.filter(feed="open_interest").delete()
    monkeypatch.setattr(backfill_store, "SPANS", {"candles": 7 * DAY + 60 * MINUTE})
    asked = len(venues.requests("bybit", "kline"))
    run_to_the_end()
    assert [CandleRow.objects.filter(market=cursor.market).count() for cursor in cursors] == pytest.approx([2028] * len(cursors), abs=2)
    assert len(venues.requests("bybit", "kline")) - asked < 22 * 3, "what was there is not asked for again"


@pytest.mark.whole_past
@pytest.mark.django_db(transaction=True)
def test_a_worker_told_to_end_does_not_finish_its_slice(venues: FakeVenues, processes: Processes) -> None:
    live_samples(venues)
    env = {**venues.env, "ASSETS": "PEPE", "MAX_ASSETS": "1", "VENUE_BUDGET_PERCENT": "20"}
    [worker] = processes.celery_workers("scans", env=env)
    enqueue("monitors.backfill", priority=LAST)
    wait_until(lambda: CandleRow.objects.count() > 500, 20, "some candles")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(5) == 0, "a slice takes half a minute"
    assert BackfillCursor.objects.filter(done=False).exists()
    assert Lease.objects.get(name=LEASE).holder == "", "the next worker goes on at once"


@pytest.mark.django_db
def test_requests_are_paced_by_the_budget_that_all_share(venues: FakeVenues, settings: Any) -> None:
    settings.VENUE_BUDGET_PERCENT = 1  # of 600 requests in 5 s on Bybit, 20 in 2 s on OKX
    budget.cache_clear()
    asked = {venue: len(venues.requests(venue)) for venue in ("bybit", "okx")}
    backfill(slice_s=4)
    assert 2 <= len(venues.requests("bybit")) - asked["bybit"] <= 6
    assert len(venues.requests("okx")) - asked["okx"] <= 3


@pytest.mark.django_db
def test_a_feed_that_waits_for_its_budget_holds_the_venues_other_one_up_in_nothing(venues: FakeVenues) -> None:
    """While scans take Binance's weight candles have to wait; its statistics are counted apart, and go on."""
    live_samples(venues)
    burst_s = 60 / 9  # of a minute's budget a tenth may go at once, before the even pace of the rest
    redis_client().set(key("budget", Venue.BINANCE, ""), int((time.time() + burst_s + 5) * 1_000_000))
    backfill()
    candles_from = min(request.at for request in venues.requests("binance", "klines"))
    assert sum(request.at < candles_from for request in venues.requests("binance", "openInterestHist")) >= 3


@pytest.mark.django_db
def test_slice_follows_slice_while_rows_come(venues: FakeVenues, valkey: Redis) -> None:
    live_samples(venues)
    assert fill_in() > 0
    assert valkey.llen("alertsystem:scans:9") == 1
    while fill_in():
        pass
    asked_for = valkey.llen("alertsystem:scans:9")
    assert fill_in() == 0
    assert valkey.llen("alertsystem:scans:9") == asked_for, "a minute later beat looks again"


@pytest.mark.django_db
def test_a_limit_that_is_reached_ends_the_slice_of_that_venue_only(venues: FakeVenues) -> None:
    live_samples(venues)
    venues.rest_answers("okx", 429, "", {"Retry-After": "30"}, times=1_000, path="history")
    backfill()
    assert len(venues.requests("okx", "history")) <= 2, "one in each lane"
    assert not BackfillCursor.objects.exclude(market__venue="okx").filter(done=False).exists()
    assert "asks it for 30 s" in BackfillCursor.objects.filter(market__venue="okx").exclude(note="").values_list("note", flat=True)[0]
