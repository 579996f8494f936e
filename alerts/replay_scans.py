"""What do recorded open interest and candles measure? The scans of a replay: all that arrived at one moment is one scan."""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from monitors.detectors.baseline import DAY_MS, SAME_TIME_DAYS, SAME_TIME_SPREAD_MS, baseline_times
from monitors.detectors.oi_explosion import FRESH_MS, LOADED_BEYOND_MS, Contract, NoVerdict
from monitors.detectors.own_history import History
from monitors.detectors.scan_signals import Coverage, Episodes, Scan, open_interest_signals, volume_signals
from monitors.detectors.volume_spike import GRACE_MS
from monitors.market import TIMEFRAME_MS, Candle, Kind, OpenInterest, Signal, Venue
from monitors.recording import Arrival
from monitors.thresholds import Rulebook
from monitors.venues.contracts import split_multiplier
from monitors.venues.wire import positive, timestamp_ms

CANDLES_KEPT_MS = SAME_TIME_DAYS * DAY_MS + SAME_TIME_SPREAD_MS
DUE_MS, LATE_MS = 30_000, 90_000  # since a venue's last sample of an asset: the next one is about to come, and has not come
QUOTES = ("/USDT:USDT", "/USDC:USDC")


@dataclass(slots=True)
class _Rhythm:
    """When a venue's scans of one feed arrived, to tell when it has gone blind."""

    last_ms: int = 0
    step_ms: int = 0

    def beat(self, at_ms: int) -> None:
        if at_ms > self.last_ms:
            self.step_ms, self.last_ms = (at_ms - self.last_ms if self.last_ms else 0), at_ms

    def is_blind(self, at_ms: int) -> bool:
        return at_ms - self.last_ms > max(FRESH_MS, self.step_ms * 3 // 2)

    def is_about_to_come(self, at_ms: int) -> bool:
        """Of scans a minute apart: whether the next one is due and has not missed its turn."""
        return 0 < self.step_ms <= LATE_MS and DUE_MS <= at_ms - self.last_ms <= LATE_MS


@dataclass(slots=True)
class ScanReplay:
    """The state of all scanned assets. `listed` tells which venues list an asset in which feed."""

    rulebook: Rulebook
    listed: Mapping[tuple[str, str], set[Venue]]
    _episodes: Episodes = field(default_factory=dict)
    _samples: dict[str, dict[Contract, deque[OpenInterest]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(deque)))
    _candles: dict[str, dict[Contract, dict[int, Candle]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(dict)))
    _history: dict[str, History] = field(default_factory=lambda: defaultdict(History))
    _last_point_ms: dict[str, int] = field(default_factory=dict)
    _rhythm: dict[tuple[str, Venue], _Rhythm] = field(default_factory=lambda: defaultdict(_Rhythm))
    _of_asset: dict[tuple[str, Venue, str], _Rhythm] = field(default_factory=lambda: defaultdict(_Rhythm))
    _touched: dict[tuple[Kind, str, int], None] = field(default_factory=dict)  # what the open scan has brought: kind, asset, candle

    def add(self, arrival: Arrival) -> None:
        """Take one sample or candle into the scan of its moment; raises ValueError, KeyError or TypeError for a malformed one."""
        self._rhythm[arrival.feed, arrival.venue].beat(arrival.at_ms)
        if arrival.feed == "open_interest":
            sample = read_open_interest(arrival)
            series = self._samples[sample.asset][sample.venue, sample.symbol]
            series.append(sample)
            while series[0].occurred_at_ms < sample.occurred_at_ms - self._looks_back_ms(sample.asset):
                series.popleft()
            self._touch(arrival, Kind.OPEN_INTEREST, sample.asset, 0)
        else:
            candle = read_candle(arrival)
            by_time = self._candles[candle.asset][candle.venue, candle.symbol]
            by_time[candle.opened_at_ms] = candle
            by_time.pop(candle.opened_at_ms - CANDLES_KEPT_MS - TIMEFRAME_MS, None)
            self._touch(arrival, Kind.VOLUME, candle.asset, candle.opened_at_ms)

    def _touch(self, arrival: Arrival, kind: Kind, asset: str, opened_at_ms: int) -> None:
        self._of_asset[arrival.feed, arrival.venue, asset].beat(arrival.at_ms)
        self._touched[kind, asset, opened_at_ms] = None

    def finish(self, at_ms: int) -> list[Signal]:
        """The signals of the scan at `at_ms`; the next `add` begins another one."""
        scan, signals, touched = Scan(at_ms, self.rulebook, self._episodes), list[Signal](), sorted(self._touched)
        self._touched = {key: None for key in touched if self._is_incomplete(*key, at_ms)}
        for kind, asset, opened_at_ms in touched:
            if (kind, asset, opened_at_ms) in self._touched or self._is_left(kind, asset, opened_at_ms, at_ms):
                continue
            signals += self._open_interest(scan, asset) if kind is Kind.OPEN_INTEREST else self._volume(scan, asset, opened_at_ms)
        return signals

    def _is_incomplete(self, kind: Kind, asset: str, opened_at_ms: int, at_ms: int) -> bool:
        """Whether more is to come of a candle that has ended: for a moment it waits for all venues that see, as it does live."""
        if kind is Kind.OPEN_INTEREST or not 0 <= at_ms - opened_at_ms - TIMEFRAME_MS < GRACE_MS:
            return False
        have = {candle.venue for candle in self._candles_at(asset, opened_at_ms) if candle.closed}
        return not have.issuperset(self._coverage("candles", asset, at_ms).live)

    def _is_left(self, kind: Kind, asset: str, opened_at_ms: int, at_ms: int) -> bool:
        """Whether an asset is left to another venue's scan that is about to come, as it is live: what all show at once is one story."""
        if kind is Kind.VOLUME and at_ms >= opened_at_ms + TIMEFRAME_MS:
            return False
        feed = "open_interest" if kind is Kind.OPEN_INTEREST else "candles"
        return any(self._of_asset[feed, venue, asset].is_about_to_come(at_ms) for venue in self._coverage(feed, asset, at_ms).live)

    def _looks_back_ms(self, asset: str) -> int:
        """As far as a live scan does."""
        rule = self.rulebook.rule(Kind.OPEN_INTEREST, asset)
        return LOADED_BEYOND_MS + (0 if rule is None else rule.window_s * 1000)

    def _open_interest(self, scan: Scan, asset: str) -> list[Signal]:
        samples = {contract: list(series) for contract, series in self._samples[asset].items()}
        history = self._history[asset]
        measured = open_interest_signals(scan, asset, samples, history.ladder(), self._coverage("open_interest", asset, scan.at_ms))
        if isinstance(measured, NoVerdict):
            return []
        signals, change = measured
        if scan.at_ms - self._last_point_ms.get(asset, 0) >= TIMEFRAME_MS:
            history.add(float(change.percent), float(change.price_percent))
            self._last_point_ms[asset] = scan.at_ms
        return signals

    def _volume(self, scan: Scan, asset: str, opened_at_ms: int) -> list[Signal]:
        rule = self.rulebook.rule(Kind.VOLUME, asset)
        is_open = scan.at_ms < opened_at_ms + TIMEFRAME_MS
        candles = [candle for candle in self._candles_at(asset, opened_at_ms) if candle.closed or is_open]
        if rule is not None and sum(candle.volume_usd for candle in candles) >= rule.min_usd:  # most need no baseline
            for by_time in self._candles[asset].values():
                found = map(by_time.get, baseline_times(opened_at_ms, TIMEFRAME_MS).all_ms)
                candles += [candle for candle in found if candle is not None and candle.closed]
        measured = volume_signals(scan, asset, candles, opened_at_ms, self._coverage("candles", asset, scan.at_ms))
        return [] if isinstance(measured, NoVerdict) else measured

    def _candles_at(self, asset: str, opened_at_ms: int) -> Iterator[Candle]:
        return (by_time[opened_at_ms] for by_time in self._candles[asset].values() if opened_at_ms in by_time)

    def _coverage(self, feed: str, asset: str, at_ms: int) -> Coverage:
        listed = [venue for venue in Venue if venue in self.listed.get((feed, asset), ())]
        blind = tuple(venue for venue in listed if self._rhythm[feed, venue].is_blind(at_ms))
        return Coverage(tuple(venue for venue in listed if venue not in blind), blind)


def read_open_interest(arrival: Arrival) -> OpenInterest:
    """A recorded sample, in coins of the asset; raises ValueError, KeyError or TypeError."""
    payload = arrival.payload
    asset, multiplier = asset_of_symbol(payload["symbol"])
    coins, mark = Decimal(str(payload["open_interest"])), payload["mark_price"]
    if not coins.is_finite() or coins < 0:
        raise ValueError("open_interest: not an amount")
    mark_price = None if mark is None else positive(mark) / multiplier
    return OpenInterest(arrival.venue, payload["symbol"], asset, coins * multiplier, mark_price, timestamp_ms(payload["timestamp"]))


def read_candle(arrival: Arrival) -> Candle:
    """A recorded 5-minute candle, its volume at the typical price, closed by the venue's word or the time; raises ValueError, KeyError or TypeError."""
    payload = arrival.payload
    if payload["timeframe"] != "5m":
        raise ValueError(f"timeframe {payload['timeframe']!r}; only 5m is known")
    asset, multiplier = asset_of_symbol(payload["symbol"])
    opened_at, opened, high, low, close, volume = payload["candle"]
    prices = [float(positive(price)) for price in (opened, high, low, close)]
    if not 0 <= float(volume) < float("inf"):
        raise ValueError("volume: not an amount")
    volume_usd, opened_at_ms = float(volume) * sum(prices[1:]) / 3, timestamp_ms(opened_at)
    closed = bool(payload["closed"]) or arrival.at_ms >= opened_at_ms + TIMEFRAME_MS
    return Candle(arrival.venue, payload["symbol"], asset, opened_at_ms, prices[0] / multiplier, prices[3] / multiplier, volume_usd, closed)


@lru_cache(maxsize=10_000)
def asset_of_symbol(symbol: str) -> tuple[str, int]:
    """`1000PEPE/USDT:USDT` -> ("PEPE", 1000); ValueError for what is no linear USDT or USDC perpetual."""
    for quote in QUOTES:
        if symbol.endswith(quote):
            return split_multiplier(symbol.removesuffix(quote))
    raise ValueError(f"{symbol!r} is no USDT or USDC perpetual")
