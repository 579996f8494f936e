"""How do a venue's candles become signals? One slice: fetch the newest of each contract, save, judge what is worth it over all venues."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Max
from django.utils import timezone

from monitors import selectors
from monitors.detectors.baseline import baseline_times
from monitors.detectors.oi_explosion import NoVerdict
from monitors.detectors.scan_signals import TIMEFRAME_MS, Coverage, volume_signals
from monitors.judging import Round, judge
from monitors.market import Candle, Contract, Kind, Signal, Venue, epoch_ms, from_epoch_ms
from monitors.models import CandleRow, EpisodeState, Market
from monitors.scan import SLICE_S, Slice, run_slice
from monitors.sight import LEFT_TO_ANOTHER, TOO_YOUNG, Sight, sight
from monitors.venues.candles import MOST, fetch_candles
from monitors.venues.clients import client

SETTLED_MS = 5_000  # after its end a candle is asked for: the last trades are in it then
GRACE_MS = 45_000  # after its end a candle is judged without the venues that have not brought it yet
UPDATED = ["open", "close", "volume_usd", "closed", "received_at"]


def too_early_s(venue: Venue) -> float:
    """How long to wait until the candle that has just ended at the venue is settled; 0 at any other time."""
    venue_now_ms = epoch_ms(timezone.now()) + client(venue).offset_ms
    return max(0, SETTLED_MS - venue_now_ms % TIMEFRAME_MS) / 1000


def scan_volume(venue: Venue, slice_s: float = SLICE_S) -> int:
    """Fetch the newest candles of the venue's scanned contracts and judge their assets; returns how many signals were raised."""
    return run_slice(venue, Kind.VOLUME, _sample, _judge, slice_s)


def _sample(piece: Slice) -> None:
    """Save the candles since the newest closed one of each contract."""
    markets = piece.markets
    now_ms = piece.client.now_ms()
    newest_ms = _newest_closed_ms(markets.values(), now_ms)

    def fetch(contract: Contract) -> list[Candle]:
        return fetch_candles(piece.client, contract, _missing(newest_ms.get(markets[contract.venue_symbol].pk), now_ms), patience_s=piece.left_s)

    found = piece.each([market.as_contract() for market in markets.values()], fetch)
    by_symbol = {market.symbol: market for market in markets.values()}
    fresh = [(by_symbol[candle.symbol], candle) for candles in found for candle in candles]
    save_candles([(market, candle) for market, candle in fresh if candle.opened_at_ms > newest_ms.get(market.pk, 0)])
    piece.sampled = sum(bool(candles) for candles in found)


def save_candles(candles: Iterable[tuple[Market, Candle]]) -> None:
    """Store the candles, over what was stored of them while they were open."""
    now = timezone.now()
    rows = [
        CandleRow(
            market=market,
            opened_at=from_epoch_ms(candle.opened_at_ms),
            open=candle.open,
            close=candle.close,
            volume_usd=candle.volume_usd,
            closed=candle.closed,
            received_at=now,
        )
        for market, candle in candles
    ]
    CandleRow.objects.bulk_create(rows, update_conflicts=True, unique_fields=["market", "opened_at"], update_fields=UPDATED, batch_size=500)


def _newest_closed_ms(markets: Collection[Market], now_ms: int) -> dict[int, int]:
    """Open time of the newest closed candle that is stored, by market; none for one that is missing more than a request brings."""
    since = from_epoch_ms(now_ms - MOST * TIMEFRAME_MS)
    rows = CandleRow.objects.filter(market__in=list(markets), closed=True, opened_at__gte=since).order_by().values_list("market")
    return {market: epoch_ms(newest) for market, newest in rows.annotate(Max("opened_at"))}


def _missing(newest_ms: int | None, now_ms: int) -> int:
    """How many candles to ask for: those since the newest closed one, at least the last closed one and the open one; one request brings them all."""
    return MOST if newest_ms is None else min(MOST, max(2, (now_ms - newest_ms) // TIMEFRAME_MS))


@dataclass(frozen=True, slots=True)
class _Newest:
    """The candle that ended last and the one that is open: who has them, and their dollars, by asset."""

    ended_ms: int
    have: Mapping[tuple[str, int], Collection[Venue]]
    usd: Mapping[tuple[str, int], float]

    @property
    def times_ms(self) -> tuple[int, int]:
        return self.ended_ms, self.ended_ms + TIMEFRAME_MS

    def is_due(self, asset: str, judged_ms: int, coverage: Coverage, now_ms: int) -> bool:
        """Whether the ended candle is to be judged now: once, when all live venues have it, or after the grace time."""
        complete = set(coverage.live) <= set(self.have.get((asset, self.ended_ms), ()))
        return judged_ms < self.ended_ms and (complete or now_ms - self.ended_ms - TIMEFRAME_MS >= GRACE_MS)


def _judge(piece: Slice) -> int:
    assets = piece.assets
    seen = sight(Kind.VOLUME, assets, timezone.now())
    coverage, offset_ms = seen.coverage(), piece.client.offset_ms
    piece.leave_out(len(assets) - len(coverage), TOO_YOUNG)
    newest = _newest(seen, epoch_ms(timezone.now()) + offset_ms)

    def measure(some: Round) -> list[Signal]:
        candles, signals = _load(some, seen, newest), []
        for asset in some.assets:
            for opened_at_ms in newest.times_ms:
                if opened_at_ms == newest.ended_ms:
                    if not newest.is_due(asset, some.judged_ms[asset], coverage[asset], some.scan.at_ms):
                        continue
                    some.judged_ms[asset] = opened_at_ms
                elif seen.waits(coverage[asset]):
                    piece.leave_out(1, LEFT_TO_ANOTHER)
                    continue
                measured = volume_signals(some.scan, asset, candles.get(asset, ()), opened_at_ms, coverage[asset])
                if isinstance(measured, NoVerdict):
                    piece.leave_out(1, measured.reason)
                else:
                    signals += measured
        return signals

    return judge(Kind.VOLUME, _worth_judging(coverage, newest), offset_ms, measure)


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
