"""The flood limits that all processes share, on a real server."""

import json
import subprocess
import sys
import time

import pytest
from redis import Redis

from alerts.flood import FloodLimiter, Turn
from alertsystem.broker import key
from alertsystem.env import PROJECT_DIR
from tests.harness import process_env, wait_until


@pytest.fixture
def flood(valkey: "Redis") -> FloodLimiter:
    return FloodLimiter(valkey, per_second=50)


@pytest.fixture
def slow(valkey: "Redis") -> FloodLimiter:
    """One message a second: what has to come before the next slot does so on a busy machine, too."""
    return FloodLimiter(valkey, per_second=1)


def forget(valkey: "Redis", name: str) -> None:
    """As if the time of this limit were over."""
    valkey.delete(key("flood", name))


def test_the_first_message_goes_at_once_and_the_next_waits_its_turn(slow: FloodLimiter) -> None:
    assert slow.take(1).granted
    turn = slow.take(2)
    assert not turn.granted and not turn.chat_only and 0 < turn.wait_s <= 1


def test_the_whole_rate_is_used_and_never_exceeded(flood: FloodLimiter) -> None:
    started, granted = time.monotonic(), 0
    while (now := time.monotonic()) - started < 1.0:
        turn = flood.take(granted + 1)
        granted += turn.granted
        if not turn.granted:
            time.sleep(turn.wait_s)
    assert 30 <= granted <= 51, f"{granted} in {now - started:.2f} s"


def test_one_chat_gets_one_message_a_second_and_the_others_do_not_wait_for_it(flood: FloodLimiter, valkey: "Redis") -> None:
    assert flood.take(1).granted
    forget(valkey, "all")
    waiting = flood.take(1)
    assert waiting.chat_only and 0 < waiting.wait_s <= 1.05
    assert flood.take(2).granted


def test_a_waiting_chat_takes_nothing_of_the_overall_budget(flood: FloodLimiter, valkey: "Redis") -> None:
    flood.take(1)
    forget(valkey, "all")
    flood.take(1)
    assert not valkey.exists(key("flood", "all"))


@pytest.mark.parametrize("group", [-100123, "@channel"])
def test_a_group_gets_twenty_messages_a_minute(flood: FloodLimiter, valkey: "Redis", group: int | str) -> None:
    for _ in range(20):
        assert flood.take(group).granted
        forget(valkey, "all")
        forget(valkey, f"chat:{group}")
    turn = flood.take(group)
    assert turn.chat_only and 50 < turn.wait_s <= 60.5
    assert flood.take(7).granted


def test_whoever_leaves_some_spare_stops_earlier(flood: FloodLimiter, valkey: "Redis") -> None:
    for _ in range(15):
        assert flood.take(-1, spare=5).granted
        forget(valkey, "all")
        forget(valkey, "chat:-1")
    assert not flood.take(-1, spare=5).granted
    assert flood.take(-1).granted


def test_a_pause_holds_for_everybody_and_a_smaller_one_does_not_shorten_it(flood: FloodLimiter, valkey: "Redis") -> None:
    flood.pause(30)
    flood.pause(1)
    turn = FloodLimiter(valkey, per_second=50).take(5)
    assert not turn.granted and not turn.chat_only and 28 < turn.wait_s <= 30


def test_a_pause_ends(flood: FloodLimiter) -> None:
    flood.pause(0.1)
    started = time.monotonic()
    wait_until(lambda: flood.take(5).granted, 2)
    assert time.monotonic() - started >= 0.09


def test_answers_use_half_of_the_rate_and_alerts_the_rest(flood: FloodLimiter) -> None:
    began, answers, alerts = time.monotonic(), 0, 0
    while time.monotonic() - began < 1.0:
        answers += flood.take_for_answer(answers + 1).granted
        alerts += flood.take(alerts + 10_000, urgent=False).granted if answers > 20 else 0
        time.sleep(0.001)
    assert answers <= 26 and answers + alerts <= 51


