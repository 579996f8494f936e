"""What is usual for this asset? Percentiles of its own 15-minute OI changes, which may raise a severity but never to EXTREME."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from monitors.thresholds import Rule, Severity

PERCENTILES = (0.96, 0.99, 0.999)  # of absolute changes on 5-minute points: about 11 a day, 3 a day, 2 a week
LOW_AND_MODERATE_FROM_DAYS, HIGH_FROM_DAYS = 7, 14
DAYS = 90
POINTS_A_DAY = 288


@dataclass(frozen=True, slots=True)
class OwnLadder:
    """The asset's own rungs in percent, from `days` of history; `usual_price_move` is its median 15-minute move in percent."""

    days: float
    low: float
    moderate: float
    high: float
    usual_price_move: float

    def step_of(self, percent: Decimal, rule: Rule) -> int:
        """The step that history gives to a change (absolute, percent): 0 under LOW / 2 of the rule or with too few days."""
        if percent < rule.low / 2 or self.days < LOW_AND_MODERATE_FROM_DAYS:
            return 0
        if self.days >= HIGH_FROM_DAYS and percent >= self.high:
            return int(Severity.HIGH)
        return sum(percent >= rung for rung in (self.low, self.moderate))


class History:
    """Absolute changes on 5-minute points of up to 90 days, kept sorted."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, float]] = deque()
        self._changes: list[float] = []
        self._price_moves: list[float] = []

    def add(self, percent: float, price_percent: float) -> None:
        """One more 5-minute point: the OI change and the price change over the window ending there."""
        point = (abs(percent), abs(price_percent))
        self._points.append(point)
        insort(self._changes, point[0])
        insort(self._price_moves, point[1])
        if len(self._points) > DAYS * POINTS_A_DAY:
            change, move = self._points.popleft()
            del self._changes[bisect_left(self._changes, change)]
            del self._price_moves[bisect_left(self._price_moves, move)]

    def ladder(self) -> OwnLadder:
        """The ladder as it stands; percentiles of nothing are 0, and `days` says so."""
        return ladder_of(self._changes, self._price_moves)


def ladder_of(changes: Sequence[float], price_moves: Sequence[float]) -> OwnLadder:
    """The ladder of absolute changes and moves (percent, ascending) on 5-minute points."""
    low, moderate, high = (_percentile(changes, share) for share in PERCENTILES)
    return OwnLadder(len(changes) / POINTS_A_DAY, low, moderate, high, _percentile(price_moves, 0.5))


def _percentile(ordered: Sequence[float], share: float) -> float:
    """Nearest rank; 0 for an empty sequence."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
