"""What a digest says."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from alerts.rules.digest import Held, digest_text, in_digest
from monitors.market import Direction, Kind, Venue
from monitors.thresholds import Severity
from tests.builders import make_incident, make_signal

NOW = datetime(2026, 7, 11, 7, 0, tzinfo=ZoneInfo("Europe/Zurich"))
HELD = Held(NOW - timedelta(hours=3, minutes=48), "ETH longs liquidated ≥ $8.1M", Severity.HIGH, came_of="15 min later −2.1 %")


def test_one_line_an_incident_with_what_came_of_it() -> None:
    text = digest_text([HELD], 0, {"quiet hours": 1}, "Europe/Zurich", NOW)
    assert text.plain.splitlines() == [
        "Held back: 1 alert",
        "03:12 ETH longs liquidated ≥ $8.1M, HIGH; 15 min later −2.1 %",
        "Why: quiet hours 1. Times: Europe/Zurich",
    ]


def test_what_came_too_late_says_so_and_a_threshold_of_ones_own_too() -> None:
    late = replace(HELD, severity=Severity.BELOW_LOW, in_time=False, came_of="")
    text = digest_text([HELD, late], 7, {"quiet hours": 8, "not sent in time": 1}, "UTC", NOW)
    assert text.headline == "Held back: 9 alerts"
    assert text.lines[1:] == (
        "03:12 ETH longs liquidated ≥ $8.1M, your threshold, not sent in time",
        "and 7 more",
        "Why: quiet hours 8, not sent in time 1. Times: UTC",
    )


def test_times_of_more_than_a_day_ago_come_with_their_day() -> None:
    lines = digest_text([replace(HELD, at=NOW - timedelta(days=2)), HELD], 0, {"muted": 2}, "UTC", NOW.astimezone(UTC)).lines
    assert [line[:12] for line in lines[:2]] == ["Jul 09 07:00", "Jul 11 03:12"]


def test_what_an_incident_is_in_a_few_words() -> None:
    peak = make_signal(8_123_000, asset="ETH", venues={Venue.BINANCE: 8_123_000})
    assert in_digest(make_incident(peak=peak)) == "ETH longs liquidated ≥ $8.1M"
    interest = make_signal("9.1", kind=Kind.OPEN_INTEREST, direction=Direction.DOWN, venues={Venue.BYBIT: Decimal("9.1")})
    assert in_digest(make_incident(kind=Kind.OPEN_INTEREST, peak=interest)) == "BTC open interest −9.10 %"


def test_twenty_of_the_longest_lines_fit_into_a_message() -> None:
    came_of = "15 min later: unknown (16 of 16 minutes have no candle at Binance)"
    long = replace(HELD, what="1000SATSLONGNAME open interest −199.99 %", in_time=False, came_of=came_of)
    assert len(digest_text([long] * 20, 5_000, {"over the hourly cap": 5_020}, "America/Argentina/ComodRivadavia", NOW).plain) < 4096
