"""When the market was not seen."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from monitors.blind_spots import Span, between, note_feeds, note_scan
from monitors.market import Venue
from monitors.models import BlindSpot, FeedStatus, ScanStatus

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def status(updated_s: float, data_s: float | None, connected_s: float = 3600) -> FeedStatus:
    """Written `updated_s` ago: the last data came `data_s` ago, the connection is `connected_s` old."""
    data = None if data_s is None else ago(data_s)
    return FeedStatus(venue="okx", state="live", updated_at=ago(updated_s), last_data_at=data, connected_since=ago(connected_s))


def noted(stored: FeedStatus, fresh: FeedStatus) -> list[tuple[datetime, datetime]]:
    note_feeds({"okx": stored}, [fresh])
    return list(BlindSpot.objects.values_list("since", "until"))


def test_data_that_comes_back_ends_a_blind_spot() -> None:
    assert noted(status(2, 400), status(0, 1, connected_s=5)) == [(ago(400), ago(1))]


def test_a_connection_that_stood_silent_was_blind_too() -> None:
    assert noted(status(2, 90), status(0, 1)) == [(ago(90), ago(1))]


def test_so_was_the_time_in_which_the_monitor_did_not_run() -> None:
    assert noted(status(300, 301), status(0, 1, connected_s=4)) == [(ago(301), ago(1))]


def test_while_only_the_database_was_away_the_feed_saw() -> None:
    assert noted(status(300, 301), status(0, 1, connected_s=3600)) == []


def test_short_silences_and_feeds_without_data_are_none() -> None:
    assert noted(status(2, 20), status(0, 1)) == []
    assert noted(status(2, None), status(0, 1)) == []
    assert noted(status(2, 400), status(0, 400)) == []


def test_a_scan_that_brings_data_after_a_long_time_ends_one() -> None:
    for seconds in (60, 140):
        note_scan(ScanStatus(venue="okx", kind="volume", succeeded_at=ago(seconds)), NOW)
    note_scan(ScanStatus(venue="okx", kind="volume"), NOW)
    assert not BlindSpot.objects.exists()
    note_scan(ScanStatus(venue="okx", kind="volume", succeeded_at=ago(600)), NOW)
    assert between(ago(700), NOW, NOW) == [Span(Venue.OKX, "volume", ago(600), NOW)]


def test_what_touches_a_span_is_found_and_what_lasts_still() -> None:
    BlindSpot.objects.create(venue="okx", feed="liquidations", since=ago(900), until=ago(600))
    status(2, 300).save()
    ScanStatus.objects.create(venue="bybit", kind="open_interest", succeeded_at=ago(500))
    ScanStatus.objects.create(venue="bybit", kind="volume", succeeded_at=ago(60))
    earlier, scan, feed = Span(Venue.OKX, "liquidations", ago(900), ago(600)), Span(Venue.BYBIT, "open interest", ago(500), None), None
    feed = Span(Venue.OKX, "liquidations", ago(300), None)
    assert between(ago(1000), NOW, NOW) == [earlier, scan, feed]
    assert between(ago(700), ago(550), NOW) == [earlier]
    assert between(ago(590), ago(400), NOW) == [scan]
