"""Which candles of a venue's assets are worth a signal? The one that ended last, once, and the open one, over all venues that see."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone

from monitors import selectors
from monitors.detectors.baseline import baseline_times
from monitors.detectors.oi_explosion import NoVerdict
from monitors.detectors.scan_signals import Coverage, volume_signals
from monitors.detectors.volume_spike import GRACE_MS
from monitors.judging import Round, judge
from monitors.market import TIMEFRAME_MS, Candle, Kind, Signal, Venue, epoch_ms, from_epoch_ms
from monitors.models import CandleRow, EpisodeState
from monitors.scan import Slice
from monitors.second_look import SecondLook
from monitors.sight import LEFT_TO_ANOTHER, TOO_YOUNG, Sight, sight


def judge_volume(piece: Slice, look_again: Callable[[SecondLook], None]) -> int:
    """Judge the slice's assets, some of them again after a second look; returns how many signals were raised."""
    seen = sight(Kind.VOLUME, piece.assets, timezone.now())
    coverage, second_look = seen.coverage(), SecondLook(piece, seen)
    piece.leave_out(len(piece.assets) - len(coverage), TOO_YOUNG)
    raised = _look(piece, seen, coverage, second_look, coverage)
    while again := second_look.assets:
        look_again(second_look)
        raised += _look(piece, seen, coverage, second_look, again)
    return raised


def _look(piece: Slice, seen: Sight, coverage: Mapping[str, Coverage], second_look: SecondLook, assets: Collection[str]) -> int:
    offset_ms = piece.client.offset_ms
    newest = _newest(seen, epoch_ms(timezone.now()) + offset_ms)

    def measure(some: Round) -> list[Signal]:
        candles = _load(some, seen, newest)
        return [signal for asset in some.assets for signal in of_asset(some, asset, candles.get(asset, ()))]

    def of_asset(some: Round, asset: str, candles: Sequence[Candle]) -> list[Signal]:
        signals: list[Signal] = []
        for opened_at_ms in times(some, asset):
            measured = volume_signals(some.scan, asset, candles, opened_at_ms, coverage[asset])
            if isinstance(measured, NoVerdict):
                piece.leave_out(1, measured.reason)
            elif second_look.puts_off(some, asset, measured, newest.told_all(asset, opened_at_ms)):
                return []
            else:
                signals += measured
        return signals

    def times(some: Round, asset: str) -> Iterator[int]:
        """Open times of the asset's candles that are to be judged now."""
        if newest.is_due(asset, some.judged_ms[asset], coverage[asset], some.scan.at_ms):
            some.judged_ms[asset] = newest.ended_ms
            yield newest.ended_ms
        if seen.waits(coverage[asset]):
            piece.leave_out(1, LEFT_TO_ANOTHER)
        else:
            yield newest.open_ms

    return judge(Kind.VOLUME, _worth_judging(assets, newest), offset_ms, measure)


@dataclass(frozen=True, slots=True)
class _Newest:
    """The candle that ended last and the one that is open: who has them, and their dollars, by asset."""

    ended_ms: int
    have: Mapping[tuple[str, int], Collection[Venue]]
    usd: Mapping[tuple[str, int], float]

    @property
    def open_ms(self) -> int:
        return self.ended_ms + TIMEFRAME_MS

    @property
    def times_ms(self) -> tuple[int, int]:
        return self.ended_ms, self.open_ms

    def told_all(self, asset: str, opened_at_ms: int) -> Collection[Venue]:
        """The venues that have told all of this candle: nothing comes to one that has ended."""
        return self.have.get((asset, opened_at_ms), ()) if opened_at_ms == self.ended_ms else ()

    def is_due(self, asset: str, judged_ms: int, coverage: Coverage, now_ms: int) -> bool:
        """Whether the ended candle is to be judged now: once, when all live venues have it, or after the grace time."""
        complete = set(coverage.live) <= set(self.have.get((asset, self.ended_ms), ()))
        return judged_ms < self.ended_ms and (complete or now_ms - self.ended_ms - TIMEFRAME_MS >= GRACE_MS)


def _worth_judging(assets: Collection[str], newest: _Newest) -> list[str]:
    """The assets whose dollars reach the rule's minimum, and those with an episode that might end: most need no baseline to be read."""
    rulebook = selectors.rulebook()
    running = set(EpisodeState.objects.filter(kind=Kind.VOLUME, running=True).values_list("asset", flat=True))
    least = {asset: rule.min_usd for asset in assets if (rule := rulebook.rule(Kind.VOLUME, asset)) is not None}
    loud = {asset for asset, usd in least.items() if any(Decimal(newest.usd.get((asset, at_ms), 0.0)) >= usd for at_ms in newest.times_ms)}
    return sorted(asset for asset in assets if asset in loud or asset in running)


def _newest(seen: Sight, now_ms: int) -> _Newest:
    open_ms = now_ms // TIMEFRAME_MS * TIMEFRAME_MS
    ended_ms = open_ms - TIMEFRAME_MS
    have: dict[tuple[str, int], set[Venue]] = defaultdict(set)
    usd: dict[tuple[str, int], float] = defaultdict(float)
    for candle in _candles(seen, list(seen.contracts), (ended_ms, open_ms), open_ms):
        have[candle.asset, candle.opened_at_ms].add(candle.venue)
        usd[candle.asset, candle.opened_at_ms] += candle.volume_usd
    return _Newest(ended_ms, have, usd)


def _load(some: Round, seen: Sight, newest: _Newest) -> dict[str, list[Candle]]:
    """The candles behind both judgements, by asset; of venues that see only."""
    ended_ms, open_ms = newest.times_ms
    wanted_ms = {ended_ms, open_ms} | baseline_times(ended_ms, TIMEFRAME_MS).all_ms | baseline_times(open_ms, TIMEFRAME_MS).all_ms
    found: dict[str, list[Candle]] = defaultdict(list)
    for candle in _candles(seen, list(seen.of(some.assets)), wanted_ms, open_ms):
        found[candle.asset].append(candle)
    return found


def _candles(seen: Sight, markets: Collection[int], times_ms: Collection[int], open_ms: int) -> Iterable[Candle]:
    """Stored candles; what is not closed counts for the open one only: of an older one the end was never seen."""
    rows = CandleRow.objects.filter(market__in=markets, opened_at__in=[from_epoch_ms(at_ms) for at_ms in times_ms]).order_by()
    for market, opened_at, opened, close, volume_usd, closed in rows.values_list("market", "opened_at", "open", "close", "volume_usd", "closed").iterator():
        contract, at_ms = seen.contracts[market], epoch_ms(opened_at)
        if closed or at_ms == open_ms:
            yield Candle(contract.venue, contract.symbol, contract.asset, at_ms, opened, close, volume_usd, closed)
