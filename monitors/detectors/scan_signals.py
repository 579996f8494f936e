"""Is a change of open interest or a volume worth a signal? The measurement as a signal, through its episode."""

from collections.abc import Collection, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from monitors.detectors.episode import Episode
from monitors.detectors.oi_explosion import Contract, NoVerdict, OiChange, oi_change
from monitors.detectors.own_history import OwnLadder
from monitors.detectors.volume_spike import VolumeSpike, volume_spike
from monitors.market import TIMEFRAME_MS, Candle, Direction, Kind, OpenInterest, Signal, Venue
from monitors.thresholds import Rule, Rulebook

Story = tuple[Kind, str, Direction]
Episodes = MutableMapping[Story, Episode]
PERCENT = Decimal("1e-6")  # precision of a stored percentage
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Coverage:
    """The venues that list an asset: those whose scans answer, and those that are blind just now."""

    live: tuple[Venue, ...]
    blind: tuple[Venue, ...] = ()

    def absent(self, measured: Collection[Venue]) -> dict[str, str]:
        """The venues that are not in a measurement: the blind ones, and those that answer but had nothing to compare."""
        return {"missing": ",".join(self.blind), "not_compared": ",".join(venue for venue in self.live if venue not in measured)}


@dataclass(frozen=True, slots=True)
class Scan:
    """What every measurement of one scan shares: its time, the rules, and the state of the episodes."""

    at_ms: int
    rulebook: Rulebook
    episodes: Episodes

    def episode(self, kind: Kind, asset: str, direction: Direction) -> Episode:
        """The state of one story, a fresh one when there is none."""
        return self.episodes.setdefault((kind, asset, direction), Episode())


def open_interest_signals(
    scan: Scan, asset: str, samples: Mapping[Contract, Sequence[OpenInterest]], ladder: OwnLadder, coverage: Coverage
) -> tuple[list[Signal], OiChange] | NoVerdict:
    """The signals of one scan for one asset, and the change behind them. `samples` are in the order of their time.

    A rise ends the episode of the fall and the other way round.
    """
    rule = scan.rulebook.rule(Kind.OPEN_INTEREST, asset)
    if rule is None:
        return NoVerdict("the threshold rule is switched off")
    change = oi_change(samples, rule.window_s * 1000, scan.at_ms, rule.min_usd)
    if isinstance(change, NoVerdict):
        return change
    rise, fall = max(change.percent, ZERO), max(-change.percent, ZERO)
    up = _one_way(scan, asset, Direction.UP, rise, change, rule, ladder, coverage)
    return up + _one_way(scan, asset, Direction.DOWN, fall, change, rule, ladder, coverage), change


def volume_signals(scan: Scan, asset: str, candles: Sequence[Candle], opened_at_ms: int, coverage: Coverage) -> list[Signal] | NoVerdict:
    """The signals of one 5-minute candle of an asset; the scan's time is the venue's."""
    rule = scan.rulebook.rule(Kind.VOLUME, asset)
    if rule is None:
        return NoVerdict("the threshold rule is switched off")
    spike = volume_spike(candles, opened_at_ms, TIMEFRAME_MS, scan.at_ms, rule)
    episode = scan.episode(Kind.VOLUME, asset, Direction.NONE)
    if isinstance(spike, NoVerdict):
        if scan.at_ms >= opened_at_ms + TIMEFRAME_MS:  # what is still small in an open candle may grow
            episode.end()
        return spike
    value = Decimal(str(spike.percent)).quantize(PERCENT)
    step = rule.step_of(value) if spike.at_most is None else min(rule.step_of(value), spike.at_most)

    def make(index: int, number: int) -> Signal:
        venues = {venue: Decimal(str(percent)).quantize(PERCENT) for venue, percent in spike.percent_of_venue.items()}
        return Signal(
            Kind.VOLUME, asset, Direction.NONE, value, len(venues), venues, TIMEFRAME_MS // 1000,
            opened_at_ms, scan.at_ms, index, number, len(coverage.live), None, {**_volume_details(spike), **coverage.absent(venues)},
        )  # fmt: skip

    return episode.measure(value, step, scan.rulebook.floor(rule, asset), scan.at_ms, make) + episode.flush()


def _one_way(scan: Scan, asset: str, direction: Direction, value: Decimal, change: OiChange, rule: Rule, ladder: OwnLadder, coverage: Coverage) -> list[Signal]:
    sign = -1 if direction is Direction.DOWN else 1
    value = value.quantize(PERCENT)  # as it is stored: what differs behind that is no new peak
    rule_step, own_step = rule.step_of(value), ladder.step_of(value, rule)
    decided_by = "own history" if own_step > rule_step else "rule"

    def make(index: int, number: int) -> Signal:
        venues = {venue: (sign * percent).quantize(PERCENT) for venue, percent in change.percent_of_venue.items()}
        details = {**_oi_details(change, ladder), "ladder": decided_by, "own_step": str(own_step), **coverage.absent(venues)}
        return Signal(
            Kind.OPEN_INTEREST, asset, direction, value, len(venues), venues, rule.window_s,
            change.newest_ms, scan.at_ms, index, number, len(coverage.live), change.price_to, details,
        )  # fmt: skip

    episode, floor = scan.episode(Kind.OPEN_INTEREST, asset, direction), scan.rulebook.floor(rule, asset)
    return episode.measure(value, max(rule_step, own_step), floor, scan.at_ms, make) + episode.flush()


def _oi_details(change: OiChange, ladder: OwnLadder) -> dict[str, str]:
    return {
        "coins_from": f"{change.coins_from:f}",
        "coins_to": f"{change.coins_to:f}",
        "usd_from": f"{change.usd_from:.2f}",
        "usd_to": f"{change.usd_to:.2f}",
        "coins_part_usd": f"{change.coins_part_usd:.2f}",
        "price_part_usd": f"{change.price_part_usd:.2f}",
        "price_percent": f"{change.price_percent:.4f}",
        "usual_price_percent": f"{ladder.usual_price_move:.4f}",
        "own_days": f"{ladder.days:.1f}",
    }


def _volume_details(spike: VolumeSpike) -> dict[str, str]:
    return {
        "usd": f"{spike.usd:.2f}",
        "baseline_usd": f"{spike.baseline_usd:.2f}",
        "z": f"{spike.z:.2f}",
        "price_percent": f"{spike.price_percent:.4f}",
        "usual_price_percent": f"{spike.usual_price_move:.4f}",
        "at_most": "" if spike.at_most is None else str(int(spike.at_most)),
        "open_for_s": "" if spike.open_for_ms is None else str(spike.open_for_ms // 1000),
    }
