"""/readyz names each part that is not well, quickly, whatever hangs."""

import os
import signal
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from redis import Redis

from alertsystem.celery import QUEUES
from alertsystem.heartbeats import say_alive
from monitors.models import FeedStatus, ScanStatus
from tests import harness

pytestmark = pytest.mark.django_db(transaction=True)


def everything_works() -> None:
    """Heartbeats of all processes, and live feeds."""
    say_alive("beat", *(f"worker:{queue}" for queue in QUEUES))
    for venue in settings.VENUES:
        FeedStatus.objects.create(venue=venue, state="live", updated_at=timezone.now())


def troubles(client: Client) -> dict[str, str]:
    """The parts that are not well; the status has to fit, and the answer to come within 3 s."""
    started = time.monotonic()
    response = client.get("/readyz")
    assert time.monotonic() - started < 3
    found = {part: text for part, text in response.json()["parts"].items() if text != "ok"}
    assert response.status_code == (503 if found else 200)
    assert response.json()["ready"] is (not found)
    return found


def test_healthz_needs_nothing(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")


def test_ready_when_everything_works(client: Client, valkey: Redis) -> None:
    everything_works()
    assert troubles(client) == {}


def test_each_missing_process_is_named(client: Client, valkey: Redis) -> None:
    everything_works()
    valkey.delete("alertsystem:alive:worker:delivery", "alertsystem:alive:beat")
    assert set(troubles(client)) == {"workers delivery", "beat"}


def test_a_feed_that_waits_is_named_with_its_next_try_and_error(client: Client, valkey: Redis) -> None:
    everything_works()
    next_try = timezone.now().replace(hour=12, minute=30, second=0)
    FeedStatus.objects.filter(venue="okx").update(state="waiting", next_try_at=next_try, last_error="connection refused")
    assert troubles(client) == {"feed okx": "waiting; next try at 12:30:00 UTC (connection refused)"}


def test_a_silent_monitor_is_named_with_its_feeds(client: Client, valkey: Redis) -> None:
    everything_works()
    FeedStatus.objects.update(updated_at=timezone.now() - timedelta(seconds=20))
    assert set(troubles(client)) == {"monitor", "feed binance", "feed bybit", "feed okx"}


def test_a_feed_that_never_reported_is_named(client: Client, valkey: Redis) -> None:
    everything_works()
    FeedStatus.objects.filter(venue="bybit").delete()
    assert set(troubles(client)) == {"feed bybit"}


def beat_lives_for(valkey: Redis, minutes: int) -> datetime:
    """Returns since when."""
    since = timezone.now() - timedelta(minutes=minutes)
    valkey.set("alertsystem:alive_since:beat", int(since.timestamp()))
    return since


def scanned(minutes_ago: float) -> None:
    for venue in settings.VENUES:
        for kind in ("open_interest", "volume"):
            ScanStatus.objects.update_or_create(venue=venue, kind=kind, defaults={"started_at": timezone.now() - timedelta(minutes=minutes_ago)})


def test_scans_that_should_have_run_and_did_not_are_named(client: Client, valkey: Redis) -> None:
    everything_works()
    beat_lives_for(valkey, 60)
    scanned(minutes_ago=1)
    assert troubles(client) == {}
    ScanStatus.objects.filter(venue="okx").update(started_at=timezone.now() - timedelta(minutes=9))
    late = "open interest of OKX not scanned for 9 min; volume of OKX not scanned for 9 min: does a worker of the queue scans get on?"
    assert troubles(client) == {"scans": late}


def test_after_a_start_scans_have_their_time(client: Client, valkey: Redis) -> None:
    """Also the very first, of which there is no row yet."""
    everything_works()
    scanned(minutes_ago=600)
    assert troubles(client) == {}
    ScanStatus.objects.filter(venue="bybit", kind="volume").delete()
    beat_lives_for(valkey, 8)
    assert "volume of Bybit not scanned for 8 min" in troubles(client)["scans"]


@pytest.mark.parametrize("edit", [{"enabled": False}, {"args": "[]"}, {"args": "[1]"}, {"args": "nonsense"}])
def test_the_schedule_is_the_operators(client: Client, valkey: Redis, edit: dict[str, object]) -> None:
    everything_works()
    beat_lives_for(valkey, 60)
    scanned(minutes_ago=9)
    assert "volume of OKX" in troubles(client)["scans"]
    PeriodicTask.objects.filter(task__startswith="monitors.scan_").update(**edit)
    assert troubles(client) == {}


def test_a_slower_schedule_is_late_later(client: Client, valkey: Redis) -> None:
    everything_works()
    beat_lives_for(valkey, 60)
    scanned(minutes_ago=9)
    every = IntervalSchedule.objects.create(every=10, period="minutes")
    PeriodicTask.objects.filter(task__startswith="monitors.scan_").update(interval=every, crontab=None)
    assert troubles(client) == {}
    scanned(minutes_ago=16)
    assert "not scanned for 16 min" in troubles(client)["scans"]


def test_a_paused_venue_is_not_late(client: Client, valkey: Redis) -> None:
    everything_works()
    beat_lives_for(valkey, 60)
    scanned(minutes_ago=9)
    ScanStatus.objects.update(paused_until=timezone.now() + timedelta(minutes=1))
    assert troubles(client) == {}


@pytest.fixture
def frozen_broker(valkey: Redis) -> Iterator[None]:
    """A broker that accepts connections and answers nothing."""
    process_id = int(valkey.info("server")["process_id"])
    os.kill(process_id, signal.SIGSTOP)
    yield
    os.kill(process_id, signal.SIGCONT)
    harness.wait_until(valkey.ping)


def test_a_frozen_broker_is_named_in_time(client: Client, valkey: Redis, frozen_broker: None) -> None:
    for venue in settings.VENUES:
        FeedStatus.objects.create(venue=venue, state="live", updated_at=timezone.now())
    assert set(troubles(client)) == {"broker"}
