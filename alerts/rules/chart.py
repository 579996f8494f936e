"""What does the chart of an alert show? The mark price of the hour around its largest signal, above what was measured; as values to draw."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitors.market import MINUTE_MS, PriceCandle, from_epoch_ms

SHOWN_MS = 60 * MINUTE_MS
AFTER_MS = 15 * MINUTE_MS  # of the hour, where it has passed already
LEAST_MINUTES = 5  # fewer are no picture
SILENT_MS = 3 * MINUTE_MS  # for so long a contract's last open interest stands for its next


@dataclass(frozen=True, slots=True)
class Bars:
    """`parts` are drawn on top of each other: a name ("" for the only one) and the values, dollars by the time at which the bar begins."""

    what: str
    label: str
    width_ms: int
    parts: Sequence[tuple[str, Mapping[int, float]]]


@dataclass(frozen=True, slots=True)
class Line:
    """Values by their times."""

    what: str
    label: str
    points: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is drawn. `opened_ms` is when the alert opened, None when that is not in the picture; `below` is None when nothing is stored of it."""

    title: str
    venue: str
    start_ms: int
    end_ms: int
    prices: Sequence[PriceCandle]
    opened_ms: int | None
    below: Bars | Line | None


def window(peak_ms: int, now_ms: int) -> tuple[int, int]:
    """Start and end of the hour that is shown, on the minute: up to 15 minutes after the largest signal, or to now when that is earlier."""
    end_ms = -(-min(now_ms, peak_ms + AFTER_MS) // MINUTE_MS) * MINUTE_MS
    return end_ms - SHOWN_MS, end_ms


def a_minute(events: Iterable[tuple[int, float]]) -> dict[int, float]:
    """The sums of values by the minute in which they were."""
    sums: dict[int, float] = defaultdict(float)
    for at_ms, value in events:
        sums[at_ms // MINUTE_MS * MINUTE_MS] += value
    return dict(sums)


def summed(samples: Iterable[tuple[str, int, float]], start_ms: int, end_ms: int) -> dict[int, float]:
    """The sum over contracts at each minute from `start_ms` to `end_ms`; `samples` are contract, time and value, in the order of time.

    A contract's last value stands for it for a few minutes. Contracts that are not there from the first to the last minute are left out,
    for their coming or going would be a jump that never was.
    """
    series: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for contract, at_ms, value in samples:
        series[contract].append((at_ms, value))
    minutes = range(start_ms, end_ms + 1, MINUTE_MS)
    read = [_at_minutes(values, minutes) for values in series.values()]
    times = [at for at in minutes if any(at in values for values in read)]
    if not times:
        return {}
    whole = [values for values in read if times[0] in values and times[-1] in values]
    return {at: sum(values[at] for values in whole) for at in times if whole and all(at in values for values in whole)}


def caption(picture: Picture, asset: str) -> str:
    """The line below the picture in the chat: BTC, 12:00 to 13:00 UTC: mark price (Binance) and liquidations."""
    start, end = (f"{from_epoch_ms(at):%H:%M}" for at in (picture.start_ms, picture.end_ms))
    return f"{asset}, {start} to {end} UTC: mark price ({picture.venue}){f' and {picture.below.what}' if picture.below else ''}"


def _at_minutes(values: Sequence[tuple[int, float]], minutes: Iterable[int]) -> dict[int, float]:
    found: dict[int, float] = {}
    position = -1
    for at in minutes:
        while position + 1 < len(values) and values[position + 1][0] <= at:
            position += 1
        if position >= 0 and at - values[position][0] < SILENT_MS:
            found[at] = values[position][1]
    return found
