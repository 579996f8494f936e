"""Does `manage.py watch_liquidations`, as a process of its own, survive what happens to processes?"""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone

from monitors.detection import Detection
from monitors.market import Venue, epoch_ms, from_epoch_ms
from monitors.models import FeedStatus, Liquidation, Signal
from monitors.rebuild import rebuild
from monitors.recorder import write
from monitors.watch import WatchReader
from tests.fakes.venues import FakeVenues
from tests.harness import Process, Processes, process_env, wait_until
from tests.monitors.road import bybit, now_ms, saved_dollars, signals

EVENTS, EVERY_S = 120, 0.025


@pytest.fixture
def venues() -> Iterator[FakeVenues]:
    with FakeVenues() as fakes:
        yield fakes


def start(processes: Processes, venues: FakeVenues) -> Process:
    process = processes.manage("watch_liquidations", env={**venues.env, "ASSETS": "BTC", "LOG_LEVEL": "WARNING"})
    venues.wait_for_subscribers(wait_s=20)
    return process


class Stream(threading.Thread):
    """Sends longs of 10,000 + n dollars; notes when each was sent."""

    def __init__(self, venues: FakeVenues) -> None:
        super().__init__(daemon=True)
        self.sent: list[tuple[float, int, int]] = []  # when (monotonic), dollars, to how many clients
        self._venues = venues
        self.ended = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.ended.wait(EVERY_S):
            dollars = 10_000 + number
            self.sent.append((time.monotonic(), dollars, self._venues.send("bybit", bybit(dollars))))
            number += 1


def test_a_monitor_killed_in_mid_stream_continues_its_windows(processes: Processes, venues: FakeVenues) -> None:
    first = start(processes, venues)
    stream = Stream(venues)
    stream.start()
    wait_until(lambda: len(stream.sent) >= EVENTS, 20)
    first.send_signal(signal.SIGKILL)
    killed_at = time.monotonic()
    first.wait()
    wait_until(lambda: venues.connections("bybit") == 0)
    before = {row.pk: row.value for row in signals("cascade")}
    saved_before = sum(saved_dollars())
    second = start(processes, venues)
    again, back_at = len(stream.sent), time.monotonic()
    wait_until(lambda: len(stream.sent) >= again + 40, 20)
    stream.ended.set()
    stream.join()
    time_to_save = [dollars for at, dollars, reached in stream.sent if reached and (at < killed_at - 2 or at > back_at)]
    wait_until(lambda: set(time_to_save) <= set(saved_dollars()), 5)
    assert len(saved_dollars()) == len(set(saved_dollars()))
    later = [row for row in signals("cascade") if row.pk not in before and row.received_at > timezone.now() - timedelta(seconds=3)]
    assert later and max(row.value for row in later) > saved_before, "the windows were not rebuilt"
    assert {row.episode for row in signals("cascade")} == {1}
    assert Signal.objects.count() == Signal.objects.values("kind", "fingerprint", "received_at").distinct().count()
    second.send_signal(signal.SIGTERM)
    assert second.wait(3) == 0


def test_sigterm_ends_it_within_three_seconds_with_everything_saved(processes: Processes, venues: FakeVenues) -> None:
    monitor = start(processes, venues)
    for number in range(50):
        venues.send("bybit", bybit(500_000 + number))
    wait_until(lambda: signals("cascade") and signals("cascade")[-1].count == 50)
    began = time.monotonic()
    monitor.send_signal(signal.SIGTERM)
    monitor.send_signal(signal.SIGTERM)
    assert monitor.wait(3) == 0
    assert time.monotonic() - began < 3
    assert len(saved_dollars()) == 50
    assert set(FeedStatus.objects.values_list("state", flat=True)) == {"stopped"}


def test_it_ends_at_once_while_no_venue_answers(processes: Processes, venues: FakeVenues) -> None:
    for venue in Venue:
        venues.refuse(venue, "hang")
    monitor = processes.manage("watch_liquidations", env={**venues.env, "ASSETS": "BTC", "LOG_LEVEL": "WARNING"})
    wait_until(lambda: FeedStatus.objects.count() == 3, 20)
    monitor.send_signal(signal.SIGTERM)
    assert monitor.wait(3) == 0


def test_a_second_monitor_on_the_same_database_doubles_nothing(processes: Processes, venues: FakeVenues) -> None:
    start(processes, venues)
    processes.manage("watch_liquidations", env={**venues.env, "ASSETS": "BTC", "LOG_LEVEL": "WARNING"})
    wait_until(lambda: venues.connections("bybit") == 2, 20)
    wait_until(lambda: all(client.topics for client in venues.connects["bybit"]))
    for number in range(5):
        venues.send("bybit", bybit(500_000 + number))
    wait_until(lambda: len(saved_dollars()) == 5)


def test_on_an_empty_database_it_says_what_is_missing_and_waits(processes: Processes, tmp_path: Path) -> None:
    log = tmp_path / "log"
    monitor = processes.manage("watch_liquidations", env={"DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite3'}"}, log=log)
    wait_until(lambda: b"manage.py migrate" in log.read_bytes(), 20, "the line that says what to do")
    assert monitor.poll() is None


def test_the_monitor_does_without_ccxt() -> None:
    code = "import django, sys; django.setup(); import monitors.management.commands.watch_liquidations; sys.exit('ccxt' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=process_env(), check=False).returncode == 0


@pytest.mark.django_db
def test_a_signal_lost_between_its_row_and_its_own_writing_is_made_good_and_none_is_doubled() -> None:
    newest_ms = now_ms() - 20_000
    for number in range(6):
        at = from_epoch_ms(newest_ms - (5 - number) * 2_000)
        one = Decimal(500_000 + number)
        Liquidation.objects.create(
            venue="okx", symbol="X", asset="BTC", position_side="LONG", price=Decimal(1), quantity_base=one, notional_usd=one, occurred_at=at, received_at=at
        )  # fmt: skip
    watch = WatchReader().read()
    lost = rebuild(Detection(watch), timezone.now())
    assert {signal.received_at_ms for signal in lost} == {newest_ms - 4_000, newest_ms - 2_000, newest_ms}
    for _ in range(2):
        write([(signal, timezone.now()) for signal in lost])
        assert Signal.objects.count() == len(lost)


@pytest.mark.django_db
def test_episodes_are_numbered_on_after_a_restart() -> None:
    at = timezone.now() - timedelta(hours=2)
    Signal.objects.create(
        kind="liquidation", asset="BTC", direction="LONG", fingerprint="liquidations:BTC:LONG", value=Decimal(1), count=1, venues={}, window_s=30, episode=41,
        number=1, listed_on=1, occurred_at=at, received_at=at, detected_at=at, decided_at=at,
    )  # fmt: skip
    detection = Detection(WatchReader().read())
    assert rebuild(detection, timezone.now()) == []
    at_ms = epoch_ms(timezone.now())
    (signal_,) = detection.take(Venue.BYBIT, json.dumps(bybit(500_000, at_ms=at_ms)), at_ms).signals
    assert (signal_.episode, signal_.number) == (42, 1)