def test_an_answer_gets_nothing_while_urgent_alerts_wait_or_leave(flood: FloodLimiter, valkey: "Redis") -> None:
    assert flood.take(1).granted
    forget(valkey, "all")
    turn = flood.take_for_answer(3)
    assert not turn.granted and not turn.chat_only and 0 < turn.wait_s <= 0.5
    wait_until(lambda: flood.take_for_answer(3).granted, 2)


def test_whoever_only_looks_takes_nothing(flood: FloodLimiter) -> None:
    assert flood.take_for_answer(1, only_look=True).granted
    assert flood.take_for_answer(1).granted
    assert flood.take_for_answer(1, only_look=True).chat_only


def test_while_other_alerts_wait_one_answer_a_second_passes(slow: FloodLimiter, valkey: "Redis") -> None:
    def alert_waits() -> None:
        slow.take(1, urgent=False)
        assert not slow.take(2, urgent=False).granted
        forget(valkey, "all")

    alert_waits()
    assert slow.take_for_answer(3).granted
    alert_waits()
    turn = slow.take_for_answer(4)
    assert not turn.granted and 0 < turn.wait_s <= 1.0


def test_an_urgent_alert_that_waits_is_not_forgotten_over_another(flood: FloodLimiter, valkey: "Redis") -> None:
    flood.take(1)
    flood.take(2, urgent=True)
    flood.take(3, urgent=False)
    forget(valkey, "all")
    assert not flood.take_for_answer(4).granted


def test_an_answer_does_not_wait_for_edits(slow: FloodLimiter, valkey: "Redis") -> None:
    slow.take(1, urgent=False)
    assert not slow.take(2, spare=5).granted
    forget(valkey, "all")
    assert slow.take_for_answer(3).granted


def test_an_alert_that_waits_for_its_chat_holds_up_the_answers_of_that_chat_only(flood: FloodLimiter, valkey: "Redis") -> None:
    assert flood.take(1).granted
    for name in ("all", "waiting"):
        forget(valkey, name)
    assert flood.take(1).chat_only
    forget(valkey, "chat:1")
    assert flood.take_for_answer(1).chat_only
    assert flood.take_for_answer(2).granted


def test_answers_to_one_chat_keep_a_pace_after_the_first_few(flood: FloodLimiter, valkey: "Redis") -> None:
    def asked() -> Turn:
        for name in ("all", "answers", "chat:1"):
            forget(valkey, name)
        return flood.take_for_answer(1)

    assert [asked().granted for _ in range(20)] == [True] * 20
    turn = asked()
    assert turn.chat_only and 0 < turn.wait_s <= 2
    assert flood.take(1).granted, "an alert does not wait for this pace"


def test_answers_leave_half_of_a_groups_minute_to_alerts(flood: FloodLimiter, valkey: "Redis") -> None:
    for _ in range(10):
        assert flood.take_for_answer(-1).granted
        for name in ("all", "answers", "chat:-1", "asked:-1"):
            forget(valkey, name)
    assert flood.take_for_answer(-1).chat_only
    assert flood.take(-1).granted


SENDER = """
import django, json, sys, time
django.setup()
from alerts.flood import limiter
from tests.harness import wait_until
times, until = [], time.monotonic() + 1.5
while time.monotonic() < until:
    turn = limiter().take(len(times) * 2 + int(sys.argv[1]))
    if turn.granted:
        times.append(time.time())
    else:
        time.sleep(turn.wait_s)
print(json.dumps(times))
"""


@pytest.mark.django_db
def test_two_processes_together_stay_in_the_limit(valkey: "Redis") -> None:
    running = [subprocess.Popen([sys.executable, "-c", SENDER, str(number)], cwd=PROJECT_DIR, env=process_env(), stdout=subprocess.PIPE) for number in (1, 2)]
    outputs = [json.loads(process.communicate(timeout=30)[0]) for process in running]
    times = sorted(sum(outputs, []))
    assert all(outputs)
    assert max(sum(start <= at < start + 1 for at in times) for start in times) <= 29
