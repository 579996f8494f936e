"""What did the price do after an incident? The return and the largest moves over each horizon, from mark price candles of a minute.

The minute in which it was detected counts with its close only: what its high and low were before the detection, nobody knows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Protocol

from alerts.rules.money import percent
from monitors.market import MINUTE_MS, PriceCandle

HORIZONS_MIN = (5, 15, 60, 240)
USUAL_MS = 7 * 86_400_000  # how much history says what is usual
LEAST_MOVES = 288  # as many as a day has: of less history nothing is called usual
LARGE = 2.0  # times the usual move


@dataclass(frozen=True, slots=True)
class Move:
    """`price` at detection in dollars per coin; the return at the horizon's end and the largest moves up and down, in percent of it."""

    price: float
    change_pct: float
    up_pct: float
    down_pct: float


@dataclass(frozen=True, slots=True)
class Unknown:
    """Why there is no number."""

    reason: str


class Told(Protocol):
    """An outcome as it is stored: the return is None unless it is known, the reason says why it never will be."""

    @property
    def horizon_min(self) -> int: ...
    @property
    def change_pct(self) -> float | None: ...
    @property
    def reason(self) -> str: ...


def minutes_of(detected_ms: int, horizon_min: int) -> range:
    """Open times of the minutes that count: from the one of the detection to the one in which the horizon ends."""
    first, last = (at // MINUTE_MS * MINUTE_MS for at in (detected_ms, detected_ms + horizon_min * MINUTE_MS))
    return range(first, last + MINUTE_MS, MINUTE_MS)


def over_ms(detected_ms: int, horizon_min: int) -> int:
    """When the last minute that counts has closed."""
    return minutes_of(detected_ms, horizon_min).stop


def price_at(candles: Mapping[int, PriceCandle], detected_ms: int, mark: float | None) -> float | None:
    """The mark price at detection: the signal's own `mark` where the candle of its minute contains it, otherwise the candle's nearer end.

    None without that candle.
    """
    opened_ms = detected_ms // MINUTE_MS * MINUTE_MS
    candle = candles.get(opened_ms)
    if candle is None:
        return None
    if mark is not None and candle.low <= mark <= candle.high:
        return mark
    return candle.open if detected_ms - opened_ms < MINUTE_MS / 2 else candle.close


def move_over(candles: Mapping[int, PriceCandle], detected_ms: int, horizon_min: int, mark: float | None = None) -> Move | Unknown:
    """The move over one horizon; `candles` by their open times. One missing minute makes it unknown: nobody knows what happened in it."""
    minutes = minutes_of(detected_ms, horizon_min)
    missing = sum(at not in candles for at in minutes)
    price = price_at(candles, detected_ms, mark)
    if missing or price is None:
        return Unknown(f"{missing} of {len(minutes)} minutes have no candle")
    at_detection, *after = (candles[at] for at in minutes)
    prices = [price, at_detection.close, *(end for candle in after for end in (candle.high, candle.low))]
    return Move(price, *(_percent(to, price) for to in (after[-1].close, max(prices), min(prices))))


def usual_pct(closes: Mapping[int, float], horizon_min: int) -> float | None:
    """The median absolute return over a horizon, in percent, of the closes of 5-minute candles by their open times; None with less than a day of them."""
    ahead_ms = horizon_min * MINUTE_MS
    moves = [abs(_percent(closes[at + ahead_ms], close)) for at, close in closes.items() if at + ahead_ms in closes and close > 0]
    return median(moves) if len(moves) >= LEAST_MOVES else None


def is_large(change_pct: float, usual: float) -> bool:
    """Whether a move is more than twice the usual one."""
    return abs(change_pct) > LARGE * usual


def in_words(outcome: Told) -> str:
    """15 min later −2.1 %; what is not known says so."""
    later = f"{horizon_in_words(outcome.horizon_min)} later"
    if outcome.change_pct is not None:
        return f"{later} {percent(Decimal(str(outcome.change_pct)))}"
    return f"{later}: unknown ({outcome.reason})" if outcome.reason else f"{later}: not known yet"


def horizon_in_words(horizon_min: int) -> str:
    """5 min, 15 min, 1 h, 4 h."""
    return f"{horizon_min // 60} h" if horizon_min % 60 == 0 else f"{horizon_min} min"


def _percent(to: float, price: float) -> float:
    return (to / price - 1) * 100
