"""Quiet hours by the subscriber's clock, through nights in which the clock is changed."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.quiet_hours import is_quiet, quiet_interval
from subscribers.zones import local

ZURICH, SAMOA, LORD_HOWE = "Europe/Zurich", "Pacific/Apia", "Australia/Lord_Howe"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "hours", "now", "expected"),
    [
        ("UTC", ("23:00", "07:00"), "2026-07-11 12:00", ("2026-07-11 23:00", "2026-07-12 07:00")),
        ("UTC", ("23:00", "07:00"), "2026-07-11 06:59:59", ("2026-07-10 23:00", "2026-07-11 07:00")),
        ("UTC", ("23:00", "07:00"), "2026-07-11 07:00", ("2026-07-11 23:00", "2026-07-12 07:00")),
        ("UTC", ("23:00", "07:00"), "2026-07-11 23:00", ("2026-07-11 23:00", "2026-07-12 07:00")),
        ("UTC", ("12:00", "13:30"), "2026-07-11 13:00", ("2026-07-11 12:00", "2026-07-11 13:30")),
        ("UTC", ("00:00", "08:00"), "2026-07-11 09:00", ("2026-07-12 00:00", "2026-07-12 08:00")),
        ("UTC+05:30", ("23:00", "07:00"), "2026-07-11 18:00", ("2026-07-11 17:30", "2026-07-12 01:30")),
        (ZURICH, ("23:00", "07:00"), "2026-07-11 22:00", ("2026-07-11 21:00", "2026-07-12 05:00")),
        (ZURICH, ("23:00", "07:00"), "2026-01-11 23:00", ("2026-01-11 22:00", "2026-01-12 06:00")),
    ],
)
def test_the_hours_that_run_or_come_next(zone: str, hours: tuple[str, str], now: str, expected: tuple[str, str]) -> None:
    assert quiet_interval(zone, time.fromisoformat(hours[0]), time.fromisoformat(hours[1]), at(now)) == (at(expected[0]), at(expected[1]))


@pytest.mark.parametrize(
    ("zone", "hours", "now", "expected"),
    [
        # Zurich puts the clock forward at 01:00 UTC on 29 March 2026: 02:00 to 03:00 does not happen
        (ZURICH, ("23:00", "07:00"), "2026-03-28 23:00", ("2026-03-28 22:00", "2026-03-29 05:00")),
        (ZURICH, ("02:30", "07:00"), "2026-03-29 00:00", ("2026-03-29 01:00", "2026-03-29 05:00")),
        (ZURICH, ("23:00", "02:30"), "2026-03-29 00:00", ("2026-03-28 22:00", "2026-03-29 01:00")),
        (ZURICH, ("02:10", "02:50"), "2026-03-29 00:30", ("2026-03-30 00:10", "2026-03-30 00:50")),
        # and back at 01:00 UTC on 25 October 2026: 02:00 to 03:00 happens twice
        (ZURICH, ("23:00", "07:00"), "2026-10-25 00:00", ("2026-10-24 21:00", "2026-10-25 06:00")),
        (ZURICH, ("02:30", "07:00"), "2026-10-25 00:00", ("2026-10-25 00:30", "2026-10-25 06:00")),
        (ZURICH, ("23:00", "02:30"), "2026-10-25 00:45", ("2026-10-24 21:00", "2026-10-25 01:30")),
        # half an hour on Lord Howe, and a whole day in Samoa, which left out 30 December 2011
        (LORD_HOWE, ("02:15", "06:00"), "2026-10-03 15:00", ("2026-10-03 15:30", "2026-10-03 19:00")),
        (SAMOA, ("23:00", "07:00"), "2011-12-30 12:00", ("2011-12-30 10:00", "2011-12-30 17:00")),
        (SAMOA, ("08:00", "09:00"), "2011-12-30 09:30", ("2011-12-30 18:00", "2011-12-30 19:00")),
    ],
)
def test_nights_in_which_the_clock_is_changed(zone: str, hours: tuple[str, str], now: str, expected: tuple[str, str]) -> None:
    assert quiet_interval(zone, time.fromisoformat(hours[0]), time.fromisoformat(hours[1]), at(now)) == (at(expected[0]), at(expected[1]))


CLOCKS = st.times().map(lambda clock: clock.replace(second=0, microsecond=0))
MOMENTS = st.integers(0, 18 * 366 * 24 * 60).map(lambda minutes: at("2010-01-01") + timedelta(minutes=minutes))
ZONES = st.sampled_from([ZURICH, SAMOA, LORD_HOWE, "America/New_York", "Asia/Kathmandu", "UTC+05:30", "UTC", "Africa/Casablanca"])


@given(ZONES, CLOCKS, CLOCKS, MOMENTS)
def test_it_is_quiet_whenever_the_clock_shows_a_time_between(zone: str, begin: time, end: time, now: datetime) -> None:
    if begin == end:
        return
    starts_at, ends_at = quiet_interval(zone, begin, end, now)
    assert now < ends_at and starts_at < ends_at
    assert ends_at - starts_at <= timedelta(hours=25)
    shown = local(now, zone).time()
    if (begin <= shown < end) if begin < end else (shown >= begin or shown < end):
        assert is_quiet(zone, begin, end, now)
    # the moment they end is the last one; what comes next starts there or later
    assert quiet_interval(zone, begin, end, ends_at)[1] > ends_at


def test_a_beginning_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match="differ"):
        quiet_interval("UTC", time(7), time(7), at("2026-07-11 12:00"))
