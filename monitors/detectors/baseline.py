"""How much is usual at this time? The candles that a volume spike is compared with."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log
from statistics import median

DAY_MS = 86_400_000
SAME_TIME_DAYS = 7
SAME_TIME_SPREAD_MS = 30 * 60_000  # to either side of the time of day; UTC, so daylight saving changes nothing
LAST_CANDLES = 96
NORMAL_MAD = 0.6745  # makes the median absolute deviation of a normal distribution its standard deviation


@dataclass(frozen=True, slots=True)
class BaselineTimes:
    """Open times of the candles behind a baseline: the same time of day on 7 days, and the last 96; `all_ms` are both, each once."""

    same_time_ms: tuple[int, ...]
    last_ms: tuple[int, ...]
    all_ms: frozenset[int]


@lru_cache(maxsize=16)  # all assets are compared with the same ones
def baseline_times(opened_at_ms: int, timeframe_ms: int) -> BaselineTimes:
    """The candles to compare the one that opened at `opened_at_ms` with."""
    around = range(-SAME_TIME_SPREAD_MS, SAME_TIME_SPREAD_MS + 1, timeframe_ms)
    same_time = tuple(opened_at_ms - day * DAY_MS + offset for day in range(1, SAME_TIME_DAYS + 1) for offset in around)
    last = tuple(opened_at_ms - back * timeframe_ms for back in range(1, LAST_CANDLES + 1))
    return BaselineTimes(same_time, last, frozenset(same_time + last))


def robust_z(value: float, usual: Sequence[float]) -> float | None:
    """How many deviations log(value) is from the median of the logs, by median and MAD; None for a flat series or a zero value."""
    logs = [log(each) for each in usual if each > 0]
    if value <= 0 or not logs:
        return None
    middle = median(logs)
    deviation = median(abs(each - middle) for each in logs)
    return NORMAL_MAD * (log(value) - middle) / deviation if deviation else None
