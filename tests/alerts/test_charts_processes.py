"""Charts and outcomes by real workers that are killed: real tasks on their own queue, real pictures to a fake Telegram."""

import os
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from redis import Redis

from alerts.models import Alert, Chart, Delivery, Outcome
from alertsystem.broker import redis_client
from alertsystem.celery import QUEUE_OF_TASK, enqueue
from monitors.models import Market
from monitors.thresholds import Severity
from tests.alerts.builders import make_alert, make_delivery, make_signal, make_subscriber
from tests.fakes.telegram import FakeTelegram
from tests.fakes.venues import FakeVenues
from tests.harness import Process, Processes, wait_until

TOKEN = "123456:a-token"
State, CHART = Delivery.State, Delivery.Purpose.CHART


@pytest.fixture
def telegram(processes: Processes) -> Iterator[FakeTelegram]:
    with FakeTelegram(token=TOKEN) as server:
        yield server


@pytest.fixture
def venues(processes: Processes) -> Iterator[FakeVenues]:
    with FakeVenues() as fakes:
        Market.objects.create(venue="binance", venue_symbol="BTCUSDT", symbol="BTC/USDT:USDT", asset="BTC", refreshed_at=timezone.now())
        yield fakes


def start(processes: Processes, telegram: FakeTelegram, venues: FakeVenues, queue: str) -> Process:
    env = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": telegram.url, **venues.env}
    [worker] = processes.celery_workers(queue, env=env, timeout_s=60)
    return worker


def told(alert: Alert) -> Delivery:
    """A chat whose message of the alert has left."""
    now = timezone.now()
    return make_delivery(make_subscriber(), Severity(alert.severity), alert, state=State.SENT, sent_at=now, message_id=900)


def sweep_until(condition: Callable[[], Any], *tasks: str, timeout_s: float = 90) -> None:
    """Ask for the tasks again and again, as beat does, until `condition()`."""

    def swept() -> bool:
        for task in tasks:
            if not any(redis_client().llen(f"alertsystem:{QUEUE_OF_TASK[task]}{suffix}") for suffix in ("", ":3", ":6", ":9")):
                enqueue(task, priority=9)
        return bool(condition())

    wait_until(swept, timeout_s)


def kill(worker: Process) -> None:
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


def test_killed_workers_lose_no_chart_and_it_comes_once(processes: Processes, telegram: FakeTelegram, venues: FakeVenues) -> None:
    telegram.limits.chat_interval_s = 0
    alert = make_alert(make_signal(6_000_000), Severity.HIGH)
    chats = [told(alert).subscriber.chat_id for _ in range(5)]
    venues.rest_hangs("binance", 8, path="markPriceKlines")
    drawer = start(processes, telegram, venues, "housekeeping")
    sweep_until(lambda: venues.requests("binance", "markPriceKlines"), "alerts.follow_up_charts")
    kill(drawer)
    assert not Delivery.objects.filter(purpose=CHART).exists()
    start(processes, telegram, venues, "housekeeping")
    sweep_until(lambda: Delivery.objects.filter(purpose=CHART).count() == 5, "alerts.follow_up_charts")
    assert Chart.objects.get().png
    telegram.set_latency(0.3)
    sender = start(processes, telegram, venues, "delivery")
    sweep_until(lambda: Delivery.objects.filter(purpose=CHART, state=State.SENDING).exists(), "alerts.dispatch")
    kill(sender)
    start(processes, telegram, venues, "delivery")
    sweep_until(lambda: Delivery.objects.filter(purpose=CHART, state=State.SENT).count() == 5, "alerts.dispatch")
    got = [photo.chat_id for photo in telegram.sent if photo.method == "sendPhoto"]
    assert set(got) == set(chats)
    assert len(got) - 5 <= Delivery.objects.filter(purpose=CHART, unknown_outcomes__gt=0).count(), "only what was on its way came twice"


def test_a_chart_on_its_way_keeps_no_text_waiting_not_even_in_its_own_chat(processes: Processes, telegram: FakeTelegram, venues: FakeVenues) -> None:
    alert = make_alert(make_signal(6_000_000), Severity.HIGH)
    chats = [told(alert).subscriber for _ in range(6)]
    Chart.objects.create(alert=alert, png=b"a picture", drawn_at=timezone.now())
    for chat in chats:
        make_delivery(chat, Severity.BELOW_LOW, about=alert, purpose=CHART, text="", expires_in=600)
    start(processes, telegram, venues, "delivery")
    telegram.hang_next(8, methods=["sendPhoto"], times=9)
    sweep_until(lambda: telegram.requests("sendPhoto"), "alerts.dispatch")
    for chat in chats:
        make_delivery(chat, Severity.EXTREME, text="an extreme text")
    sweep_until(lambda: len(telegram.requests("sendMessage")) == 6, "alerts.dispatch")
    [photo] = telegram.requests("sendPhoto")
    assert photo.answered == 0
    assert telegram.requests("sendMessage")[-1].at - photo.at < 8, "all texts left while the first upload was under way"


def test_a_measuring_that_is_killed_is_done_by_the_next_worker(processes: Processes, telegram: FakeTelegram, venues: FakeVenues, valkey: "Redis") -> None:
    at = timezone.now() - timedelta(hours=5)
    make_alert(make_signal(asset="BTC", at=at), opened_at=at, closed_at=at)
    venues.rest_hangs("binance", 8, path="markPriceKlines")
    worker = start(processes, telegram, venues, "housekeeping")
    sweep_until(lambda: venues.requests("binance", "markPriceKlines"), "alerts.measure_outcomes")
    kill(worker)
    assert set(Outcome.objects.values_list("state", flat=True)) == {"waiting"}
    start(processes, telegram, venues, "housekeeping")
    sweep_until(lambda: Outcome.objects.filter(state="known").count() == 4, "alerts.measure_outcomes")
