"""When are somebody's quiet hours? The ones that run or come next, by the clock of the subscriber's zone; pure.

Quiet hours begin when that clock first shows their beginning or later, and end when it last shows their end: a night in which the
clock is put forward or back is a shorter or a longer one.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from subscribers.zones import zone_of

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def quiet_interval(time_zone: str, quiet_from: time, quiet_until: time, now: datetime) -> tuple[datetime, datetime]:
    """The quiet hours that run at `now` or come next, as (starts_at, ends_at) in UTC; the end is not part of them.

    `time_zone` is a name of `zones.zone_named`. An end that is not after the beginning is on the day after.
    ValueError when both are the same.
    """
    if quiet_from == quiet_until:
        raise ValueError("Quiet hours need a beginning and an end that differ.")
    zone = zone_of(time_zone)
    today, days = now.astimezone(zone).date(), DAY if quiet_until < quiet_from else timedelta()
    for later in range(-2, 5):  # a zone may leave out a whole day, and quiet hours within a skipped hour do not happen
        day = today + later * DAY
        starts_at, ends_at = _first(day, quiet_from, zone), _last(day + days, quiet_until, zone)
        if ends_at > max(now, starts_at):
            return starts_at, ends_at
    raise AssertionError(f"no quiet hours within four days of {now} in {time_zone}")


def is_quiet(time_zone: str, quiet_from: time, quiet_until: time, at: datetime) -> bool:
    """Whether the quiet hours run at this moment."""
    return quiet_interval(time_zone, quiet_from, quiet_until, at)[0] <= at


def _first(day: date, clock: time, zone: tzinfo) -> datetime:
    """The first moment at which the zone's clock shows this or, where that is left out, later."""
    return _shown(datetime.combine(day, clock), zone, fold=0)


def _last(day: date, clock: time, zone: tzinfo) -> datetime:
    """The last moment at which the zone's clock shows this; where it is left out, the moment at which it is."""
    return _shown(datetime.combine(day, clock), zone, fold=1)


def _shown(wanted: datetime, zone: tzinfo, fold: int) -> datetime:
    moment = wanted.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    return moment if _clock(moment, zone) == wanted else _put_forward_over(wanted, zone)


def _put_forward_over(wanted: datetime, zone: tzinfo) -> datetime:
    """The moment at which the zone's clock leaves out this time, to the second; zones do not tell it, so it is searched for."""
    early, late = sorted(wanted.replace(tzinfo=zone, fold=each).astimezone(UTC) for each in (0, 1))
    while late - early > SECOND:
        middle = early + (late - early) // (2 * SECOND) * SECOND
        early, late = (middle, late) if _clock(middle, zone) < wanted else (early, middle)
    return late


def _clock(moment: datetime, zone: tzinfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)
