"""What does the market say? The value types that every layer speaks; units are in the names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

MINUTE_MS = 60_000
TIMEFRAME_MS = 300_000  # of candles, and of the steps in which the past of open interest is told and kept
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Venue(StrEnum):
    """A trading venue, named as ccxt and the settings name it."""

    __hash__ = str.__hash__  # Enum's own is a Python function: dear for the keys of every event

    BINANCE = "binance"
    BYBIT = "bybit"
    OKX = "okx"

    @property
    def title(self) -> str:  # type: ignore[override]  # str.title is of no use on a venue
        """The venue's name as people write it."""
        return {"binance": "Binance", "bybit": "Bybit", "okx": "OKX"}[self.value]


class Kind(StrEnum):
    """What was measured."""

    __hash__ = str.__hash__  # Enum's own is a Python function: dear for the keys of every event

    LIQUIDATION = "liquidation"
    CASCADE = "cascade"
    OPEN_INTEREST = "open_interest"
    VOLUME = "volume"


class Direction(StrEnum):
    """LONG and SHORT: the position side that was closed by force. UP and DOWN: the sign of a change."""

    __hash__ = str.__hash__  # Enum's own is a Python function: dear for the keys of every event

    LONG = "LONG"
    SHORT = "SHORT"
    UP = "UP"
    DOWN = "DOWN"
    NONE = ""


class Unit(StrEnum):
    """The unit of a signal's value: dollars, or percent (4.2 means 4.2 %)."""

    USD = "usd"
    PERCENT = "percent"


UNIT_OF_KIND: Mapping[Kind, Unit] = {
    Kind.LIQUIDATION: Unit.USD,
    Kind.CASCADE: Unit.USD,
    Kind.OPEN_INTEREST: Unit.PERCENT,
    Kind.VOLUME: Unit.PERCENT,
}


@dataclass(frozen=True, slots=True)
class Contract:
    """One linear USDT or USDC perpetual of a venue.

    `contract_size`: coins of the venue's own base per contract (1 where the venue counts coins).
    `multiplier`: coins of `asset` in one coin of the venue's base (1000 for 1000PEPE).
    """

    venue: Venue
    venue_symbol: str
    symbol: str
    asset: str
    contract_size: Decimal = Decimal(1)
    multiplier: Decimal = Decimal(1)


class Liquidation(NamedTuple):  # of the frozen types the cheapest to make: thousands come in a second
    """One received liquidation event.

    `position_side` LONG means that a long was closed by force. `price` is dollars per coin of the
    asset, `quantity_base` coins of the asset, `notional_usd` their product. `occurrence` numbers
    equal rows within one frame.
    """

    venue: Venue
    symbol: str
    asset: str
    position_side: Direction
    price: Decimal
    quantity_base: Decimal
    notional_usd: Decimal
    occurred_at_ms: int
    occurrence: int = 0


@dataclass(frozen=True, slots=True)
class Funding:
    """What holders of one side pay those of the other: `rate` of the position's value (0.0001 is 0.01 %, longs pay) every `hours`; None: not told."""

    rate: float
    hours: int | None = None


@dataclass(frozen=True, slots=True)
class OpenInterest:
    """Open interest of one contract, one-sided, in coins of the asset; `mark_price` in dollars per coin, None when unknown.

    `funding`: where the answer carries it anyway.
    """

    venue: Venue
    symbol: str
    asset: str
    oi_base: Decimal
    mark_price: Decimal | None
    occurred_at_ms: int
    funding: Funding | None = None


@dataclass(frozen=True, slots=True)
class Candle:
    """One 5-minute candle of one contract; prices in dollars per coin of the asset, `volume_usd` in dollars."""

    venue: Venue
    symbol: str
    asset: str
    opened_at_ms: int
    open: float
    close: float
    volume_usd: float
    closed: bool


@dataclass(frozen=True, slots=True)
class PriceCandle:
    """The mark price of one contract in one minute, dollars per coin of the asset."""

    venue: Venue
    asset: str
    opened_at_ms: int
    open: float
    high: float
    low: float
    close: float
    closed: bool


@dataclass(frozen=True, slots=True)
class Signal:
    """A measurement, no judgement: `value` in `unit`, the part of each venue in `venues`.

    `occurred_at_ms` is the venue's time of the newest event behind it, `received_at_ms` the arrival
    of the frame behind it. `episode` counts the times the value rose over the floor, `number` the
    signals within it. `listed_on` is how many live venues list the asset. `price` is dollars per
    coin of the newest event (None when unknown).
    """

    kind: Kind
    asset: str
    direction: Direction
    value: Decimal
    count: int
    venues: Mapping[Venue, Decimal]
    window_s: int
    occurred_at_ms: int
    received_at_ms: int
    episode: int = 1
    number: int = 1
    listed_on: int = 1
    price: Decimal | None = None
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def unit(self) -> Unit:
        """The unit of `value`."""
        return UNIT_OF_KIND[self.kind]

    @property
    def fingerprint(self) -> str:
        """What makes two signals the same story (see `fingerprint_of`)."""
        return fingerprint_of(self.kind, self.asset, self.direction)


def family_of(kind: Kind) -> str:
    """What counts as the same kind: liquidations and cascades are one family."""
    return "liquidations" if kind in (Kind.LIQUIDATION, Kind.CASCADE) else kind.value


def fingerprint_of(kind: Kind, asset: str, direction: Direction) -> str:
    """Asset + direction of the kind's family: liquidation and cascade are one story, volume has no direction."""
    return f"{family_of(kind)}:{asset}:{'' if kind is Kind.VOLUME else direction.value}"


def chart_of(venue: Venue, symbol: str) -> str:
    """TradingView's name of a perpetual: `BTC/USDT:USDT` on Bybit is `BYBIT:BTCUSDT.P`."""
    return f"{venue.upper()}:{symbol.split(':')[0].replace('/', '')}.P"


def epoch_ms(moment: datetime) -> int:
    """Epoch milliseconds of an aware datetime, rounded down, without a float in between."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def from_epoch_ms(at_ms: int) -> datetime:
    """The aware UTC datetime of epoch milliseconds."""
    return _EPOCH + timedelta(milliseconds=at_ms)
