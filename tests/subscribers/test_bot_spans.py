"""Around which time somebody asks."""

from datetime import UTC, datetime, timedelta

import pytest

from subscribers.bot.spans import span_of

NOW = datetime(2026, 11, 22, 14, 20, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def around(words: str, time_zone: str = "UTC", now: datetime = NOW) -> datetime:
    since, _, rest = span_of(words.split(), time_zone, now)
    assert rest == ["BTC"]
    return since + QUARTER


@pytest.mark.parametrize(
    ("words", "time_zone", "at"),
    [
        ("BTC 14:00", "UTC", datetime(2026, 11, 22, 14, tzinfo=UTC)),
        ("14:00 BTC", "UTC", datetime(2026, 11, 22, 14, tzinfo=UTC)),
        ("BTC 9:05", "UTC", datetime(2026, 11, 22, 9, 5, tzinfo=UTC)),
        ("BTC 14:00:30", "UTC", datetime(2026, 11, 22, 14, 0, 30, tzinfo=UTC)),
        ("BTC 15:00", "Europe/Zurich", datetime(2026, 11, 22, 14, tzinfo=UTC)),
        ("BTC 2026-11-20 14:05", "America/New_York", datetime(2026, 11, 20, 19, 5, tzinfo=UTC)),
        ("14:05 BTC 2026-11-20", "UTC+05:30", datetime(2026, 11, 20, 8, 35, tzinfo=UTC)),
    ],
)
def test_a_time_is_on_the_chats_own_clock(words: str, time_zone: str, at: datetime) -> None:
    assert around(words, time_zone) == at


def test_a_time_that_is_yet_to_come_today_was_yesterday() -> None:
    assert around("BTC 23:50") == datetime(2026, 11, 21, 23, 50, tzinfo=UTC)
    assert around("BTC 15:30", "Europe/Zurich") == datetime(2026, 11, 21, 14, 30, tzinfo=UTC)


def test_the_span_ends_now_at_the_latest() -> None:
    assert span_of(["BTC", "14:15"], "UTC", NOW)[1] == NOW
    assert span_of(["BTC", "13:00"], "UTC", NOW)[1] == datetime(2026, 11, 22, 13, 15, tzinfo=UTC)


def test_without_a_time_it_is_the_last_hour() -> None:
    assert span_of(["BTC"], "UTC", NOW) == (NOW - timedelta(hours=1), NOW, ["BTC"])


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("25:00", "25:00 is no time of day."),
        ("14:60", "14:60 is no time of day."),
        ("2026-02-30 14:05", "2026-02-30 is no date."),
        ("0001-01-01 00:00", "0001-01-01 is no date."),
        ("9999-12-31 23:59", "9999-12-31 is no date."),
        ("2027-01-01 14:05", "2027-01-01 14:05 is in the future."),
        ("2026-11-20", "At what time on 2026-11-20? Write 2026-11-20 14:05."),
        ("14:05 14:06", "One time, please, such as 14:05 or 2026-11-21 14:05."),
    ],
)
def test_what_is_no_time_is_said(words: str, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{problem}$".replace("?", r"\?")):
        span_of(words.split(), "UTC", NOW)
