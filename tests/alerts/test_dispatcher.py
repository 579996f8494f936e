"""One drainer: what it sends, in which order, and what it makes of each answer."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from redis import Redis

from alerts import outbox
from alerts.dispatcher import drain
from alerts.flood import limiter
from alerts.models import Delivery
from alertsystem.broker import redis_client
from monitors.models import Lease
from monitors.thresholds import Severity
from subscribers.models import Subscriber
from tests.alerts.builders import escalate, make_alert, make_console, make_delivery, make_fan_out, make_subscriber
from tests.fakes.telegram import FakeTelegram
from tests.harness import wait_until

pytestmark = pytest.mark.django_db
State = Delivery.State


def row(delivery: Delivery) -> Delivery:
    delivery.refresh_from_db()
    return delivery


def drain_until(condition: Callable[[], Any], timeout_s: float = 15) -> None:
    """Drain again and again, as the sweep does."""

    def tried() -> bool:
        drain(1)
        return bool(condition())

    wait_until(tried, timeout_s)


def all_are(state: str) -> Callable[[], bool]:
    return lambda: not Delivery.objects.exclude(state=state).exists()


def test_a_pending_message_is_sent_and_recorded(telegram: FakeTelegram) -> None:
    alert = make_alert(asset="BTC", severity=Severity.HIGH, revision=3)
    delivery = make_delivery(alert=alert, severity=Severity.HIGH)
    assert drain() == 1
    [sent] = telegram.sent
    row(delivery)
    assert (sent.chat_id, sent.message_id, sent.silent) == (delivery.subscriber.chat_id, delivery.message_id, False)
    assert "BTC" in sent.plain
    assert (delivery.state, delivery.attempts, delivery.revision) == (State.SENT, 1, 3)
    assert delivery.queued_at <= delivery.claimed_at <= delivery.sent_at  # type: ignore[operator]


@pytest.mark.parametrize(("severity", "silent"), [(Severity.LOW, True), (Severity.MODERATE, True), (Severity.HIGH, False), (Severity.EXTREME, False)])
def test_below_high_a_message_makes_no_sound(telegram: FakeTelegram, severity: Severity, silent: bool) -> None:
    make_delivery(severity=severity)
    drain()
    assert telegram.sent[0].silent is silent


def test_the_message_shows_the_incident_at_the_moment_of_sending(telegram: FakeTelegram) -> None:
    alert = make_alert(severity=Severity.LOW)
    delivery = make_delivery(alert=alert)
    escalate(alert, Severity.LOW, 900_000)  # a bigger measurement of the same step
    drain()
    assert "$900k" in telegram.sent[0].plain
    assert row(delivery).revision == alert.revision


def test_a_test_message_is_its_own_text_escaped(telegram: FakeTelegram) -> None:
    make_delivery(text="does <this> & that arrive?")
    drain()
    assert telegram.sent[0].plain == "does <this> & that arrive?"


def test_the_most_severe_goes_first_and_of_equals_the_oldest(telegram: FakeTelegram) -> None:
    order = [Severity.LOW, Severity.EXTREME, Severity.MODERATE, Severity.LOW, Severity.HIGH, Severity.EXTREME]
    rows = [make_delivery(severity=severity) for severity in order]
    drain()
    assert [message.plain for message in telegram.sent] == [rows[number].text for number in (1, 5, 4, 2, 0, 3)]


def test_an_extreme_passes_ten_thousand_low_ones(telegram: FakeTelegram) -> None:
    now = timezone.now()
    people = Subscriber.objects.bulk_create(Subscriber(chat_id=100_000 + number) for number in range(10_000))
    Delivery.objects.bulk_create(
        Delivery(subscriber=person, text="low", severity=1, step=1, queued_at=now, expires_at=now + timedelta(minutes=9)) for person in people
    )
    make_delivery(severity=Severity.EXTREME, text="extreme")
    drain(0.2)
    assert telegram.sent[0].plain == "extreme"
    assert Delivery.objects.filter(state=State.PENDING, severity=1).count() > 9_900


def test_a_burst_keeps_the_limits_of_telegram(telegram: FakeTelegram) -> None:
    telegram.set_latency(0.2)
    for _ in range(60):
        make_delivery()
    drain()
    times = [request.at for request in telegram.requests("sendMessage")]
    assert len(times) == 60 and {request.answered for request in telegram.journal} == {200}
    assert 20 < 59 / (times[-1] - times[0]) < 30  # 28 on a machine that is not busy


def test_one_chat_gets_its_messages_a_second_apart_and_in_order(telegram: FakeTelegram) -> None:
    subscriber = make_subscriber()
    rows = [make_delivery(subscriber) for _ in range(3)]
    others = [make_delivery() for _ in range(3)]
    drain()
    assert [message.plain for message in telegram.sent_to(subscriber.chat_id)] == [item.text for item in rows]
    assert [message.plain for message in telegram.sent][1:4] == [item.text for item in others]
    assert {request.answered for request in telegram.journal} == {200}


def test_a_group_over_its_twenty_a_minute_blocks_nobody(telegram: FakeTelegram, valkey: "Redis") -> None:
    telegram.limits.chat_interval_s = 0
    group = make_subscriber(-100_5)
    for _ in range(25):
        make_delivery(group, severity=Severity.EXTREME)
    other = make_delivery(severity=Severity.LOW)
    while drain(0.05):
        valkey.delete(f"alertsystem:flood:chat:{group.chat_id}")  # as if a second were over
    assert row(other).state == State.SENT
    assert len(telegram.sent_to(group.chat_id)) == 20
    assert Delivery.objects.filter(state=State.PENDING, subscriber=group).count() == 5
    assert {request.answered for request in telegram.journal} == {200}


def test_a_retry_after_is_obeyed_and_nothing_is_lost(telegram: FakeTelegram) -> None:
    telegram.answer_next(429, retry_after=2)
    rows = [make_delivery() for _ in range(5)]
    drain_until(all_are(State.SENT))
    refused, *later = telegram.requests("sendMessage")
    after = [request for request in later if request.answered == 200]
    assert len(after) == 5 and min(request.at for request in after) >= refused.at + 2
    assert len({message.plain for message in telegram.sent}) == len(rows)


def test_connections_refused_are_tried_until_telegram_is_back(telegram: FakeTelegram) -> None:
    telegram.refuse_connections()
    delivery = make_delivery()
    drain(0.5)
    assert (row(delivery).state, delivery.unknown_outcomes) == (State.PENDING, 0)
    assert "cannot be reached" in delivery.reason
    telegram.accept_connections()
    drain_until(all_are(State.SENT))
    assert len(telegram.sent) == 1


def test_after_an_unknown_outcome_it_is_tried_once_more(telegram: FakeTelegram) -> None:
    telegram.cut_next(accept=False)
    delivery = make_delivery()
    drain()
    assert (row(delivery).state, delivery.attempts, delivery.unknown_outcomes) == (State.SENT, 2, 1)


@pytest.mark.parametrize("fault", ["cut", "500"])
def test_after_two_unknown_outcomes_it_is_unknown_and_not_tried_again(telegram: FakeTelegram, fault: str) -> None:
    telegram.cut_next(times=2) if fault == "cut" else telegram.answer_next(500, times=2, accept=True)
    delivery = make_delivery()
    drain()
    drain()
    assert (row(delivery).state, delivery.attempts, delivery.unknown_outcomes) == (State.UNKNOWN, 2, 2)
    assert delivery.reason
    assert len(telegram.requests("sendMessage")) == 2


def test_a_read_time_out_is_tried_once_more_and_blocks_nobody(telegram: FakeTelegram) -> None:
    telegram.hang_next(30, accept=True)
    slow, other = make_delivery(severity=Severity.HIGH), make_delivery()
    drain(1)
    assert row(other).state == State.SENT
    assert other.sent_at < slow.queued_at + timedelta(seconds=2)  # type: ignore[operator]
    drain_until(lambda: row(slow).state == State.SENT)
    assert (slow.attempts, slow.unknown_outcomes, len(telegram.sent_to(slow.subscriber.chat_id))) == (2, 1, 2)


@pytest.mark.parametrize("leave", ["chat_blocks", "chat_kicked", "chat_deactivated", "chat_unknown"])
def test_a_chat_that_is_gone_is_deactivated_with_the_reason(telegram: FakeTelegram, leave: str) -> None:
    subscriber = make_subscriber(-77)
    getattr(telegram, leave)(-77)
    first, second = make_delivery(subscriber), make_delivery(subscriber)
    drain()
    subscriber.refresh_from_db()
    assert not subscriber.active and subscriber.deactivated_reason == row(first).reason != ""
    assert [row(item).state for item in (first, second)] == [State.FAILED] * 2
    assert len(telegram.requests("sendMessage")) == 1


def test_a_text_that_telegram_refuses_fails_alone(telegram: FakeTelegram) -> None:
    bad, good = make_delivery(text="x" * 5000, severity=Severity.HIGH), make_delivery()
    drain()
    bad.subscriber.refresh_from_db()
    assert (row(bad).state, bad.subscriber.active, row(good).state) == (State.FAILED, True, State.SENT)


def test_a_message_that_cannot_be_rendered_fails_alone(telegram: FakeTelegram) -> None:
    bad, good = make_delivery(alert=make_alert(rule={}), severity=Severity.HIGH), make_delivery()
    drain()
    assert (row(bad).state, row(good).state) == (State.FAILED, State.SENT)
    assert row(bad).reason


def test_a_group_that_became_a_supergroup_is_followed(telegram: FakeTelegram) -> None:
    group = make_subscriber(-42)
    telegram.chat_migrates(-42, -10042)
    delivery = make_delivery(group)
    drain()
    group.refresh_from_db()
    assert (group.chat_id, row(delivery).state, telegram.sent[0].chat_id) == (-10042, State.SENT, -10042)


def test_a_supergroup_that_is_subscribed_already_gets_what_waited(telegram: FakeTelegram) -> None:
    old, new = make_subscriber(-42), make_subscriber(-10042)
    telegram.chat_migrates(-42, -10042)
    shared = make_alert()
    both = [make_delivery(person, alert=shared, severity=Severity.HIGH) for person in (old, new)]
    mine = make_delivery(old)
    drain_until(lambda: not Delivery.objects.filter(state=State.PENDING).exists())
    old.refresh_from_db()
    assert not old.active
    assert (row(mine).subscriber, mine.state) == (new, State.SENT)
    assert [row(item).state for item in both] == [State.FAILED, State.SENT]
    assert len(telegram.sent_to(-10042)) == 2


def test_too_old_is_not_sent(telegram: FakeTelegram) -> None:
    old, fresh = make_delivery(expires_in=-1, severity=Severity.EXTREME), make_delivery()
    drain()
    assert (row(old).state, row(fresh).state, len(telegram.sent)) == (State.EXPIRED, State.SENT, 1)


def test_a_lower_step_waits_while_the_higher_ones_deliveries_are_being_written(telegram: FakeTelegram) -> None:
    alert, other = make_alert(), make_alert()
    lower, unrelated = make_delivery(alert=alert), make_delivery(alert=other)
    fan_out = escalate(alert, Severity.HIGH)
    drain()
    assert [message.chat_id for message in telegram.sent] == [unrelated.subscriber.chat_id]
    outbox.fan_out(fan_out)
    drain()
    lower.refresh_from_db()
    assert lower.state == State.SUPERSEDED
    assert [("HIGH" in message.plain) for message in telegram.sent_to(lower.subscriber.chat_id)] == [True]


def test_a_lower_step_that_was_overtaken_is_not_sent(telegram: FakeTelegram) -> None:
    subscriber, alert = make_subscriber(), make_alert(severity=Severity.HIGH)
    lower = make_delivery(subscriber, Severity.LOW, alert)
    make_delivery(subscriber, Severity.HIGH, alert, state=State.SENT)
    drain()
    assert (row(lower).state, telegram.sent) == (State.SUPERSEDED, [])


def test_whoever_left_gets_nothing_more(telegram: FakeTelegram) -> None:
    delivery = make_delivery(make_subscriber(active=False, deactivated_reason="stopped by the chat"))
    drain()
    assert (row(delivery).state, delivery.reason, telegram.sent) == (State.FAILED, "stopped by the chat", [])


def test_without_a_valid_token_messages_wait_and_the_console_prints(telegram: FakeTelegram, capfd: pytest.CaptureFixture[str]) -> None:
    telegram.token = "another"
    waiting = [make_delivery(severity=Severity.HIGH) for _ in range(5)]
    printed = make_delivery(make_console(), text="on the console")
    drain()
    assert {row(item).state for item in waiting} == {State.PENDING}
    assert "TELEGRAM_BOT_TOKEN" in row(waiting[0]).reason
    assert (row(printed).state, printed.message_id) == (State.SENT, None)
    assert "\non the console\n" in capfd.readouterr().out
    assert not telegram.sent


def test_the_console_takes_no_slot(telegram: FakeTelegram, valkey: "Redis", capfd: pytest.CaptureFixture[str]) -> None:
    console = make_console()
    for _ in range(30):
        make_delivery(console)
    assert drain() == 30
    assert not valkey.keys("alertsystem:flood:*")


def test_without_redis_messages_wait_and_the_console_prints(telegram: FakeTelegram, settings: Any, capfd: pytest.CaptureFixture[str]) -> None:
    waiting, printed = make_delivery(severity=Severity.HIGH), make_delivery(make_console())
    url, settings.BROKER_URL = settings.BROKER_URL, "redis://127.0.0.1:1/0"
    redis_client.cache_clear()
    limiter.cache_clear()
    drain(0.3)
    assert (row(waiting).state, waiting.attempts, row(printed).state) == (State.PENDING, 0, State.SENT)
    settings.BROKER_URL = url
    redis_client.cache_clear()
    limiter.cache_clear()
    drain_until(lambda: row(waiting).state == State.SENT)


def test_while_another_holds_the_lease_nothing_is_sent(telegram: FakeTelegram) -> None:
    lease = Lease.objects.create(name="dispatch", holder="another", until=timezone.now() + timedelta(seconds=5))
    delivery = make_delivery()
    assert drain() == 0
    Lease.objects.filter(pk=lease.pk).update(until=timezone.now() - timedelta(seconds=1))
    assert drain() == 1
    assert row(delivery).state == State.SENT


def test_what_a_dead_drainer_was_sending_is_tried_once_more_and_then_unknown(telegram: FakeTelegram) -> None:
    once, twice = make_delivery(state=State.SENDING), make_delivery(state=State.SENDING, unknown_outcomes=1)
    Lease.objects.create(name="dispatch", holder="the dead one", until=timezone.now())
    drain()
    assert (row(once).state, once.unknown_outcomes) == (State.SENT, 1)
    assert (row(twice).state, twice.unknown_outcomes, twice.reason) == (State.UNKNOWN, 2, "the sender died while sending")


def test_a_slice_that_ends_asks_for_the_next_one(telegram: FakeTelegram, valkey: "Redis") -> None:
    for _ in range(20):
        make_delivery()
    drain(0.1)
    assert valkey.llen("alertsystem:delivery:9") == 1


def test_an_idle_drainer_asks_for_nothing(telegram: FakeTelegram, valkey: "Redis") -> None:
    make_delivery()
    drain()
    assert not valkey.keys("alertsystem:delivery*")


def test_a_fan_out_and_a_drain_tell_everybody_once(telegram: FakeTelegram) -> None:
    people = [make_subscriber() for _ in range(5)]
    alert = make_alert()
    outbox.fan_out(make_fan_out(alert))
    drain()
    outbox.fan_out(make_fan_out(alert))
    drain()
    assert sorted(message.chat_id for message in telegram.sent) == sorted(person.chat_id for person in people)
