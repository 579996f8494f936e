"""At the end of a hold one digest tells what was held: to whom, of what, once, and not too often."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from redis import Redis

from alerts import digests, outbox
from alerts.digest_message import digest_message
from alerts.dispatcher import drain
from alerts.models import Alert, Delivery, MarketMove, Outcome
from alerts.tasks import tell_held
from monitors.market import Kind
from monitors.thresholds import Severity
from subscribers import services
from subscribers.models import OFF, Mute, Subscriber
from tests.alerts.builders import escalate, make_alert, make_console, make_delivery, make_fan_out, make_signal, make_subscriber
from tests.fakes.telegram import FakeTelegram

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
State, Purpose = Delivery.State, Delivery.Purpose
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def hold(subscriber: Subscriber, ended: timedelta = MINUTE, reason: str = "muted", alert: Alert | None = None, **fields: Any) -> Delivery:
    """A delivery whose hold ended so long ago."""
    now = timezone.now()
    return make_delivery(
        subscriber, alert=alert or make_alert(), **{"state": State.HELD, "reason": reason, "held_until": now - ended, "queued_at": now - 2 * ended, **fields}
    )


def digests_of(subscriber: Subscriber) -> list[Delivery]:
    return list(Delivery.objects.filter(subscriber=subscriber, purpose=Purpose.DIGEST).order_by("pk"))


def be_quiet(subscriber: Subscriber, until: datetime, lets_through: int = Severity.EXTREME) -> None:
    Subscriber.objects.filter(pk=subscriber.pk).update(quiet_starts_at=until - 8 * HOUR, quiet_ends_at=until, quiet_lets_through=lets_through)


# When, and to whom


def test_what_was_held_is_told_in_one_digest_when_the_hold_is_over(now: datetime) -> None:
    somebody, other = make_subscriber(), make_subscriber()
    rows = [hold(somebody), hold(somebody, reason="quiet hours"), hold(somebody, reason="over the hourly cap")]
    later = hold(other, ended=-HOUR)
    Mute.objects.create(subscriber=other, until=now + HOUR)
    assert digests.write_due(now) == 3
    (digest,) = digests_of(somebody)
    assert (digest.state, digest.severity, digest.alert, digest.expires_at - digest.queued_at) == (State.PENDING, 0, None, 12 * HOUR)
    assert set(digest.told.values_list("pk", "state")) == {(row.pk, State.HELD) for row in rows}
    later.refresh_from_db()
    assert digests_of(other) == [] and later.digest is None


def test_nobody_is_told_of_nothing(now: datetime, valkey: Redis) -> None:
    make_subscriber()
    assert digests.write_due(now) == 0
    assert not Delivery.objects.exists() and not valkey.keys("alertsystem:delivery*")


def test_a_second_look_tells_nothing_again(now: datetime) -> None:
    somebody = make_subscriber()
    hold(somebody)
    assert (digests.write_due(now), digests.write_due(now)) == (1, 0)
    assert len(digests_of(somebody)) == 1


def test_what_becomes_due_while_the_digest_is_unsent_joins_it(now: datetime) -> None:
    somebody = make_subscriber()
    hold(somebody)
    digests.write_due(now)
    hold(somebody)
    digests.write_due(now)
    (digest,) = digests_of(somebody)
    assert digest.told.count() == 2


def test_while_the_digest_is_being_sent_what_becomes_due_waits_for_the_next_look(now: datetime) -> None:
    somebody = make_subscriber()
    hold(somebody)
    digests.write_due(now)
    Delivery.objects.filter(purpose=Purpose.DIGEST).update(state=State.SENDING)
    hold(somebody)
    assert digests.write_due(now) == 0
    Delivery.objects.filter(purpose=Purpose.DIGEST).update(state=State.SENT)
    assert digests.write_due(now) == 1
    assert [digest.told.count() for digest in digests_of(somebody)] == [1, 1]


def test_many_people_are_told_chunk_by_chunk(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "ROWS", 4)
    people = [make_subscriber() for _ in range(7)]
    for _ in range(3):
        for somebody in people:
            hold(somebody)
    assert digests.write_due(now) == 21
    assert [digest.told.count() for somebody in people for digest in digests_of(somebody)] == [3] * 7


def test_those_who_stopped_are_not_told(now: datetime) -> None:
    somebody = make_subscriber(active=False)
    row = hold(somebody)
    assert digests.write_due(now) == 0
    row.refresh_from_db()
    assert digests_of(somebody) == [] and (row.state, row.held_until) == (State.HELD, None)


def test_a_mute_that_ends_in_quiet_hours_is_told_after_them(now: datetime) -> None:
    somebody, morning = make_subscriber(), now + HOUR
    be_quiet(somebody, morning, lets_through=Severity.LOW)
    row = hold(somebody)
    assert digests.write_due(now) == 0
    row.refresh_from_db()
    assert (row.held_until, row.reason) == (morning, "muted")
    assert digests.write_due(morning) == 1


def test_a_mute_of_the_same_that_goes_on_is_waited_for_and_others_are_not(now: datetime) -> None:
    somebody = make_subscriber()
    Mute.objects.create(subscriber=somebody, asset="ETH", until=now + HOUR)
    Mute.objects.create(subscriber=somebody, kind=Kind.VOLUME, until=now + HOUR)
    waits, goes = hold(somebody, alert=make_alert(make_signal(asset="ETH"))), hold(somebody, alert=make_alert(make_signal(asset="BTC")))
    assert digests.write_due(now) == 1
    waits.refresh_from_db()
    goes.refresh_from_db()
    assert (waits.held_until, waits.digest, goes.digest) == (now + HOUR, None, digests_of(somebody)[0])


@pytest.mark.parametrize("change", ["unmute", "no quiet hours"])
def test_a_hold_that_is_lifted_before_its_time_is_told_then(now: datetime, change: str) -> None:
    somebody = make_subscriber()
    services.mute(somebody, None, "BTC", now + HOUR, now)
    services.set_quiet_hours(somebody, (now - HOUR).time(), (now + HOUR).time(), OFF, now)
    outbox.fan_out(make_fan_out(make_alert(make_signal(asset="BTC"))))
    outbox.fan_out(make_fan_out(make_alert(make_signal(asset="ETH"))))
    assert digests.write_due(now) == 0
    services.unmute(somebody, None, "", now)
    assert digests.write_due(now) == 0, "both wait for the quiet hours"
    if change == "unmute":
        services.mute(somebody, None, "BTC", now + HOUR, now)
    services.set_quiet_hours(somebody, None, None, Severity.EXTREME, now)
    assert digests.write_due(now) == (1 if change == "unmute" else 2)


def test_quiet_hours_are_renewed_when_they_are_over(now: datetime) -> None:
    somebody = make_subscriber()
    services.set_quiet_hours(somebody, (now - 3 * HOUR).time(), (now - HOUR).time(), Severity.EXTREME, now - 2 * HOUR)
    tell_held()
    somebody.refresh_from_db()
    assert somebody.quiet_starts_at is not None and somebody.quiet_starts_at > now


# What came too late


def test_what_came_too_late_is_told_by_the_next_digest(now: datetime) -> None:
    somebody = make_subscriber()
    row = make_delivery(somebody, alert=make_alert(), expires_in=-1)
    make_delivery(somebody, expires_in=-1, purpose=Purpose.TEST)
    outbox.expire_due(now)
    assert digests.write_due(now) == 1
    row.refresh_from_db()
    assert (row.state, row.digest) == (State.EXPIRED, digests_of(somebody)[0])


def test_an_outage_of_minutes_gives_one_digest(now: datetime, telegram: FakeTelegram) -> None:
    somebody = make_subscriber()
    for minute in range(5):
        make_delivery(somebody, alert=make_alert(), expires_in=-1)
        outbox.expire_due(now + minute * MINUTE)
        digests.write_due(now + minute * MINUTE)
    drain()
    assert len(telegram.sent) == 1 and "5 alerts" in telegram.sent[0].plain
    make_delivery(somebody, alert=make_alert(), expires_in=-1)  # a straggler
    outbox.expire_due(now + 6 * MINUTE)
    assert digests.write_due(now + 6 * MINUTE) == 0
    assert digests.write_due(digests_of(somebody)[0].queued_at + digests.REST) == 1


def test_a_straggler_goes_with_a_digest_that_comes_anyway(now: datetime) -> None:
    somebody = make_subscriber()
    make_delivery(somebody, purpose=Purpose.DIGEST, state=State.SENT)
    hold(somebody, reason="over the hourly cap")
    assert digests.write_due(now) == 0
    hold(somebody)
    hold(somebody, reason="over the hourly cap")
    assert digests.write_due(now) == 2


def test_what_an_expired_digest_would_have_told_the_next_one_tells(now: datetime) -> None:
    somebody = make_subscriber()
    hold(somebody)
    digests.write_due(now)
    outbox.expire_due(now + 12 * HOUR)
    assert digests.write_due(now + 12 * HOUR) == 1
    assert [(digest.state, digest.told.count()) for digest in digests_of(somebody)] == [(State.EXPIRED, 0), (State.PENDING, 1)]


# What leaves the digest


def test_an_incident_that_is_told_louder_leaves_the_digest_before_it_is_written(now: datetime) -> None:
    somebody = make_subscriber()
    held, late = make_alert(), make_alert()
    hold(somebody, alert=held)
    make_delivery(somebody, alert=late, state=State.EXPIRED, held_until=now)
    for alert in (held, late):
        outbox.fan_out(make_fan_out(alert))
        outbox.fan_out(escalate(alert, Severity.HIGH))
    assert digests.write_due(now) == 0
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.SUPERSEDED, State.EXPIRED, State.PENDING}


def test_and_before_it_is_sent_and_an_empty_one_is_not_sent(now: datetime, telegram: FakeTelegram) -> None:
    telegram.limits.chat_interval_s = 0
    somebody = make_subscriber()
    alert = make_alert()
    hold(somebody, alert=alert)
    outbox.fan_out(make_fan_out(alert))
    digests.write_due(now)
    outbox.fan_out(escalate(alert, Severity.EXTREME, 20_000_000))
    drain()
    assert [message.plain.split()[0] for message in telegram.sent] == ["EXTREME"]
    assert [(digest.state, digest.reason) for digest in digests_of(somebody)] == [(State.SUPERSEDED, "nothing was left to tell")]


def test_what_a_digest_has_told_stays_told(now: datetime) -> None:
    somebody = make_subscriber()
    alert = make_alert()
    row = hold(somebody, alert=alert)
    outbox.fan_out(make_fan_out(alert))
    digests.write_due(now)
    Delivery.objects.filter(purpose=Purpose.DIGEST).update(state=State.SENT)
    outbox.fan_out(escalate(alert, Severity.HIGH))
    row.refresh_from_db()
    assert row.state == State.HELD


# What it says


def test_it_tells_each_incident_once_by_its_highest_held_step_the_oldest_first(now: datetime, telegram: FakeTelegram) -> None:
    somebody = make_subscriber(time_zone="Asia/Tokyo")
    opened = now.replace(hour=3, minute=12)
    young, old = make_alert(opened_at=opened), make_alert(severity=Severity.HIGH, opened_at=opened - HOUR)
    hold(somebody, alert=young, reason="quiet hours")
    hold(somebody, alert=old, severity=Severity.MODERATE)
    hold(somebody, alert=old, severity=Severity.HIGH)
    make_delivery(somebody, alert=make_alert(opened_at=opened + MINUTE), state=State.EXPIRED, held_until=now)
    Outcome.objects.create(alert=old, horizon_min=15, state=Outcome.State.KNOWN, change_pct=-2.1, due_at=now)
    Outcome.objects.create(alert=young, horizon_min=15, due_at=now)
    digests.write_due(now)
    drain()
    (message,) = telegram.sent
    headline, first, second, third, last = message.plain.splitlines()
    assert headline == "Held back: 3 alerts"
    assert "11:12 " in first and first.endswith(f"{old.asset} longs liquidated $600k, HIGH; 15 min later −2.1 %")
    assert "12:12 " in second and second.endswith(f"{young.asset} longs liquidated $600k, LOW; 15 min later: not known yet")
    assert third.endswith(", LOW, not sent in time")
    assert last.endswith("Times: Asia/Tokyo") and all(part in last.lower() for part in ("muted 1", "quiet hours 1", "not sent in time 1"))
    assert telegram.requests("sendMessage")[0].params["disable_notification"] in (True, "true", "True")


def test_of_more_than_twenty_the_most_severe_have_a_line(now: datetime) -> None:
    somebody = make_subscriber()
    for number in range(23):
        hold(somebody, alert=make_alert(opened_at=now - HOUR + number * MINUTE), severity=Severity.HIGH if number == 22 else Severity.LOW)
    digests.write_due(now)
    *lines, more, _ = digest_message(digests_of(somebody)[0], now).lines
    assert (len(lines), more) == (20, "and 3 more") and lines[-1].endswith("HIGH")
    assert lines == sorted(lines)


def test_a_market_wide_message_is_one_line_and_as_severe_as_it_says_itself(now: datetime) -> None:
    somebody = make_subscriber()
    move = MarketMove.objects.create(family="liquidations", direction="LONG", opened_at=now)
    for severity in (Severity.HIGH, Severity.LOW, Severity.LOW, Severity.LOW):
        make_delivery(somebody, alert=make_alert(severity=severity), state=State.FOLDED, move=move)
    make_delivery(somebody, move=move, severity=Severity.LOW, state=State.HELD, reason="quiet hours", held_until=now)
    digests.write_due(now)
    line, _ = digest_message(digests_of(somebody)[0], now).lines
    assert line.endswith("market-wide: 4 assets, longs liquidated $2.4M, HIGH")


def test_digests_do_not_count_toward_the_cap(now: datetime) -> None:
    somebody = make_subscriber()
    for _ in range(12):
        make_delivery(somebody, purpose=Purpose.DIGEST, state=State.SENT)
    alert = make_alert()
    outbox.fan_out(make_fan_out(alert))
    assert Delivery.objects.get(alert=alert).state == State.PENDING


def test_every_alert_leaves_before_a_digest(now: datetime, telegram: FakeTelegram) -> None:
    telegram.limits.chat_interval_s = 0
    somebody = make_subscriber()
    hold(somebody)
    digests.write_due(now)
    alert = make_alert(severity=Severity.BELOW_LOW)
    make_delivery(somebody, Severity.BELOW_LOW, alert=alert)
    drain()
    assert ["Held back" in message.plain for message in telegram.sent] == [False, True]


def test_the_terminal_prints_it(now: datetime, capfd: pytest.CaptureFixture[str]) -> None:
    hold(make_console())
    digests.write_due(now)
    drain()
    assert "Held back: 1 alert" in capfd.readouterr().out


def test_the_admin_shows_what_was_held_until_when_and_which_digest_told_of_it(now: datetime, admin_client: Client) -> None:
    somebody = make_subscriber()
    row = hold(somebody, reason="quiet hours")
    digests.write_due(now)
    digest = digests_of(somebody)[0]
    page = admin_client.get(reverse("admin:alerts_delivery_change", args=[row.pk])).content.decode()
    assert "quiet hours" in page and f"{row.held_until:%Y-%m-%d %H:%M:%S}" in page and f"digest {digest.pk}" in page
    page = admin_client.get(reverse("admin:alerts_delivery_change", args=[digest.pk])).content.decode()
    assert "Held back: 1 alert" in page and "longs liquidated $600k, LOW" in page
    for reason, shown in (("quiet hours", True), ("muted", False)):
        listed = admin_client.get(reverse("admin:alerts_delivery_changelist"), {"held": reason}).content.decode()
        assert (reverse("admin:alerts_delivery_change", args=[row.pk]) in listed) is shown
    listed = admin_client.get(reverse("admin:alerts_delivery_changelist"), {"purpose__exact": "digest"}).content.decode()
    assert reverse("admin:alerts_delivery_change", args=[digest.pk]) in listed and reverse("admin:alerts_delivery_change", args=[row.pk]) not in listed
