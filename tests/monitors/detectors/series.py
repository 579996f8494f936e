"""Series of samples and candles that tests of the scanning detectors start from; times in minutes after `NOW_MS`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Any

from monitors.detectors.own_history import OwnLadder
from monitors.detectors.scan_signals import Coverage, Scan, open_interest_signals, volume_signals
from monitors.market import Candle, Kind, OpenInterest, Signal, Venue
from monitors.thresholds import Rule, Rulebook

MINUTE_MS = 60_000
FIVE_MINUTES_MS = 300_000
DAY_MS = 86_400_000
NOW_MS = 1_783_771_200_000  # the opening of a 5-minute candle
UNKNOWN = OwnLadder(0, 0, 0, 0, 0)
ALL = Coverage(tuple(Venue))
OI_RULE = Rule(Kind.OPEN_INTEREST, "", Decimal(1), Decimal(2), Decimal(4), Decimal(8), 900, 1, 2, Decimal(0), 900)
VOLUME_RULE = Rule(Kind.VOLUME, "", Decimal(400), Decimal(900), Decimal(2200), Decimal(7000), 300, 1, 2, Decimal(1000), 600)


def sample(
    coins: float | str | Decimal, minute: float = 0, mark: float | Decimal | None = 100, venue: Venue = Venue.BINANCE, symbol: str = "X/USDT:USDT"
) -> OpenInterest:
    """Open interest of X in coins, at $100 a coin."""
    price = None if mark is None else Decimal(str(mark))
    return OpenInterest(venue, symbol, "X", Decimal(str(coins)), price, round(NOW_MS + minute * MINUTE_MS))


def flat_then(*last: float, minutes: int = 20, coins: float = 1000, venue: Venue = Venue.BINANCE, symbol: str = "X/USDT:USDT") -> list[OpenInterest]:
    """A sample each minute, flat at `coins`; the last ones are those given, the newest now."""
    values = [coins] * (minutes + 1 - len(last)) + list(last)
    return [sample(value, minute - minutes, venue=venue, symbol=symbol) for minute, value in enumerate(values)]


def by_contract(*series: Sequence[OpenInterest]) -> dict[tuple[Venue, str], Sequence[OpenInterest]]:
    """As the detector takes them."""
    return {(of[0].venue, of[0].symbol): of for of in series}


def everywhere(make: Callable[[Venue], Sequence[OpenInterest]]) -> dict[tuple[Venue, str], Sequence[OpenInterest]]:
    """The same on all venues."""
    return by_contract(*map(make, Venue))


def oi_signals(
    samples: Mapping[tuple[Venue, str], Sequence[OpenInterest]],
    rule: Rule = OI_RULE,
    ladder: OwnLadder = UNKNOWN,
    coverage: Coverage = ALL,
    scan: Scan | None = None,
) -> list[Signal] | str:
    """The signals of one scan now; the reason where there is no verdict."""
    measured = open_interest_signals(scan or Scan(NOW_MS, Rulebook.of([rule]), {}), "X", samples, ladder, coverage)
    return measured[0] if isinstance(measured, tuple) else measured.reason


def only(signals: list[Signal] | str) -> Signal:
    """The one signal there is."""
    assert isinstance(signals, list), signals
    [signal] = signals
    return signal


def candle(usd: float, opened_ms: int = NOW_MS, venue: Venue = Venue.BINANCE, move_percent: float = 1, **fields: Any) -> Candle:
    """One 5-minute candle of X in dollars, its price up by 1 %."""
    return Candle(**{"venue": venue, "symbol": "X/USDT:USDT", "asset": "X", "opened_at_ms": opened_ms, "open": 100.0, "close": 100.0 + move_percent,
                     "volume_usd": usd, "closed": True, **fields})  # fmt: skip


def usual_week(usd: float = 10_000, venue: Venue = Venue.BINANCE, move_percent: float = 0.5, until_ms: int = NOW_MS, days: float = 7.1) -> list[Candle]:
    """Candles of the days before, around `usd` (their spread is a tenth), always the same ones."""
    random, count = Random(7), round(days * 288)
    times = (until_ms - back * FIVE_MINUTES_MS for back in range(1, count + 1))
    return [candle(usd * random.uniform(0.9, 1.1), at_ms, venue, move_percent) for at_ms in times]


def volume(
    candles: Iterable[Candle], after_s: float = 300, rule: Rule = VOLUME_RULE, coverage: Coverage = ALL, scan: Scan | None = None, opened_ms: int = NOW_MS
) -> list[Signal] | str:
    """The signals of the candle that opened at NOW_MS, `after_s` seconds later; the reason where there is no verdict."""
    scan = scan or Scan(opened_ms + round(after_s * 1000), Rulebook.of([rule]), {})
    measured = volume_signals(scan, "X", list(candles), opened_ms, coverage)
    return measured if isinstance(measured, list) else measured.reason
