"""Does the liquidation monitor, with real sockets and a real database, save, detect and report?"""

import json
import logging
import time
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from redis import Redis

from monitors import saver
from monitors.liquidation_monitor import LiquidationMonitor
from monitors.market import Venue
from monitors.models import BlindSpot, FeedStatus, Liquidation, Market, ThresholdRule
from monitors.venues.registry import FEEDS
from tests.fakes.venues import FakeVenues
from tests.harness import wait_until
from tests.monitors.road import binance, bybit, feed, now_ms, okx, saved_dollars, signals

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def venues(settings: Any) -> Iterator[FakeVenues]:
    with FakeVenues() as fakes:
        for name, url in fakes.env.items():
            setattr(settings, name, url)
        settings.ASSETS = ["BTC", "ETH"]
        yield fakes


@pytest.fixture
def monitor(venues: FakeVenues, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiquidationMonitor]:
    monkeypatch.setattr("monitors.liquidation_monitor.HOUSEKEEPING_EVERY_S", 0.1)
    running = LiquidationMonitor({venue: replace(spec, silent_limit_s=1.5) for venue, spec in FEEDS.items() if venue is Venue.BINANCE})
    venues.timing.binance_marks = 0.2
    running.start()
    venues.wait_for_subscribers()
    yield running
    running.stop()


def list_on_okx(asset: str = "BTC", size: str = "0.01") -> None:
    Market.objects.create(
        venue="okx", venue_symbol=f"{asset}-USDT-SWAP", symbol=f"{asset}/USDT:USDT", asset=asset, contract_size=Decimal(size), refreshed_at=timezone.now()
    )


def test_each_event_is_saved_within_a_second_and_a_cascade_is_recorded_at_once(monitor: LiquidationMonitor, venues: FakeVenues) -> None:
    for dollars in (200_001, 200_002, 200_003, 200_004):
        venues.send("bybit", bybit(dollars))
    sent_at = time.monotonic()
    venues.send("binance", binance(200_005))
    (cascade,) = wait_until(lambda: [row for row in signals("cascade") if row.count == 5], 2)
    assert time.monotonic() - sent_at < 0.5
    assert (cascade.asset, cascade.direction, int(cascade.value), cascade.listed_on) == ("BTC", "LONG", 1_000_015, 3)
    assert cascade.venues == {"binance": "200005", "bybit": "800010"}
    wait_until(lambda: saved_dollars() == [200_001, 200_002, 200_003, 200_004, 200_005], 1)
    row = Liquidation.objects.order_by("id")[0]
    assert (row.venue, row.symbol, row.position_side, row.kept_out) == ("bybit", "BTC/USDT:USDT", "LONG", "")


def test_workers_are_told_to_look_after_the_signal_is_there(venues: FakeVenues, valkey: "Redis", monitor: LiquidationMonitor) -> None:
    venues.send("bybit", bybit(500_000))

    def queued(key: str) -> list[Any]:
        return list(valkey.lrange(key, 0, -1))

    hints = wait_until(lambda: queued("alertsystem:alerts"))
    message = json.loads(hints[0])
    assert (message["headers"]["task"], b"liquidations:BTC:LONG" in b64decode(message["body"])) == ("alerts.evaluate_signal", True)
    assert len(signals("liquidation")) == 1
    wait_until(lambda: any(b"refresh_markets" in bytes(hint) for hint in queued("alertsystem:scans:9")))


def test_the_time_in_which_it_did_not_run_is_kept_as_a_blind_spot(venues: FakeVenues, request: pytest.FixtureRequest) -> None:
    before = timezone.now() - timedelta(minutes=5)
    FeedStatus.objects.create(venue="binance", state="live", connected_since=before, last_data_at=before, updated_at=before)
    request.getfixturevalue("monitor")
    wait_until(BlindSpot.objects.exists)
    spot = BlindSpot.objects.get()
    assert (spot.venue, spot.feed, spot.since) == ("binance", "liquidations", before)
    assert spot.until > before + timedelta(minutes=4)


def test_unwatched_assets_are_saved_but_raise_no_signal(monitor: LiquidationMonitor, venues: FakeVenues) -> None:
    venues.send("binance", binance(9_000_000, "DOGE"))
    venues.send("binance", binance(500_000, "ETH"))
    wait_until(lambda: len(saved_dollars()) == 2)
    assert [row.asset for row in wait_until(lambda: signals("liquidation"))] == ["ETH"]


def test_okx_events_of_unknown_contracts_are_counted_until_the_contracts_are_known(monitor: LiquidationMonitor, venues: FakeVenues) -> None:
    venues.send("okx", okx(100))
    venues.send("okx", okx(7) | {"data": [okx(7)["data"][0] | {"instId": "BTC-USD-SWAP"}]})
    wait_until(lambda: (feed("okx").unknown, feed("okx").dropped) == (1, {"inverse": 1}))
    assert Liquidation.objects.count() == 0
    list_on_okx()
    wait_until(lambda: venues.send("okx", okx(100)) and saved_dollars())
    assert saved_dollars()[0] == 1


def test_stale_future_and_repeated_events_are_counted_by_reason(monitor: LiquidationMonitor, venues: FakeVenues) -> None:
    frame = bybit(900_000, at_ms=now_ms())
    for payload in (frame, frame, bybit(1, at_ms=now_ms() - 70_000), bybit(2, at_ms=now_ms() + 60_000)):
        venues.send("bybit", payload)
    wait_until(lambda: feed("bybit").dropped == {"stale": 1, "future": 1, "repeat": 1})
    wait_until(lambda: sorted(Liquidation.objects.values_list("kept_out", flat=True)) == ["", "future", "stale"])
    assert len(signals("liquidation")) == 1


