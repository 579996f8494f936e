"""Does a recording of the live feeds, replayed, tell the story that the live pipeline told?"""

import json
import re
import signal
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from redis import Redis

from alerts import trigger
from alerts.models import Decision
from alerts.replay_scans import read_candle, read_open_interest
from monitors.budget import budget
from monitors.market import Venue, from_epoch_ms
from monitors.models import CandleRow, Market, OpenInterestSample
from monitors.record import Recorder
from monitors.record_rows import Line, past
from monitors.recording import Arrival, RecordingReader
from monitors.recording_writer import RecordingWriter
from monitors.scan_open_interest import scan_open_interest
from monitors.scan_volume import scan_volume
from monitors.venues.clients import client_of
from tests.fakes.venues import FakeVenues
from tests.harness import Process, Processes, wait_until
from tests.monitors.road import binance, bybit, now_ms, okx
from tests.monitors.scanning import scanned_venues

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
COINS = {"BTC": Decimal(90_000), "PEPE": Decimal(10) ** 13}
PRINTED = ("opened", "escalated", "became_cascade")
Told = tuple[str, str, str, str, str, float]


@pytest.fixture
def venues(settings: Any, valkey: Redis) -> Iterator[FakeVenues]:
    budget.cache_clear()
    client_of.cache_clear()
    with scanned_venues(settings, ["PEPE", "BTC"]) as fakes:
        yield fakes
    client_of.cache_clear()


def start_recorder(processes: Processes, venues: FakeVenues, path: Path, *options: str, log: Path | None = None) -> Process:
    return processes.manage("record", str(path), *options, env={**venues.env, "ASSETS": "BTC,PEPE"}, log=log)


def past_samples(venues: FakeVenues) -> None:
    """Twenty minutes without a change."""
    now = timezone.now()
    for row in Market.objects.filter(asset__in=("BTC", "PEPE")):
        listing = venues.markets.find(row.venue, row.venue_symbol)
        assert listing is not None
        coins, price = listing.open_interest * listing.multiplier, listing.price / listing.multiplier
        times = [now - timedelta(minutes=minute) for minute in range(20, 0, -1)]
        OpenInterestSample.objects.bulk_create(OpenInterestSample(market=row, oi_base=coins, mark_price=price, occurred_at=at, received_at=at) for at in times)


def told_by_replay(path: Path) -> list[Told]:
    output = StringIO()
    call_command("replay", str(path), "--json", stdout=output, stderr=sys.stderr)
    events = [json.loads(line) for line in output.getvalue().splitlines()]
    return sorted(
        (row["event"], row["kind"], row["asset"], row["direction"], row["severity"], round(row["value"], 2)) for row in events if row["event"] in PRINTED
    )


def told_by_live() -> list[Told]:
    trigger.evaluate_unread()
    rows = Decision.objects.filter(outcome__in=PRINTED).select_related("signal")
    return sorted(
        (row.outcome, row.signal.kind, row.signal.asset, row.signal.direction, row.get_severity_display(), round(float(row.signal.value), 2)) for row in rows
    )


def test_a_recording_of_liquidations_and_open_interest_replays_what_live_raised(venues: FakeVenues, processes: Processes, tmp_path: Path) -> None:
    for asset, coins in COINS.items():
        venues.set_open_interest(asset, coins)
    past_samples(venues)
    path = tmp_path / "live.jsonl.gz"
    recorder = start_recorder(processes, venues, path, "--past")
    processes.manage("watch_liquidations", env={**venues.env, "ASSETS": "BTC,PEPE"})
    wait_until(lambda: all(venues.connections(venue) == 2 for venue in Venue), 20, "both at every venue")
    venues.wait_for_subscribers()
    for scale in ("1", "1.012", "1.03"):
        for venue in Venue:
            for asset, coins in COINS.items():
                venues.set_open_interest(asset, coins * Decimal(scale), venue)
            scan_open_interest(venue)
        for send, frame in (("bybit", bybit(300_000)), ("okx", okx(200_000 * 100)), ("binance", binance(1_300_000))):
            venues.send(send, frame)
            time.sleep(0.3)  # frames of two venues within one moment may reach two processes in two orders
    time.sleep(1)  # the last peak
    recorder.send_signal(signal.SIGINT)
    assert recorder.wait(10) == 0
    live = told_by_live()
    assert told_by_replay(path) == live
    assert {(name, kind) for name, kind, *_ in live} >= {("opened", "liquidation"), ("opened", "open_interest"), ("escalated", "open_interest")}
    assert {asset for _, kind, asset, *_ in live if kind == "open_interest"} == {"BTC", "PEPE"}


