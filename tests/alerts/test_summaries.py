"""An incident at HIGH or more that lasts: who gets a summary every 30 minutes, and once."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from alerts import summaries
from alerts.dispatcher import drain
from alerts.models import Alert, Delivery, MarketMove
from alerts.tasks import tell_held
from monitors.thresholds import Severity
from subscribers.models import Mute, Subscriber
from tests.alerts.builders import make_alert, make_console, make_delivery, make_subscriber
from tests.fakes.telegram import FakeTelegram

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
State, Purpose = Delivery.State, Delivery.Purpose
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def lasts(minutes: float, severity: Severity = Severity.HIGH, **fields: Any) -> Alert:
    """An incident that began so long ago and was seen just now."""
    now = timezone.now()
    return make_alert(severity=severity, opened_at=now - minutes * MINUTE, last_seen_at=now, **fields)


def tell(alert: Alert, subscriber: Subscriber | None = None, **fields: Any) -> Subscriber:
    """Somebody was told of the incident when it began."""
    subscriber = subscriber or make_subscriber()
    make_delivery(subscriber, Severity(alert.severity), alert, **{"state": State.SENT, "message_id": 7, "sent_at": alert.opened_at, **fields})
    return subscriber


def got(subscriber: Subscriber) -> list[int]:
    """The numbers of the summaries."""
    return list(Delivery.objects.filter(subscriber=subscriber, purpose=Purpose.SUMMARY).order_by("id").values_list("number", flat=True))


def grows(alert: Alert, minutes: float) -> None:
    Alert.objects.filter(pk=alert.pk).update(last_seen_at=alert.opened_at + minutes * MINUTE)


def test_every_half_hour_that_it_lasts_one_summary(now: datetime) -> None:
    alert = lasts(20)
    somebody = tell(alert)
    counts = []
    for minutes in (20, 29.9, 30, 31, 59, 61, 61):
        grows(alert, minutes)
        summaries.write_due(now)
        counts.append(len(got(somebody)))
    assert counts == [0, 0, 1, 1, 1, 2, 2] and got(somebody) == [1, 2]
    row = Delivery.objects.get(number=1)
    assert (row.about, row.alert, row.state, row.expires_at) == (alert, None, State.PENDING, alert.opened_at + HOUR)


def test_what_was_missed_is_told_once(now: datetime) -> None:
    somebody = tell(lasts(200))
    assert summaries.write_due(now) == 1
    assert got(somebody) == [6]


@pytest.mark.parametrize("severity", [Severity.LOW, Severity.MODERATE])
def test_not_below_high(now: datetime, severity: Severity) -> None:
    tell(lasts(40, severity))
    assert summaries.write_due(now) == 0


def test_not_when_it_is_over_or_was_not_seen_for_so_long(now: datetime) -> None:
    tell(lasts(40, closed_at=now))
    quiet = lasts(40)
    tell(quiet)
    grows(quiet, 29)
    assert summaries.write_due(now) == 0


def test_to_those_who_were_told_of_it_at_high_or_more_before(now: datetime) -> None:
    alert = lasts(40, Severity.EXTREME)
    told = tell(alert)
    for fields in (
        {"state": State.PENDING}, {"state": State.HELD}, {"state": State.FOLDED}, {"sent_at": now}, {"move": MarketMove.objects.create(opened_at=now)},
    ):  # fmt: skip
        tell(alert, **fields)
    quietly, gone, console = make_subscriber(), make_subscriber(active=False), make_console()
    make_delivery(quietly, Severity.MODERATE, alert, state=State.SENT, sent_at=alert.opened_at)
    tell(alert, gone)
    tell(alert, console, message_id=None)
    assert summaries.write_due(now) == 2
    assert got(told) == got(console) == [1] and got(quietly) == got(gone) == []


def test_not_to_whom_a_mute_quiet_hours_or_the_cap_would_hold_it_back(now: datetime) -> None:
    alert = lasts(40)
    muted, quiet, capped, loud = (tell(alert) for _ in range(4))
    Mute.objects.create(subscriber=muted, asset=alert.asset, until=now + HOUR)
    for somebody, lets_through in ((quiet, Severity.EXTREME), (loud, Severity.HIGH)):
        Subscriber.objects.filter(pk=somebody.pk).update(quiet_starts_at=now - HOUR, quiet_ends_at=now + HOUR, quiet_lets_through=lets_through)
    for _ in range(30):
        make_delivery(capped, alert=make_alert())
    assert summaries.write_due(now) == 1
    assert got(loud) == [1]
    Mute.objects.all().delete()
    assert summaries.write_due(now) == 0, "the next one comes in half an hour"


def test_a_summary_does_not_count_toward_the_cap(now: datetime) -> None:
    somebody = make_subscriber()
    for number in range(1, 32):
        make_delivery(somebody, purpose=Purpose.SUMMARY, about=make_alert(), number=number)
    alert = lasts(40)
    tell(alert, somebody)
    assert summaries.write_due(now) == 1


def test_it_goes_on_where_it_was_interrupted(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summaries, "CHUNK", 3)
    alert = lasts(40)
    people = [tell(alert) for _ in range(8)]
    assert summaries._write(alert, 1, 0, now) == (3, people[2].pk)  # and then the worker dies
    assert summaries.write_due(now) == 5
    assert [got(somebody) for somebody in people] == [[1]] * 8
    alert.refresh_from_db()
    assert alert.summaries == 1


def test_it_is_a_new_message_without_a_sound_and_after_every_alert(telegram: FakeTelegram) -> None:
    telegram.limits.chat_interval_s = 0
    alert = lasts(61, tally={"usd": "9100000", "events": "321", "since_ms": "0", "seen_usd": "0", "seen_events": "0"})
    somebody = tell(alert)
    assert tell_held() == 1
    make_delivery(somebody, Severity.BELOW_LOW, make_alert(severity=Severity.BELOW_LOW))
    drain()
    first, second = telegram.requests("sendMessage")
    assert "your threshold" in first.text
    assert f"Summary, 61 min: HIGH {alert.asset} longs liquidated $9.1M in 321 events" in second.text
    assert second.params["disable_notification"] in (True, "true", "True")
    assert "reply_markup" in second.params
