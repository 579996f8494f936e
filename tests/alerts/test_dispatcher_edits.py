"""A message that was sent follows its incident, without getting in the way of new ones."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from redis import Redis

from alerts import claims, outbox
from alerts.dispatcher import drain
from alerts.models import Alert, Delivery
from alertsystem.broker import key
from monitors.thresholds import Severity
from subscribers.models import Subscriber
from tests.alerts.builders import escalate, make_alert, make_console, make_delivery, make_signal, make_subscriber
from tests.fakes.telegram import FakeTelegram

pytestmark = pytest.mark.django_db
State = Delivery.State
Make = Callable[..., Delivery]


@pytest.fixture
def told(telegram: FakeTelegram, valkey: "Redis") -> Make:
    """A message that was really sent; by default six seconds ago."""
    telegram.limits.chat_interval_s = 0  # the six seconds are not waited for

    def make(alert: Alert, subscriber: Subscriber | None = None, severity: Severity = Severity.LOW, ago_s: float = 6) -> Delivery:
        delivery = make_delivery(subscriber, severity, alert)
        drain()
        Delivery.objects.filter(pk=delivery.pk).update(sent_at=timezone.now() - timedelta(seconds=ago_s))
        valkey.flushall()  # as if the limits of that time were over
        delivery.refresh_from_db()
        assert delivery.state == State.SENT
        return delivery

    return make


def grow(alert: Alert, value: int) -> None:
    """A bigger measurement of the same severity."""
    alert.peak = make_signal(value, alert.asset)
    alert.revision, alert.changed_at = alert.revision + 1, timezone.now()
    alert.save()


def edits(telegram: FakeTelegram) -> list[Any]:
    return telegram.requests("editMessageText")


def test_a_message_is_edited_to_the_latest_state_only(telegram: FakeTelegram, told: Make) -> None:
    alert = make_alert()
    delivery = told(alert)
    for value in (700_000, 800_000, 900_000):
        grow(alert, value)
    drain()
    assert len(edits(telegram)) == 1 and "$900k" in telegram.sent[0].plain
    delivery.refresh_from_db()
    assert (delivery.revision, delivery.state) == (alert.revision, State.SENT)
    drain()
    assert len(edits(telegram)) == 1


def test_a_message_is_edited_at_most_every_five_seconds(telegram: FakeTelegram, told: Make) -> None:
    alert = make_alert()
    delivery = told(alert, ago_s=4)
    grow(alert, 700_000)
    drain()
    assert not edits(telegram)
    Delivery.objects.update(sent_at=timezone.now() - timedelta(seconds=5))
    drain()
    assert len(edits(telegram)) == 1
    grow(alert, 800_000)
    drain()
    assert len(edits(telegram)) == 1
    Delivery.objects.filter(pk=delivery.pk).update(edited_at=timezone.now() - timedelta(seconds=5))
    drain()
    assert len(edits(telegram)) == 2


def test_edits_wait_while_new_messages_are_pending(telegram: FakeTelegram, told: Make) -> None:
    alert = make_alert()
    told(alert)
    grow(alert, 700_000)
    for _ in range(20):
        make_delivery()
    drain()
    assert [request.method for request in telegram.journal] == ["sendMessage"] * 21 + ["editMessageText"]
    assert {request.answered for request in telegram.journal} == {200}


def test_the_slot_that_a_chat_waits_for_is_taken_by_a_new_message_and_not_by_an_edit(telegram: FakeTelegram, told: Make) -> None:
    chats = [make_subscriber() for _ in range(12)]
    alert = make_alert()
    for subscriber in chats:
        told(alert, subscriber)
    shown = len(telegram.journal)
    grow(alert, 700_000)
    telegram.answer_next(502, times=len(chats), methods=["sendMessage"])  # nobody knows the outcome: each is tried once more, a second later
    for subscriber in chats:
        make_delivery(subscriber)
    drain()
    methods = [request.method for request in telegram.journal[shown:]]
    again = methods.count("sendMessage") - len(chats)  # fewer where others are tried again before the last ones are tried at all
    assert 0 < again <= len(chats)
    assert methods == ["sendMessage"] * (len(chats) + again) + ["editMessageText"] * 12


def test_an_edit_waits_for_new_messages_whose_chats_wait_for_a_second_and_not_for_a_group_at_its_limit(
    telegram: FakeTelegram, told: Make, valkey: "Redis"
) -> None:
    alert, busy, group = make_alert(), make_subscriber(), make_subscriber(-5)
    told(alert)
    shown = len(telegram.journal)
    grow(alert, 700_000)
    valkey.lpush(key("flood", f"group:{group.chat_id}"), *[round(time.time() * 1_000_000)] * 20)
    for subscriber in (busy, busy, group):
        make_delivery(subscriber)
    drain()
    assert [request.method for request in telegram.journal[shown:]] == ["sendMessage", "sendMessage", "editMessageText"]
    assert Delivery.objects.get(state=State.PENDING).subscriber == group


def test_only_the_newest_message_of_the_incident_is_edited(telegram: FakeTelegram, told: Make) -> None:
    alert, subscriber = make_alert(), make_subscriber()
    first = told(alert, subscriber)
    escalate(alert, Severity.HIGH).delete()  # as carried out
    second = told(alert, subscriber, Severity.HIGH)
    grow(alert, 7_000_000)
    drain()
    assert [request.params["message_id"] for request in edits(telegram)] == [str(second.message_id)]
    first.refresh_from_db()
    assert not first.live


def test_an_edit_waits_until_the_deliveries_of_a_new_step_are_written(telegram: FakeTelegram, told: Make) -> None:
    alert, subscriber = make_alert(), make_subscriber()
    told(alert, subscriber)
    fan_out = escalate(alert, Severity.HIGH)
    drain()
    assert not edits(telegram)
    outbox.fan_out(fan_out)
    drain()
    assert [(request.method, "HIGH" in request.text) for request in telegram.journal] == [("sendMessage", False), ("sendMessage", True)]


def test_the_closing_edit_comes_and_is_dropped_after_ten_minutes(telegram: FakeTelegram, told: Make) -> None:
    alert, old = make_alert(), make_alert()
    told(alert)
    told(old)
    now = timezone.now()
    for item, changed_at in ((alert, now), (old, now - timedelta(minutes=10))):
        Alert.objects.filter(pk=item.pk).update(closed_at=now, revision=2, changed_at=changed_at)
    drain()
    assert [request.chat_id for request in edits(telegram)] == [alert.deliveries.get().subscriber.chat_id]


def test_a_message_that_is_not_modified_is_done(telegram: FakeTelegram, told: Make) -> None:
    alert = make_alert()
    delivery = told(alert)
    Alert.objects.update(revision=5)
    drain()
    delivery.refresh_from_db()
    assert (edits(telegram)[0].answered, delivery.revision, delivery.live) == (400, 5, True)


def test_a_message_that_was_deleted_is_left_alone_and_blocks_nobody(telegram: FakeTelegram, told: Make) -> None:
    alert = make_alert()
    gone, there = told(alert), told(alert)
    telegram.chats.answer("deleteMessage", {"chat_id": gone.subscriber.chat_id, "message_id": gone.message_id})
    grow(alert, 700_000)
    drain()
    drain()
    gone.refresh_from_db()
    there.refresh_from_db()
    assert (gone.live, gone.state, there.revision, len(edits(telegram))) == (False, State.SENT, alert.revision, 2)
    assert gone.subscriber.active


def test_whoever_blocked_the_bot_is_deactivated_by_an_edit_too(telegram: FakeTelegram, told: Make) -> None:
    alert = make_alert()
    delivery = told(alert)
    telegram.chat_blocks(delivery.subscriber.chat_id)
    grow(alert, 700_000)
    drain()
    delivery.subscriber.refresh_from_db()
    assert not delivery.subscriber.active and delivery.subscriber.deactivated_reason


def test_an_edit_without_an_answer_is_tried_again_later(telegram: FakeTelegram, told: Make) -> None:
    alert = make_alert()
    delivery = told(alert)
    telegram.answer_next(500, methods=["editMessageText"])
    grow(alert, 700_000)
    drain()
    assert len(edits(telegram)) == 1
    Delivery.objects.update(edited_at=timezone.now() - timedelta(seconds=5))
    drain()
    delivery.refresh_from_db()
    assert (delivery.revision, len(edits(telegram))) == (alert.revision, 2)


def test_the_console_is_not_edited(telegram: FakeTelegram, told: Make, capfd: pytest.CaptureFixture[str]) -> None:
    alert = make_alert()
    told(alert, make_console())
    printed = capfd.readouterr().out
    grow(alert, 700_000)
    assert printed and drain() == 0
    assert capfd.readouterr().out == ""


def test_what_waits_for_a_drainer_is_as_urgent_as_its_most_severe_message(telegram: FakeTelegram, told: Make) -> None:
    now = timezone.now()
    assert claims.most_urgent(now) is None
    alert = make_alert()
    told(alert)
    assert claims.most_urgent(now) is None
    grow(alert, 700_000)
    assert claims.most_urgent(timezone.now()) is Severity.LOW
    make_delivery(severity=Severity.HIGH, state=State.SENDING)
    assert claims.most_urgent(timezone.now()) is Severity.HIGH