def test_each_feed_is_written_as_the_format_says(venues: FakeVenues, processes: Processes, tmp_path: Path) -> None:
    path, log, started_ms = tmp_path / "live.jsonl", tmp_path / "log", now_ms()
    recorder = start_recorder(processes, venues, path, "--seconds", "8", log=log)
    wait_until(lambda: all(venues.connections(venue) for venue in Venue), 20, "the recorder at every venue")
    venues.wait_for_subscribers()
    frames = {"bybit": bybit(300_000), "okx": okx(2_000), "binance": binance(1_300_000)}
    for venue in Venue:
        venues.send(venue, frames[venue])
        scan_open_interest(venue)
        scan_volume(venue)
    assert recorder.wait(20) == 0
    reader = RecordingReader(path)
    assert reader.header.markets["okx"]["BTC-USDT-SWAP"] == {"contract_size": 0.01}
    arrivals = [line for line in reader if isinstance(line, Arrival)]
    assert [line.at_ms for line in arrivals] == sorted(line.at_ms for line in arrivals)
    assert all(started_ms <= line.at_ms <= now_ms() for line in arrivals)
    assert {line.venue.value: line.payload for line in arrivals if line.feed == "liquidations"} == frames
    samples = {(line.venue, line.payload["symbol"]): read_open_interest(line) for line in arrivals if line.feed == "open_interest"}
    candles = {(line.venue, line.payload["symbol"]): read_candle(line) for line in arrivals if line.feed == "candles" and line.payload["closed"]}
    assert {venue for venue, _ in samples} == {venue for venue, _ in candles} == set(Venue)
    for row in OpenInterestSample.objects.select_related("market"):
        sample = samples[Venue(row.market.venue), row.market.symbol]
        assert (sample.oi_base, sample.mark_price, sample.asset) == (row.oi_base, row.mark_price, row.market.asset)
    for candle in candles.values():
        stored = CandleRow.objects.get(market__venue=candle.venue, market__symbol=candle.symbol, opened_at=from_epoch_ms(candle.opened_at_ms))
        assert [candle.volume_usd, candle.close] == pytest.approx([stored.volume_usd, stored.close])
    assert re.search(r"3 liquidations, \d+ open interest, \d+ candles", log.read_text())


def test_what_scans_save_while_the_past_is_written_is_in_the_recording(venues: FakeVenues, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def long_past(now: datetime) -> Iterator[Line]:
        """A minute and more, in which a scan comes."""
        yield from past(now)
        scan_open_interest(Venue.OKX)
        OpenInterestSample.objects.update(received_at=now + timedelta(seconds=1))
        monkeypatch.setattr(timezone, "now", lambda: now + timedelta(seconds=90))

    monkeypatch.setattr("monitors.record.past", long_past)
    path = tmp_path / "live.jsonl"
    with RecordingWriter(path, {}, "", "") as writer:
        Recorder(writer, Event()).run(0.1, with_past=True)
    stored = list(OpenInterestSample.objects.values_list("market__symbol", flat=True))
    assert stored and sorted(line.payload["symbol"] for line in RecordingReader(path) if isinstance(line, Arrival)) == sorted(stored)


def test_an_existing_file_is_refused_in_one_line(venues: FakeVenues, processes: Processes, tmp_path: Path) -> None:
    path, log = tmp_path / "live.jsonl", tmp_path / "log"
    path.write_text("precious")
    assert start_recorder(processes, venues, path, log=log).wait(20) == 1
    assert "exists already" in log.read_text() and path.read_text() == "precious"
