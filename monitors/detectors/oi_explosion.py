"""How much did open interest change? Coins now against coins one window ago, over the contracts seen at both ends."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from statistics import median_low

from monitors.market import OpenInterest, Venue

Contract = tuple[Venue, str]  # venue and symbol

TOLERANCE_MS = 90_000  # how far the earlier sample may be from one window ago; half a step where history is coarser
FRESH_MS = 150_000  # a newest sample older than this is stale; one and a half steps where history is coarser
LOADED_BEYOND_MS = 600_000  # of samples before the window: half a step of coarse history, and what tells that a jump was one answer's
JUMP = Decimal("0.30")  # of the last sample: a larger jump has to be confirmed by that market's next sample


@dataclass(frozen=True, slots=True)
class NoVerdict:
    """Nothing can be said, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class OiChange:
    """Open interest at both ends of the window.

    `percent` is the change of the summed coins (0.55 is 0.55 %), `percent_of_venue` each venue's own.
    Dollars are coins at the marks of their time; `price_from` and `price_to` are those of the largest contract.
    """

    percent: Decimal
    percent_of_venue: Mapping[Venue, Decimal]
    coins_from: Decimal
    coins_to: Decimal
    usd_from: Decimal
    usd_to: Decimal
    price_from: Decimal
    price_to: Decimal
    newest_ms: int

    @property
    def price_part_usd(self) -> Decimal:
        """The part of the change in dollars that the price made: what the earlier coins gained by it."""
        return self.usd_to - self.usd_from - self.coins_part_usd

    @property
    def coins_part_usd(self) -> Decimal:
        """The part of the change in dollars that new or closed positions made, at the newest price."""
        return (self.coins_to - self.coins_from) * self.price_to

    @property
    def price_percent(self) -> Decimal:
        """Change of the price over the window, in percent."""
        return (self.price_to / self.price_from - 1) * 100


def oi_change(samples: Mapping[Contract, Sequence[OpenInterest]], window_ms: int, now_ms: int, min_usd: Decimal) -> OiChange | NoVerdict:
    """The change of one asset's OI over the window up to its newest samples.

    `samples` of each contract are in the order of their time. Venues with less than `min_usd` of OI
    one window ago are left out, and so are contracts without a fresh sample or without one at the other end.
    """
    ends = {contract: _ends(series, window_ms, now_ms) for contract, series in samples.items()}
    found = {contract: end for contract, end in ends.items() if not isinstance(end, NoVerdict)}
    if not found:
        reasons = sorted({end.reason for end in ends.values() if isinstance(end, NoVerdict)})
        return NoVerdict("; ".join(reasons) or "no samples")
    usd_of_venue: dict[Venue, Decimal] = defaultdict(Decimal)
    for (venue, _), (before, _) in found.items():
        usd_of_venue[venue] += _usd(before)
    found = {contract: end for contract, end in found.items() if usd_of_venue[contract[0]] >= min_usd}
    if not found:
        return NoVerdict("open interest under the minimum in dollars")
    return _summed(found)


def accepted(samples: Sequence[OpenInterest]) -> list[OpenInterest]:
    """The samples that count: no repeats of the same venue time, and a jump only once the next sample confirms it.

    A first sample that the next two contradict alike was one wrong answer, for all that is known.
    """
    kept: list[OpenInterest] = []
    held: OpenInterest | None = None
    for sample in samples:
        last = held or (kept[-1] if kept else None)
        if last is not None and sample.occurred_at_ms <= last.occurred_at_ms:
            continue
        if kept and _jumps(kept[-1], sample):
            if held is None or _jumps(held, sample):
                held = sample
                continue
            kept = [*(kept if len(kept) > 1 else ()), held]
        held = None
        kept.append(sample)
    return kept


def held_jump(samples: Sequence[OpenInterest]) -> Decimal:
    """By how many coins the newest sample jumped, while it waits for the next one to confirm it; 0 when it counts."""
    kept = accepted(samples)
    return samples[-1].oi_base - kept[-1].oi_base if kept else Decimal(0)


def _jumps(before: OpenInterest, after: OpenInterest) -> bool:
    return abs(after.oi_base - before.oi_base) > JUMP * before.oi_base


def _ends(samples: Sequence[OpenInterest], window_ms: int, now_ms: int) -> tuple[OpenInterest, OpenInterest] | NoVerdict:
    series = accepted(samples)
    if not series:
        return NoVerdict("no samples")
    newest = series[-1]
    step_ms = _step_ms(series)
    if now_ms - newest.occurred_at_ms > max(FRESH_MS, step_ms * 3 // 2):
        return NoVerdict("the newest sample is stale")
    wanted_ms = newest.occurred_at_ms - window_ms
    nearest = min(series, key=lambda sample: abs(sample.occurred_at_ms - wanted_ms))
    until = bisect_left(series, wanted_ms, key=lambda sample: sample.occurred_at_ms)
    coarse_ms = _step_ms(series[: until + 1])  # of the history at that end: what was filled in is coarser than what scans have brought since
    if abs(nearest.occurred_at_ms - wanted_ms) > max(TOLERANCE_MS, coarse_ms // 2):
        return NoVerdict("no sample at the other end of the window")
    if not nearest.mark_price or not newest.mark_price:
        return NoVerdict("no mark price")
    if not nearest.oi_base:
        return NoVerdict("no open interest at the other end of the window")
    if not newest.oi_base:
        return NoVerdict("no open interest any more: the contract settles")
    return nearest, newest


def _step_ms(series: Sequence[OpenInterest]) -> int:
    """The usual distance of the samples; 0 while there are too few to tell a coarse history from a gap."""
    steps = [after.occurred_at_ms - before.occurred_at_ms for before, after in pairwise(series)]
    return median_low(steps) if len(steps) > 1 else 0


def _summed(found: Mapping[Contract, tuple[OpenInterest, OpenInterest]]) -> OiChange:
    coins: dict[Venue, tuple[Decimal, Decimal]] = {}
    for (venue, _), (before, after) in found.items():
        earlier, later = coins.get(venue, (Decimal(0), Decimal(0)))
        coins[venue] = (earlier + before.oi_base, later + after.oi_base)
    coins_from = sum((earlier for earlier, _ in coins.values()), Decimal(0))
    coins_to = sum((later for _, later in coins.values()), Decimal(0))
    largest_before, largest_after = max(found.values(), key=lambda ends: _usd(ends[0]))
    return OiChange(
        percent=(coins_to / coins_from - 1) * 100,
        percent_of_venue={venue: (later / earlier - 1) * 100 for venue, (earlier, later) in sorted(coins.items())},
        coins_from=coins_from, coins_to=coins_to,
        usd_from=sum((_usd(before) for before, _ in found.values()), Decimal(0)),
        usd_to=sum((_usd(after) for _, after in found.values()), Decimal(0)),
        price_from=_price(largest_before), price_to=_price(largest_after),
        newest_ms=max(after.occurred_at_ms for _, after in found.values()),
    )  # fmt: skip


def _usd(sample: OpenInterest) -> Decimal:
    return sample.oi_base * _price(sample)


def _price(sample: OpenInterest) -> Decimal:
    return sample.mark_price or Decimal(0)  # `_ends` lets no sample without a mark through
