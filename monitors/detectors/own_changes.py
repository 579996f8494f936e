"""How did an asset's open interest change over each 15 minutes of its past? On 5-minute points, over the contracts at both ends."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from monitors.detectors.oi_explosion import JUMP
from monitors.detectors.own_history import OwnLadder, ladder_of
from monitors.market import TIMEFRAME_MS

WINDOW_POINTS = 3
LARGEST_JUMP = float(JUMP)


@dataclass(frozen=True, slots=True)
class Reading:
    """Open interest of one contract, in coins of the asset; `price` in dollars per coin, None when unknown."""

    at_ms: int
    coins: float
    price: float | None


def own_ladder(series: Iterable[Sequence[Reading]]) -> OwnLadder:
    """The asset's own rungs, from the readings of each of its contracts in the order of their time."""
    changes, moves = [], []
    for change, move in _changes([_points(readings) for readings in series]):
        changes.append(abs(change))
        if move is not None:
            moves.append(abs(move))
    return ladder_of(sorted(changes), sorted(moves))


def _points(readings: Sequence[Reading]) -> dict[int, Reading]:
    """The first reading of each 5 minutes. A jump of one reading counts only once the next confirms it, as in detection."""
    points: dict[int, Reading] = {}
    before: float | None = None
    for index, reading in enumerate(readings):
        point = reading.at_ms // TIMEFRAME_MS
        if point in points:
            continue
        if before is not None and _jumps(before, reading.coins):
            after = readings[index + 1] if index + 1 < len(readings) else None
            if after is None or _jumps(reading.coins, after.coins):
                continue
        points[point] = reading
        before = reading.coins
    return points


def _jumps(before: float, after: float) -> bool:
    return abs(after - before) > LARGEST_JUMP * before


def _changes(contracts: Sequence[Mapping[int, Reading]]) -> Iterator[tuple[float, float | None]]:
    """The change of the summed coins and of the price of the largest contract, in percent, at every point that has one 15 minutes before."""
    ends: dict[int, list[tuple[Reading, Reading]]] = defaultdict(list)
    for points in contracts:
        for point, reading in points.items():
            if earlier := points.get(point - WINDOW_POINTS):
                ends[point].append((earlier, reading))
    for pairs in ends.values():
        coins_before = sum(earlier.coins for earlier, _ in pairs)
        if coins_before > 0:
            yield (sum(later.coins for _, later in pairs) / coins_before - 1) * 100, _price_move(pairs)


def _price_move(pairs: Sequence[tuple[Reading, Reading]]) -> float | None:
    priced = [(earlier.coins, earlier.price, later.price) for earlier, later in pairs if earlier.price and later.price]
    if not priced:
        return None
    _, price_before, price_after = max(priced)
    return (price_after / price_before - 1) * 100
