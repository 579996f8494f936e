"""Which time zone does somebody mean? By name (Europe/Zurich, Zurich, new york) or by offset (+2, UTC+05:30); pure."""

import re
import unicodedata
from collections.abc import Collection
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

OFFSET = re.compile(r"(?:UTC|GMT)?\s*(?P<sign>[+\-−–])\s*(?P<hours>\d{1,2})(?::?(?P<minutes>[0-5]\d))?", re.IGNORECASE)
EASTMOST, WESTMOST = timedelta(hours=14), timedelta(hours=-12)  # what is in use on Earth
SHOWN = 5  # zones that an error names
EXAMPLES = "Write a city or zone such as Zurich or America/New_York, or an offset such as +2 or UTC+05:30."


def zone_of(name: str) -> tzinfo:
    """The zone that `zone_named` gave this name; UTC for one that is not known any more."""
    try:
        offset = _offset_of(name)
        return ZoneInfo(name) if offset is None else timezone(offset)
    except (KeyError, OSError, ValueError):  # a zone that the data of this machine does not have
        return UTC


def zone_named(text: str) -> str:
    """The name under which the zone is kept: "Europe/Zurich", "UTC", or an offset as "UTC+05:30". ValueError says what to write instead."""
    wanted = " ".join(text.split())[:64]
    if (offset := _offset_of(wanted)) is not None:
        return _offset_name(offset)
    if wanted.upper() in ("UTC", "GMT", "Z", "ZULU"):
        return "UTC"
    without_accents = unicodedata.normalize("NFKD", wanted).encode("ascii", "ignore").decode()  # Zürich, São Paulo
    return _one_of(wanted, _found(without_accents.replace(" ", "_").lower()))


def local(moment: datetime, name: str) -> datetime:
    """The moment on the clock of a zone."""
    return moment.astimezone(zone_of(name))


def _offset_of(text: str) -> timedelta | None:
    """The offset from UTC that a text such as "+2" or "UTC+05:30" is; None when it is none. ValueError when no place on Earth has it."""
    found = OFFSET.fullmatch(text.strip())
    if found is None:
        return None
    size = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"] or 0))
    offset = size if found["sign"] == "+" else -size
    if not WESTMOST <= offset <= EASTMOST:
        raise ValueError("Offsets from UTC go from -12 to +14.")
    return offset


def _offset_name(offset: timedelta) -> str:
    if not offset:
        return "UTC"
    hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
    return f"UTC{'-' if offset < timedelta() else '+'}{hours:02}:{minutes:02}"


def _found(wanted: str) -> Collection[str]:
    """The zones of this name: the whole one, else those with such a last part."""
    exact = [zone for zone in _zones() if zone.lower() == wanted]
    return exact or [zone for zone in _zones() if zone.lower().rpartition("/")[2] == wanted]


def _one_of(wanted: str, found: Collection[str]) -> str:
    """The zone, where all that were found are one zone under several names."""
    if not found:
        raise ValueError(f"I know no time zone {wanted}. {EXAMPLES}" if wanted else EXAMPLES)
    if len({_clock_of(zone) for zone in found}) > 1:
        names = ", ".join(sorted(found)[:SHOWN])
        raise ValueError(f"There are several: {names}. Write the whole name.")
    return min(found, key=lambda zone: (len(zone), zone))


def _clock_of(zone: str) -> tuple[timedelta | None, ...]:
    """What tells zones apart: the offsets through some years."""
    days = (datetime(year, month, 15, tzinfo=UTC) for year in range(2020, 2027) for month in range(1, 13))
    return tuple(day.astimezone(ZoneInfo(zone)).utcoffset() for day in days)


@cache
def _zones() -> tuple[str, ...]:
    """Every zone by its name; the folders Etc (signs the other way round) and SystemV only by their whole name would confuse, so they are left out."""
    return tuple(sorted(zone for zone in available_timezones() if not zone.startswith(("Etc/", "SystemV/"))))
