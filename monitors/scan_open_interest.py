"""How does a venue's open interest become signals? One slice: sample, save, judge each asset over all venues."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.utils import timezone

from monitors import funding
from monitors.budget import FOR_SINGLE_ONES
from monitors.detectors.oi_explosion import LOADED_BEYOND_MS, NoVerdict, OiChange, held_jump
from monitors.detectors.oi_explosion import Contract as ContractKey
from monitors.detectors.own_history import OwnLadder
from monitors.detectors.scan_signals import open_interest_signals
from monitors.judging import Round, judge
from monitors.market import Contract, Kind, OpenInterest, Signal, Venue, epoch_ms, from_epoch_ms
from monitors.models import Market, OpenInterestSample, OwnHistory
from monitors.scan import SLICE_S, Slice, run_slice
from monitors.second_look import Markets, SecondLook, one_by_one
from monitors.sight import LEFT_TO_ANOTHER, TOO_YOUNG, Sight, sight
from monitors.venues import open_interest
from monitors.venues.clients import client

UNKNOWN = OwnLadder(0, 0, 0, 0, 0)
Samples = Mapping[ContractKey, Sequence[OpenInterest]]


def scan_open_interest(venue: Venue, slice_s: float = SLICE_S) -> int:
    """Sample the venue's scanned contracts once and judge their assets; returns how many signals were raised."""
    return run_slice(venue, Kind.OPEN_INTEREST, _sample, _judge, slice_s)


def _sample(piece: Slice) -> None:
    """Save a sample of each contract."""
    piece.sampled = _save(piece.markets, _fetch(piece, piece.markets) if piece.markets else {})


def _save(markets: Markets, readings: open_interest.Readings) -> int:
    now = timezone.now()
    rows = [
        OpenInterestSample(
            market=markets[symbol],
            oi_base=reading.oi_base,
            mark_price=reading.mark_price,  # type: ignore[misc]  # the field may be null
            occurred_at=from_epoch_ms(reading.occurred_at_ms),
            received_at=now,
            funding_rate=reading.funding and reading.funding.rate,
            funding_hours=reading.funding and reading.funding.hours,
        )
        for symbol, reading in readings.items()
    ]
    OpenInterestSample.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    return len(rows)


def _fetch(piece: Slice, markets: Markets) -> open_interest.Readings:
    contracts = _contracts(markets)
    if piece.venue is not Venue.BINANCE:
        return open_interest.fetch_all(piece.client, contracts, piece.left_s)
    marks = open_interest.fetch_marks(piece.client, piece.left_s)
    symbols = {contract.symbol: symbol for symbol, contract in contracts.items()}

    def fetch(contract: Contract) -> OpenInterest:
        return open_interest.fetch_one(piece.client, contract, marks.get(contract.venue_symbol), piece.left_s, FOR_SINGLE_ONES[piece.venue])

    return {symbols[reading.symbol]: reading for reading in piece.each(list(contracts.values()), fetch)}


def _ask_again(venue: Venue, markets: Markets, left_s: float) -> open_interest.Readings:
    """A few contracts once more; in a thread, so nothing here touches the database."""
    if venue is not Venue.BINANCE:
        return open_interest.fetch_all(client(venue), _contracts(markets), left_s)
    marks = open_interest.fetch_marks(client(venue), left_s)

    def ask(market: Market, patience_s: float) -> OpenInterest:
        return open_interest.fetch_one(client(venue), market.as_contract(), marks.get(market.venue_symbol), patience_s)

    return one_by_one(markets, left_s, ask)


def _contracts(markets: Markets) -> dict[str, Contract]:
    return {symbol: market.as_contract() for symbol, market in markets.items()}


def _judge(piece: Slice) -> int:
    assets = piece.assets
    seen = sight(Kind.OPEN_INTEREST, assets, timezone.now())
    coverage, second_look = seen.coverage(), SecondLook(piece, seen)
    piece.leave_out(len(assets) - len(coverage), TOO_YOUNG)
    ladders = {row.asset: OwnLadder(row.days, row.low, row.moderate, row.high, row.usual_price_move) for row in OwnHistory.objects.filter(asset__in=assets)}

    def measure(some: Round) -> list[Signal]:
        samples, signals = _load(some, seen), []
        for asset in some.assets:
            if seen.waits(coverage[asset]):
                piece.leave_out(1, LEFT_TO_ANOTHER)
                continue
            series = samples.get(asset, {})
            measured = open_interest_signals(some.scan, asset, series, ladders.get(asset, UNKNOWN), coverage[asset])
            if isinstance(measured, NoVerdict):
                piece.leave_out(1, measured.reason)
            elif not second_look.puts_off(some, asset, measured[0], _contradicting(series, measured[1])):
                signals += measured[0]
        return funding.beside(signals, seen.contracts, timezone.now())

    raised = judge(Kind.OPEN_INTEREST, list(coverage), piece.client.offset_ms, measure)
    while again := second_look.assets:
        for markets, readings in second_look.take(_ask_again):
            _save(markets, readings)
        raised += judge(Kind.OPEN_INTEREST, again, piece.client.offset_ms, measure)
    return raised


def _contradicting(series: Samples, change: OiChange) -> set[Venue]:
    """Venues with a jump against the change, perhaps a wrong answer: it waits for the next scan's sample, not for one of seconds later."""
    return {venue for (venue, _), samples in series.items() if held_jump(samples) * change.percent < 0}


def _load(some: Round, seen: Sight) -> dict[str, dict[ContractKey, list[OpenInterest]]]:
    """The samples of the window by asset and contract, in the order of their time; of venues that see only."""
    contracts = seen.of(some.assets)
    rules = (some.scan.rulebook.rule(Kind.OPEN_INTEREST, asset) for asset in some.assets)
    window_ms = max((rule.window_s * 1000 for rule in rules if rule is not None), default=0)
    since = from_epoch_ms(some.scan.at_ms) - timedelta(milliseconds=window_ms + LOADED_BEYOND_MS)
    rows = OpenInterestSample.objects.filter(market__in=list(contracts), occurred_at__gte=since).order_by("market", "occurred_at")
    found: dict[str, dict[ContractKey, list[OpenInterest]]] = defaultdict(lambda: defaultdict(list))
    for market, coins, mark, occurred_at in rows.values_list("market", "oi_base", "mark_price", "occurred_at"):
        contract = contracts[market]
        sample = OpenInterest(contract.venue, contract.symbol, contract.asset, coins, mark, epoch_ms(occurred_at))
        found[contract.asset][contract.venue, contract.symbol].append(sample)
    return found
