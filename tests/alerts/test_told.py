"""What a subscriber has heard of an alert."""

from datetime import timedelta

import pytest
from django.utils import timezone

from alerts import told
from alerts.models import Alert, Delivery, MarketMove
from subscribers.models import Subscriber
from tests.alerts.builders import make_alert, make_delivery, make_subscriber

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def heard(subscriber: Subscriber) -> set[Alert]:
    return set(Alert.objects.filter(told.heard_by(subscriber)))


def told_at(alert: Alert, subscriber: Subscriber) -> list[object]:
    return [step.told_at for step in told.steps(alert, subscriber)]


def test_a_message_of_its_own_tells_and_so_does_a_market_wide_one_and_a_digest_once_they_are_sent() -> None:
    ann = make_subscriber()
    own, wide, held, late, waiting = (make_alert() for _ in range(5))
    move = MarketMove.objects.create(family="liquidations", direction="LONG", opened_at=NOW)
    make_delivery(ann, alert=own, state="sent", sent_at=NOW)
    make_delivery(ann, alert=wide, state="folded", move=move)
    message = make_delivery(ann, move=move)
    digest = make_delivery(ann, purpose=Delivery.Purpose.DIGEST)
    make_delivery(ann, alert=held, state="held", digest=digest)
    make_delivery(ann, alert=late, state="expired", digest=digest)
    make_delivery(ann, alert=waiting, state="pending")
    assert heard(ann) == {own}
    assert told_at(wide, ann) == told_at(held, ann) == told_at(waiting, ann) == [None]
    later = NOW + timedelta(seconds=9)
    Delivery.objects.filter(pk__in=[message.pk, digest.pk]).update(state="sent", sent_at=later)
    assert heard(ann) == {own, wide, held, late}
    assert (told_at(own, ann), told_at(wide, ann), told_at(held, ann), told_at(late, ann)) == ([NOW], [later], [later], [later])


def test_a_companion_is_told_by_the_message_of_its_host_once_that_has_its_line() -> None:
    ann, host = make_subscriber(), make_alert()
    companion = make_alert(companion_of=host)
    make_delivery(ann, alert=companion, state="folded", revision=2)
    message = make_delivery(ann, alert=host, state="sent", sent_at=NOW, revision=1)
    assert heard(ann) == {host} and told_at(companion, ann) == [None]
    edited = NOW + timedelta(seconds=5)
    Delivery.objects.filter(pk=message.pk).update(revision=2, edited_at=edited)
    assert heard(ann) == {host, companion}
    (step,) = told.steps(companion, ann)
    assert (step.told_at, step.host) == (edited, host.pk)
    assert told_at(host, ann) == [NOW], "its own message was sent before the edit"


def test_what_others_were_told_is_theirs() -> None:
    ann, bob = make_subscriber(), make_subscriber()
    alert = make_alert()
    make_delivery(bob, alert=alert, state="sent", sent_at=NOW)
    assert heard(ann) == set() and told.steps(alert, ann) == []
    assert told.newest(ann) is None and told.newest(bob) == alert


def test_the_steps_come_in_the_order_of_time() -> None:
    ann, alert = make_subscriber(), make_alert()
    for step, seconds in ((3, 20), (1, 0), (2, 10)):
        make_delivery(ann, alert=alert, step=step, queued_at=NOW + timedelta(seconds=seconds))
    assert [step.delivery.step for step in told.steps(alert, ann)] == [1, 2, 3]
