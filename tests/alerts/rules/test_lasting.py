"""What a summary says, and when it is due."""

from decimal import Decimal

import pytest

from alerts.rules.incident import Tally
from alerts.rules.lasting import summaries_due, summary_due_at, summary_text
from monitors.market import Direction, Kind, Venue, from_epoch_ms
from tests.builders import NOW_MS, make_incident, make_signal

MINUTE_MS = 60_000
OPENED = from_epoch_ms(NOW_MS)


@pytest.mark.parametrize(("minutes", "due"), [(0, 0), (29.9, 0), (30, 1), (59.9, 1), (60, 2), (301, 10)])
def test_one_is_due_for_each_half_hour(minutes: float, due: int) -> None:
    assert summaries_due(OPENED, from_epoch_ms(NOW_MS + round(minutes * MINUTE_MS))) == due


def test_it_is_due_when_the_half_hour_is_over() -> None:
    assert summary_due_at(OPENED, 2) == from_epoch_ms(NOW_MS + 60 * MINUTE_MS)


def test_it_tells_the_running_total_and_the_most() -> None:
    peak = make_signal(8_123_000, asset="ETH", venues={Venue.BINANCE: 8_000_000, Venue.BYBIT: 123_000})
    incident = make_incident(3, peak=peak, last_seen_ms=NOW_MS + 61 * MINUTE_MS, tally=Tally(Decimal(42_190_000), 1_234))
    assert summary_text(incident).plain.splitlines() == [
        "Summary, 61 min: HIGH ETH longs liquidated ≥ $42.1M in 1,234 events",
        "The most: ≥ $8.1M in 30 s",
        "Since 2026-07-11 12:00:00 UTC",
    ]


def test_of_open_interest_it_tells_the_largest_change_and_that_it_is_over() -> None:
    peak = make_signal("9.1", kind=Kind.OPEN_INTEREST, direction=Direction.DOWN, window_s=900)
    incident = make_incident(3, kind=Kind.OPEN_INTEREST, peak=peak, last_seen_ms=NOW_MS + 30 * MINUTE_MS, over=True)
    assert summary_text(incident).plain.splitlines() == [
        "Summary, 30 min: HIGH BTC open interest −9.10 %",
        "The most so far, within 15 min",
        "2026-07-11 12:00:00 to 2026-07-11 12:30:00 UTC, over",
    ]
