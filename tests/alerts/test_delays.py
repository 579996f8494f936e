"""How long the messages of the last hour took, and what the day has brought."""

from datetime import timedelta

import pytest
from django.utils import timezone

from alerts import days
from alerts.delays import Delays, delays
from alerts.models import Delivery
from monitors.thresholds import Severity
from subscribers.models import Subscriber
from tests.alerts.builders import make_alert, make_delivery, make_subscriber

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def ann() -> Subscriber:
    return make_subscriber()


def sent(subscriber: Subscriber, took_ms: int, minutes_ago: float = 5, **fields: object) -> None:
    sent_at = NOW - timedelta(minutes=minutes_ago)
    row = make_delivery(subscriber, alert=make_alert(), state="sent")
    Delivery.objects.filter(pk=row.pk).update(received_at=sent_at - timedelta(milliseconds=took_ms), sent_at=sent_at, **fields)


def test_the_median_and_the_slowest_of_the_last_hour(ann: Subscriber) -> None:
    for took_ms in (80, 2_000, 90):
        sent(ann, took_ms)
    sent(ann, 9_000, minutes_ago=61)
    sent(ann, 9_000, purpose="digest")
    sent(ann, 9_000, state="failed")
    sent(make_subscriber(channel=Subscriber.Channel.WEBHOOK), 9_000)
    assert delays(NOW) == Delays(3, 90, 2_000)


def test_where_nothing_was_sent_there_is_no_delay(ann: Subscriber) -> None:
    make_delivery(ann)
    assert delays(NOW) is None


def test_a_day_counts_what_is_for_everybody_and_what_the_chat_has_heard_of(ann: Subscriber) -> None:
    own = make_alert(severity=Severity.BELOW_LOW)
    make_delivery(ann, Severity.BELOW_LOW, own, state="sent")
    make_alert(severity=Severity.HIGH)
    for _ in range(2):
        make_alert(severity=Severity.LOW)
    make_alert(severity=Severity.HIGH, opened_at=NOW - timedelta(hours=3))
    since = NOW - timedelta(hours=1)
    assert days.since(since, ann) == days.Day({Severity.HIGH: 1, Severity.LOW: 2}, 1)
    assert list(days.since(since, None).by_severity) == [Severity.HIGH, Severity.LOW], "the most severe first"
    assert days.since(since, None).heard is None
