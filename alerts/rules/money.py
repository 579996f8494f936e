"""How do people read a number of dollars? Three significant digits, rounded down: never more than was measured."""

from decimal import ROUND_DOWN, Context, Decimal

_THREE_DIGITS = Context(prec=3, rounding=ROUND_DOWN)
_SIX_DIGITS = Context(prec=6)
_UNITS = ((Decimal(10) ** 9, "B"), (Decimal(10) ** 6, "M"), (Decimal(10) ** 3, "k"))


def dollars(usd: Decimal) -> str:
    """$950, $450k, $4.23M, $12.4M."""
    return f"${amount(usd)}"


def amount(number: Decimal) -> str:
    """A number of coins or dollars: 950, 450k, 4.23M."""
    for size, unit in _UNITS:
        if number >= size:
            return f"{_plain(_THREE_DIGITS.create_decimal(number) / size)}{unit}"
    return _plain(_THREE_DIGITS.create_decimal(number))


def price(amount: Decimal) -> str:
    """A price per coin, at six significant digits or to the dollar: $64,183.1, $0.0219120."""
    return f"${amount:,.0f}" if amount >= 100_000 else f"${_SIX_DIGITS.create_decimal(amount):,f}"


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
