"""Around which time does somebody ask? From what is typed to a span of time; pure."""

import re
from collections.abc import Sequence
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta

from subscribers.zones import zone_of

AROUND = timedelta(minutes=15)
LAST = timedelta(hours=1)
DAY = timedelta(days=1)
TIME = re.compile(r"\d{1,2}:\d{2}(:\d{2})?", re.ASCII)
DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}", re.ASCII)
OLDEST_YEAR = 2000  # before it nothing happened here


def span_of(words: Sequence[str], time_zone: str, now: datetime) -> tuple[datetime, datetime, list[str]]:
    """The quarters of an hour before and after the time that is among the words, on the clock of the zone; and the words that are no time.

    A time without a date is the last one that has been. Without a time it is the last hour. ValueError says what is wrong.
    """
    times, days = [word for word in words if TIME.fullmatch(word)], [word for word in words if DATE.fullmatch(word)]
    rest = [word for word in words if word not in (*times, *days)]
    if len(times) > 1 or len(days) > 1:
        raise ValueError("One time, please, such as 14:05 or 2026-11-21 14:05.")
    if days and not times:
        raise ValueError(f"At what time on {days[0]}? Write {days[0]} 14:05.")
    if not times:
        return now - LAST, now, rest
    at = _moment(_time(times[0]), _day(days[0]) if days else None, time_zone, now)
    return at - AROUND, min(at + AROUND, now), rest


def _moment(at: time, day: date | None, time_zone: str, now: datetime) -> datetime:
    today = now.astimezone(zone_of(time_zone)).date()
    moment = _utc(day or today, at, time_zone)
    if moment <= now:
        return moment
    if day is not None:
        raise ValueError(f"{day:%Y-%m-%d} {at:%H:%M} is in the future.")
    return _utc(today - DAY, at, time_zone)


def _utc(day: date, at: time, time_zone: str) -> datetime:
    return datetime.combine(day, at, zone_of(time_zone)).astimezone(UTC)


def _time(text: str) -> time:
    hour, minute, *seconds = map(int, text.split(":"))
    try:
        return time(hour, minute, seconds[0] if seconds else 0)
    except ValueError:
        raise ValueError(f"{text} is no time of day.") from None


def _day(text: str) -> date:
    year, month, day = map(int, text.split("-"))
    try:
        if OLDEST_YEAR <= year < MAXYEAR:
            return date(year, month, day)
    except ValueError:
        pass
    raise ValueError(f"{text} is no date.")
