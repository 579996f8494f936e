"""What does a frame from a venue say, in values? The shapes and the checks of numbers that all three parsers share."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import orjson

from monitors.market import Contract, Direction, Liquidation

SAMPLE_LENGTH = 200  # characters of a malformed frame that the log shows
SMALLEST, LARGEST = Decimal("1e-12"), Decimal("1e15")  # 12 places are kept; more coins or dollars than this is a broken number
LONGEST_NUMBER = 40  # characters
ONE = Decimal(1)
PLACES = 12  # after the point, as stored
EARLIEST_MS, LATEST_MS = 1_483_228_800_000, 4_102_444_800_000  # 2017 to 2100: seconds or microseconds taken for ms fall outside

ODD = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)  # what reading an answer that is not as documented raises

# Why a row that was understood is not counted.
INVERSE, UNKNOWN_CONTRACT = "inverse", "unknown_contract"
Known = TypeVar("Known")  # the venue's contracts, which are built on this module
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class MalformedFrame(ValueError):
    """A frame that is not understood at all; `sample` is its beginning, for the log."""

    def __init__(self, frame: object) -> None:
        self.sample = sample_of(frame)
        super().__init__(self.sample)


class ParsedFrame(NamedTuple):
    """What one frame says.

    `dropped`: understood rows that are not ours, by reason. `malformed`: rows that are not understood, `sample` the first of them.
    `marks`: dollars per coin by asset. `refused`: what the venue says when it refuses a subscription, `request_id` which one.
    `is_control`: a pong, an acknowledgement or a notice, so no data.
    """

    liquidations: tuple[Liquidation, ...] = ()
    dropped: Mapping[str, int] = _NOTHING
    malformed: int = 0
    sample: str = ""
    marks: Mapping[str, Decimal] = _NOTHING
    is_control: bool = False
    refused: str = ""
    request_id: str = ""


PONG = ParsedFrame(is_control=True)


def sample_of(frame: object) -> str:
    """The beginning of a frame, as one printable line."""
    try:
        text = frame.decode("utf-8", "replace") if isinstance(frame, bytes) else str(frame)
    except RecursionError:
        text = "deeply nested"
    return ascii(text[:SAMPLE_LENGTH])[1:-1]


def decode(raw: bytes | str) -> Any:
    """The JSON value of a raw frame; raises MalformedFrame."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise MalformedFrame(raw) from None


def positive(value: object) -> Decimal:
    """A price or an amount from the wire (text, or a JSON number): positive, finite and bounded; raises ValueError otherwise.

    Rounded to the 12 places that are stored, so that a saved event equals the received one.
    """
    text = value if type(value) is str else repr(value) if type(value) in (int, float) else ""
    length = len(text)
    if not 0 < length <= LONGEST_NUMBER or "_" in text:
        raise ValueError(f"not a number: {text[:LONGEST_NUMBER]!r}")
    number = Decimal(text)  # InvalidOperation, an ArithmeticError, when it is none; so does comparing NaN
    if not SMALLEST <= number <= LARGEST:
        raise ValueError(f"out of range: {text}")
    return number if length < PLACES else round(number, PLACES)


def timestamp_ms(value: object) -> int:
    """Epoch milliseconds from the wire (a JSON integer, or digits as OKX sends them) in a sane range; raises ValueError otherwise."""
    if type(value) is str and value.isascii() and value.isdigit() and len(value) <= LONGEST_NUMBER:
        value = int(value)
    if type(value) is not int or not EARLIEST_MS <= value <= LATEST_MS:
        raise ValueError("not epoch milliseconds")
    return value


def liquidation(contract: Contract, side: Direction, price: Decimal, coins: Decimal, occurred_at_ms: int) -> Liquidation:
    """The event in coins of the asset; `price` and `coins` are of the venue's own base (1000PEPE)."""
    notional_usd = price * coins
    if contract.multiplier != ONE:
        price, coins = round(price / contract.multiplier, PLACES), round(coins * contract.multiplier, PLACES)
    if price < SMALLEST or coins > LARGEST or notional_usd > LARGEST:
        raise ValueError("out of range")
    return Liquidation(contract.venue, contract.symbol, contract.asset, side, price, coins, notional_usd, occurred_at_ms)


def read_rows(rows: Iterable[Any], contracts: Known, read: Callable[[Any, Known], Liquidation | str]) -> ParsedFrame:
    """Read each row by itself; `read` returns the event, or the reason why the row is not ours, or raises for a malformed one."""
    found: list[Liquidation] = []
    dropped: list[str] = []
    malformed, sample = 0, ""
    for row in rows:
        try:
            result = read(row, contracts)
        except ODD:
            malformed, sample = malformed + 1, sample or sample_of(row)
            continue
        if type(result) is str:
            dropped.append(result)
        else:
            found.append(result)  # type: ignore[arg-type]  # a Liquidation: the one other type
    liquidations = tuple(found) if len(found) < 2 else numbered(found)
    return ParsedFrame(liquidations, Counter(dropped) if dropped else _NOTHING, malformed, sample)


def numbered(liquidations: list[Liquidation]) -> tuple[Liquidation, ...]:
    """Number equal rows of one frame: two equal rows are two events, told apart by their occurrence."""
    if len(set(liquidations)) == len(liquidations):
        return tuple(liquidations)
    seen: Counter[Liquidation] = Counter()
    result = []
    for row in liquidations:
        result.append(row._replace(occurrence=seen[row]) if seen[row] else row)
        seen[row] += 1
    return tuple(result)
