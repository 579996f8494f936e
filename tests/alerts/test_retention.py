"""Is the alert history kept for ever, and pruned whole where the operator wants it so?"""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from alerts.effectiveness import prepare
from alerts.models import Alert, Decision, Delivery, FanOut, MarketMove, Outcome, Vote
from alerts.retention import prune
from alertsystem import pruning
from monitors.models import Signal
from monitors.retention import prune as prune_market
from tests.alerts.builders import make_alert, make_delivery, make_fan_out, make_signal, make_subscriber

pytestmark = pytest.mark.django_db
NOW = timezone.now()
TABLES = (Alert, Decision, Delivery, FanOut, MarketMove, Outcome, Vote)


def story(days: int, closed: bool = True) -> Alert:
    """An alert so many days old, with a row of everything that belongs to it."""
    at = NOW - timedelta(days=days)
    move = MarketMove.objects.create(family="volume", opened_at=at, over=True)
    alert = make_alert(make_signal(asset=f"A{days}", at=at), opened_at=at, last_seen_at=at, closed_at=at if closed else None, move=move)
    subscriber = make_subscriber()
    make_delivery(subscriber, alert=alert, state="sent", queued_at=at)
    make_delivery(subscriber, about=alert, purpose="chart", state="sent", queued_at=at)
    make_delivery(subscriber, purpose="digest", state="sent", queued_at=at)
    make_fan_out(alert)
    Decision.objects.create(signal=alert.peak, alert=alert, outcome="opened", severity=1, step=1, decided_at=at)
    Vote.objects.create(alert=alert, subscriber=subscriber, useful=True)
    prepare()
    return alert


def test_by_default_everything_stays_for_ever() -> None:
    story(5_000)
    before = {table: table._default_manager.count() for table in TABLES}
    assert prune(NOW) == (0, True)
    assert {table: table._default_manager.count() for table in TABLES} == before


def test_an_old_alert_goes_with_all_that_belongs_to_it_and_then_its_signals(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "CHUNK", 1)
    settings.ALERT_RETENTION_DAYS = 100
    old, young, still_open = story(101), story(99), story(300, closed=False)
    deleted, complete = prune(NOW)
    assert (deleted, complete) == (1 + 2 + 1 + 1 + 1 + 4 + 1 + 2, True), "the digests of both old ones, and the move of the one that is gone"
    assert set(Alert.objects.all()) == {young, still_open}
    assert {table: table._default_manager.count() for table in TABLES} == {
        Alert: 2, Decision: 2, Delivery: 5, FanOut: 2, MarketMove: 2, Outcome: 8, Vote: 2,
    }  # fmt: skip
    assert Signal.objects.filter(pk=old.peak_id).exists()
    prune_market(NOW)
    assert not Signal.objects.filter(pk=old.peak_id).exists()
    assert Signal.objects.filter(pk=young.peak_id).exists() and Signal.objects.filter(pk=still_open.peak_id).exists()
    assert prune(NOW) == (0, True)


def test_a_slice_that_ends_early_says_so_and_the_next_goes_on(settings: Settings) -> None:
    settings.ALERT_RETENTION_DAYS = 100
    story(101)
    assert prune(NOW, slice_s=0) == (0, False)
    assert prune(NOW)[1]
    assert not Alert.objects.exists()
