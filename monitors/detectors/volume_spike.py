"""How far is a candle's volume over what is usual? Spike and baseline in dollars, summed over the same venues."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from monitors.detectors.baseline import BaselineTimes, baseline_times, robust_z
from monitors.detectors.oi_explosion import NoVerdict
from monitors.market import Candle, Venue
from monitors.thresholds import Rule, Severity

GRACE_MS = 45_000  # after its end a candle is judged without the venues that have not brought it yet
COVERED = 0.9  # of the baseline's candles: a venue with fewer does not take part
LEAST_Z = 2.0
LEAST_BASELINE_USD = 1.0  # less is nothing, whatever a venue's rounding leaves of it
CROWDED_SHARE = 0.8  # of the dollars on one venue ...
STILL_PRICE = 0.2  # ... while the price moves less than this part of its usual move: at most MODERATE


@dataclass(frozen=True, slots=True)
class VolumeSpike:
    """A candle over its baseline: `percent` 800 is 9 times as much.

    `price_percent` is close over open of the venue with most dollars, `usual_price_move` the median of
    that for its baseline candles. `at_most` caps the severity (None: no cap). `open_for_ms` is how long
    a candle that is still open has run, None for a closed one.
    """

    percent: float
    percent_of_venue: Mapping[Venue, float]
    usd: float
    baseline_usd: float
    z: float
    price_percent: float
    usual_price_move: float
    at_most: Severity | None
    open_for_ms: int | None


def volume_spike(candles: Iterable[Candle], opened_at_ms: int, timeframe_ms: int, venue_now_ms: int, rule: Rule) -> VolumeSpike | NoVerdict:
    """Compare the candle that opened at `opened_at_ms` with its baseline, for one asset over all venues.

    `candles` may hold more than the baseline's; whether one is closed follows from its open time, the
    timeframe and the venue's clock, not from a flag.
    """
    if venue_now_ms < opened_at_ms:
        return NoVerdict("the candle begins in the future")
    times = baseline_times(opened_at_ms, timeframe_ms)
    series = _by_venue(candles, times.all_ms | {opened_at_ms})
    taking_part = {venue: by_time for venue, by_time in series.items() if _takes_part(by_time, times, opened_at_ms, timeframe_ms)}
    if not taking_part:
        return NoVerdict("no venue has this candle, the one before it and nine tenths of the baseline")
    usual = _usual(taking_part, times)
    if usual.baseline_usd < LEAST_BASELINE_USD:
        return NoVerdict("the baseline is zero")
    usd_of_venue = {venue: by_time[opened_at_ms].usd for venue, by_time in taking_part.items()}
    usd = sum(usd_of_venue.values())
    if usd < rule.min_usd:
        return NoVerdict("under the minimum in dollars")
    z = robust_z(usd, usual.volumes)
    if z is None:
        return NoVerdict("a flat series has no usual spread")
    if z < LEAST_Z:
        return NoVerdict("within the usual spread")
    percent = _over(usd, usual.baseline_usd)
    open_for_ms = venue_now_ms - opened_at_ms if venue_now_ms < opened_at_ms + timeframe_ms else None
    if open_for_ms is not None and percent < rule.low:
        return NoVerdict("still open and below LOW")
    loudest = max(usd_of_venue, key=lambda venue: usd_of_venue[venue])
    price_percent = taking_part[loudest][opened_at_ms].move_percent
    usual_move = median(abs(bar.move_percent) for at_ms, bar in taking_part[loudest].items() if at_ms != opened_at_ms)
    crowded = usd_of_venue[loudest] > CROWDED_SHARE * usd and abs(price_percent) < STILL_PRICE * usual_move
    return VolumeSpike(
        percent=percent,
        percent_of_venue={venue: _over(usd_of_venue[venue], usual.of_venue[venue]) for venue in sorted(taking_part)},
        usd=usd, baseline_usd=usual.baseline_usd, z=z, price_percent=price_percent, usual_price_move=usual_move,
        at_most=Severity.MODERATE if crowded else None, open_for_ms=open_for_ms,
    )  # fmt: skip


@dataclass(slots=True)
class _Bar:
    """The contracts of one venue, summed: dollars, and the move of the one with most."""

    usd: float
    loudest_usd: float
    move_percent: float


@dataclass(frozen=True, slots=True)
class _Usual:
    baseline_usd: float
    volumes: list[float]
    of_venue: Mapping[Venue, float]


def _by_venue(candles: Iterable[Candle], wanted_ms: frozenset[int]) -> dict[Venue, dict[int, _Bar]]:
    series: dict[Venue, dict[int, _Bar]] = defaultdict(dict)
    for candle in candles:
        if candle.opened_at_ms not in wanted_ms:
            continue
        move = (candle.close / candle.open - 1) * 100 if candle.open else 0.0
        by_time = series[candle.venue]
        bar = by_time.get(candle.opened_at_ms)
        if bar is None:
            by_time[candle.opened_at_ms] = _Bar(candle.volume_usd, candle.volume_usd, move)
            continue
        bar.usd += candle.volume_usd
        if candle.volume_usd > bar.loudest_usd:
            bar.loudest_usd, bar.move_percent = candle.volume_usd, move
    return series


def _takes_part(by_time: Mapping[int, _Bar], times: BaselineTimes, opened_at_ms: int, timeframe_ms: int) -> bool:
    """Whether the venue has this candle, the one before it (else it is the first after a gap) and enough of the baseline."""
    if opened_at_ms not in by_time or opened_at_ms - timeframe_ms not in by_time:
        return False
    return len(by_time) - 1 >= COVERED * len(times.all_ms)


def _usual(taking_part: Mapping[Venue, Mapping[int, _Bar]], times: BaselineTimes) -> _Usual:
    """Medians of the sums over the venues, at the times at which all of them have a candle."""
    common = frozenset.intersection(*(frozenset(by_time) for by_time in taking_part.values())) & times.all_ms
    summed = {at_ms: sum(by_time[at_ms].usd for by_time in taking_part.values()) for at_ms in common}
    of_venue = {venue: _larger_median({at_ms: bar.usd for at_ms, bar in by_time.items()}, times) for venue, by_time in taking_part.items()}
    return _Usual(_larger_median(summed, times), list(summed.values()), of_venue)


def _over(usd: float, baseline_usd: float) -> float:
    """By how much, in percent; 0 over a baseline of nothing."""
    return (usd / baseline_usd - 1) * 100 if baseline_usd >= LEAST_BASELINE_USD else 0.0


def _larger_median(usd_at: Mapping[int, float], times: BaselineTimes) -> float:
    parts = ([usd_at[at_ms] for at_ms in group if at_ms in usd_at] for group in (times.same_time_ms, times.last_ms))
    return max((median(part) for part in parts if part), default=0.0)