def test_a_flood_of_malformed_frames_is_counted_and_the_stream_goes_on(
    monitor: LiquidationMonitor, venues: FakeVenues, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "monitors.feed"):
        for number in range(300):
            venues.send_raw("bybit", f'{{"topic":"allLiquidation.X","data":{number}' + "}" * (number % 2))
        venues.send_raw("bybit", b"\xff\x00\xfe")
        venues.send("bybit", bybit(500_000))
        wait_until(lambda: signals("liquidation"))
        wait_until(lambda: feed("bybit").malformed == 301)
    assert len([record for record in caplog.records if record.name == "monitors.feed"]) == 1
    assert feed("bybit").state == "live"


def test_an_edited_rule_is_in_force_within_ten_seconds(monitor: LiquidationMonitor, venues: FakeVenues) -> None:
    venues.send("bybit", bybit(90_000))
    wait_until(lambda: len(saved_dollars()) == 1)
    assert signals("liquidation") == []
    ThresholdRule.objects.filter(kind="liquidation", asset="BTC").update(low=1_000, moderate=2_000, high=4_000, extreme=8_000)
    wait_until(lambda: venues.send("bybit", bybit(90_000 + len(saved_dollars()))) and signals("liquidation"), 10)


def test_bybit_s_topics_follow_the_contracts_and_the_asset_list(monitor: LiquidationMonitor, venues: FakeVenues, settings: Any) -> None:
    (client,) = venues.connects["bybit"]
    wait_until(lambda: client.topics == {"allLiquidation.BTCUSDT", "allLiquidation.ETHUSDT"})
    for symbol in ("BTCUSDT", "BTCPERP", "1000PEPEUSDT"):
        asset = "PEPE" if "PEPE" in symbol else "BTC"
        Market.objects.create(venue="bybit", venue_symbol=symbol, symbol=f"{symbol}:X", asset=asset, refreshed_at=timezone.now())
    wait_until(lambda: client.topics == {"allLiquidation.BTCUSDT", "allLiquidation.BTCPERP"})
    settings.ASSETS = ["PEPE"]
    wait_until(lambda: client.topics == {"allLiquidation.1000PEPEUSDT"})
    assert len(venues.connects["bybit"]) == 1


def test_a_venue_that_cannot_be_reached_is_named_with_the_next_try_and_the_others_run(monitor: LiquidationMonitor, venues: FakeVenues) -> None:
    wait_until(lambda: FeedStatus.objects.filter(state="live").count() == 3)
    venues.refuse("okx")
    wait_until(lambda: feed("okx").state == "waiting" and "refused" in feed("okx").last_error)
    assert (feed("okx").next_try_at or timezone.now()) > timezone.now()
    venues.send("bybit", bybit(500_000))
    (signal,) = wait_until(lambda: signals("liquidation"))
    assert signal.listed_on == 2
    venues.accept("okx")
    wait_until(lambda: feed("okx").state == "live" and feed("okx").reconnects == 1)


def test_binance_without_mark_prices_is_left_and_comes_back(monitor: LiquidationMonitor, venues: FakeVenues) -> None:
    wait_until(lambda: feed("binance").state == "live")
    venues.silence_marks()
    wait_until(lambda: "no mark prices" in feed("binance").last_error)
    venues.silence_marks(False)
    wait_until(lambda: feed("binance").state == "live")


def test_signals_wait_for_a_database_that_is_away_and_are_written_in_order(monitor: LiquidationMonitor, venues: FakeVenues) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE monitors_signal RENAME TO monitors_signal_away")
    try:
        for dollars in (450_000, 1_300_000, 4_500_000):
            venues.send("bybit", bybit(dollars))
        wait_until(lambda: len(saved_dollars()) == 3)
        wait_until(lambda: len(monitor._recorder._waiting) >= 3)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE monitors_signal_away RENAME TO monitors_signal")
    wait_until(lambda: len(signals("liquidation")) == 3)
    assert [row.value for row in sorted(signals("liquidation"), key=lambda row: row.pk)] == [450_000, 1_300_000, 4_500_000]


def test_under_overload_rows_are_dropped_and_counted_and_detection_goes_on(
    monitor: LiquidationMonitor, venues: FakeVenues, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saver, "ROWS_LIMIT", 5)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE monitors_liquidation RENAME TO monitors_liquidation_away")
    try:
        for number in range(12):
            venues.send("bybit", bybit(500_000 + number))
        wait_until(lambda: FeedStatus.objects.filter(venue="bybit", unsaved=7).exists())
        wait_until(lambda: signals("cascade") and signals("cascade")[-1].count == 12)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE monitors_liquidation_away RENAME TO monitors_liquidation")
    wait_until(lambda: len(saved_dollars()) == 5, 15)


def test_stopping_writes_what_waits_and_reports_it(monitor: LiquidationMonitor, venues: FakeVenues) -> None:
    wait_until(lambda: FeedStatus.objects.filter(state="live").count() == 3)
    venues.send("bybit", bybit(450_000))
    wait_until(lambda: signals("liquidation"))
    began = time.monotonic()
    monitor.stop()
    assert time.monotonic() - began < 3
    assert saved_dollars() == [450_000]
    assert set(FeedStatus.objects.values_list("state", flat=True)) == {"stopped"}
