"""Drainers as real processes that are killed, and what Telegram received of it."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from redis import Redis

from alerts.dispatcher import IN_FLIGHT
from alerts.models import Delivery
from alertsystem.broker import redis_client
from alertsystem.celery import enqueue
from subscribers.models import Subscriber
from tests.alerts.builders import make_delivery
from tests.fakes.telegram import FakeTelegram
from tests.harness import Process, Processes, wait_until

State = Delivery.State
TOKEN = "123456:a-token"


@pytest.fixture
def telegram(processes: Processes) -> Iterator[FakeTelegram]:
    with FakeTelegram(token=TOKEN) as server:
        yield server


def start_workers(processes: Processes, telegram: FakeTelegram, count: int = 1) -> list[Process]:
    """Delivery workers of their own that send to the fake."""
    return processes.celery_workers(*["delivery"] * count, env={"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": telegram.url})


def make_many(count: int) -> None:
    now = timezone.now()
    people = Subscriber.objects.bulk_create(Subscriber(chat_id=50_000 + number) for number in range(count))
    Delivery.objects.bulk_create(
        Delivery(subscriber=person, text=f"for {person.chat_id}", severity=1, step=1, queued_at=now, expires_at=now + timedelta(minutes=5)) for person in people
    )


def in_state(*states: str) -> int:
    return Delivery.objects.filter(state__in=states).count()


def sweep_until(condition: Callable[[], Any], timeout_s: float = 40) -> None:
    """Wake a drainer every now and then, as the sweep does, until `condition()`."""

    def swept() -> bool:
        if not a_wake_up_waits():
            enqueue("alerts.dispatch", priority=9)
        return bool(condition())

    wait_until(swept, timeout_s)


def nothing_waits() -> bool:
    return in_state(State.PENDING, State.SENDING) == 0


def a_wake_up_waits() -> bool:
    """Whether a wake-up waits already."""
    return any(redis_client().llen(f"alertsystem:delivery{suffix}") for suffix in ("", ":3", ":6", ":9"))


def test_two_killed_drainers_lose_nothing_and_repeat_only_what_was_in_flight(processes: Processes, telegram: FakeTelegram) -> None:
    telegram.set_latency(0.2)
    make_many(90)
    for killed_at in (15, 45):
        [worker] = start_workers(processes, telegram)
        sweep_until(lambda: len(telegram.sent) >= killed_at and in_state(State.SENDING))  # noqa: B023  # called at once
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    start_workers(processes, telegram)
    sweep_until(nothing_waits)
    received = Counter(message.chat_id for message in telegram.sent)
    assert len(received) == 90, "something was lost"
    assert max(received.values()) <= 3
    assert sum(received.values()) - 90 <= 2 * IN_FLIGHT
    recovered = Delivery.objects.filter(unknown_outcomes__gt=0).count()
    assert recovered > 0 and sum(received.values()) - 90 <= recovered + 2
    assert in_state(State.SENT, State.UNKNOWN) == 90


def test_two_processes_never_send_the_same_message_and_both_obey_a_retry_after(processes: Processes, telegram: FakeTelegram) -> None:
    telegram.set_latency(0.05)
    make_many(60)
    start_workers(processes, telegram, count=2)
    telegram.answer_next(429, retry_after=2)
    for _ in range(4):
        enqueue("alerts.dispatch", priority=9)
    sweep_until(nothing_waits)
    assert Counter(Counter(message.chat_id for message in telegram.sent).values()) == {1: 60}
    refused = [request for request in telegram.journal if request.answered == 429]
    paused_at = refused[0].at
    meanwhile = [request for request in telegram.journal if paused_at + 0.2 < request.at < paused_at + 2]
    assert not meanwhile, "somebody sent during the pause"


def test_a_worker_that_starts_later_finds_what_waited(processes: Processes, telegram: FakeTelegram, valkey: "Redis") -> None:
    delivery = make_delivery(text="waited")
    enqueue("alerts.dispatch", priority=9)
    assert not telegram.journal
    start_workers(processes, telegram)
    wait_until(lambda: [message.plain for message in telegram.sent] == ["waited"], 20)
    wait_until(lambda: Delivery.objects.get(pk=delivery.pk).state == State.SENT)


def test_a_worker_told_to_end_awaits_its_answers_and_leaves_the_rest(processes: Processes, telegram: FakeTelegram) -> None:
    telegram.set_latency(0.3)
    make_many(200)
    [worker] = start_workers(processes, telegram)
    sweep_until(lambda: len(telegram.sent) >= 5 and in_state(State.SENDING))
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(8) == 0, "a slice of draining takes ten seconds"
    assert in_state(State.SENDING) == 0 and in_state(State.PENDING) > 100
    assert in_state(State.SENT) == len(telegram.sent)
    assert a_wake_up_waits(), "for the worker that comes next"
