"""How do people read a number of dollars? Short, and rounded down: never more than was measured."""

from decimal import ROUND_DOWN, Context, Decimal

_FIVE_DIGITS = Context(prec=5)
_UNITS = (
    (Decimal(10) ** 12, "T", Decimal("0.1")),
    (Decimal(10) ** 9, "B", Decimal("0.1")),
    (Decimal(10) ** 6, "M", Decimal("0.1")),
    (Decimal(10) ** 3, "k", Decimal(1)),
)


def dollars(usd: Decimal) -> str:
    """$950, $850k, $4.2M, $12.4M, $1.1B."""
    for size, unit, places in _UNITS:
        if usd >= size:
            return f"${_plain((usd / size).quantize(places, ROUND_DOWN))}{unit}"
    return f"${usd.quantize(Decimal(1), ROUND_DOWN):f}"


def amount(number: Decimal, digits: int = 3) -> str:
    """A number of coins: 950, 450k, 4.23M, 74.5T."""
    rounded = Context(prec=digits, rounding=ROUND_DOWN).create_decimal(number)
    for size, unit, _ in _UNITS:
        if number >= size:
            return f"{_plain(rounded / size)}{unit}"
    return _plain(rounded)


def price(usd: Decimal) -> str:
    """A price per coin, five digits or to the dollar: 62,310, 178.43, 0.021912."""
    return f"{usd:,.0f}" if usd >= 10_000 else f"{_FIVE_DIGITS.create_decimal(usd):,f}"


def percent(change: Decimal) -> str:
    """A change with its sign, one place: −1.4 %, +0.3 %."""
    rounded = change.quantize(Decimal("0.1"))
    return f"{'−' if rounded < 0 else '+' if rounded > 0 else ''}{abs(rounded)} %"


def signed(number: Decimal, places: int) -> str:
    """With its sign, and so many places: −9.10, +0.00."""
    return f"{number:+.{places}f}".replace("-", "−")


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
