"""Which feeds see the market now."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitors.feeds import FeedState, judge_feeds
from monitors.market import Venue
from monitors.models import FeedStatus

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


def judged(**fields: Any) -> FeedState:
    usual = {"venue": "okx", "state": "live", "last_data_at": NOW - timedelta(seconds=2), "updated_at": NOW}
    return judge_feeds([FeedStatus(**{**usual, **fields})], NOW, [Venue.OKX])[0]


def test_a_live_feed_with_fresh_data_sees() -> None:
    assert judged() == FeedState(Venue.OKX, blind=False, data_age=timedelta(seconds=2), note="")


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"updated_at": NOW - timedelta(seconds=16)}, "the liquidation monitor does not report"),
        ({"last_data_at": NOW - timedelta(seconds=31)}, "connected, but no data"),
        ({"last_data_at": None}, "connected, but no data"),
        ({"state": "connecting"}, "connecting"),
        ({"state": "waiting", "last_error": "refused", "next_try_at": NOW + timedelta(seconds=9)}, "refused; next try in 9 s"),
        ({"state": "waiting", "last_error": "refused", "next_try_at": NOW - timedelta(seconds=9)}, "refused"),
    ],
)
def test_a_blind_feed_says_why(fields: dict[str, Any], note: str) -> None:
    feed = judged(**fields)
    assert (feed.blind, feed.note) == (True, note)


def test_a_venue_that_never_reported_is_blind() -> None:
    assert judge_feeds([], NOW, [Venue.BYBIT]) == [FeedState(Venue.BYBIT, blind=True, data_age=None, note="no report yet")]
