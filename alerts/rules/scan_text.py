"""What does an alert say of open interest or volume? Its lines below the headline, from the peak's measurement."""

from collections.abc import Callable
from decimal import Decimal

from alerts.rules.money import amount, dollars, signed
from monitors.market import Direction, Kind, Signal, Venue
from monitors.thresholds import Rule

FLAT = Decimal("0.25")  # of the asset's usual move: a smaller one is flat
NOTHING = Decimal("0.005")  # %; less is written as 0.00
END_DIGITS = 4  # of what there was before and after: a change of half a percent is seen in them


def scan_story(peak: Signal) -> str:
    """The headline's part behind the asset."""
    if peak.kind is Kind.VOLUME:
        return f"volume {_usual(peak.value)}"
    return f"open interest {_signed(peak, peak.value)}"


def scan_lines(peak: Signal, rule: Rule) -> list[str]:
    """The measurement in numbers; of who is long or short it says nothing, for that was not measured."""
    return _volume_lines(peak) if peak.kind is Kind.VOLUME else _open_interest_lines(peak, rule)


def missing_venues(peak: Signal) -> str:
    """ "; OKX missing" when a venue that lists the asset is blind, "; OKX not compared" when it answers but lacks what to compare with."""
    said = ""
    for detail, words in (("missing", "missing"), ("not_compared", "not compared")):
        venues = [Venue(venue).title for venue in peak.details.get(detail, "").split(",") if venue]
        said += f"; {', '.join(venues)} {words}" if venues else ""
    return said


def funding_lines(peak: Signal) -> list[str]:
    """Funding: Binance +0.012 %, Bybit +0.01 %/8 h; none where no answer carried a rate."""
    told = (each.partition("=") for each in peak.details.get("funding", "").split())
    rates = [f"{Venue(venue).title} {_rate(*rate.split('/'))}" for venue, _, rate in told]
    return [f"Funding: {', '.join(rates)}"] if rates else []


def _open_interest_lines(peak: Signal, rule: Rule) -> list[str]:
    names = ("coins_from", "coins_to", "usd_from", "usd_to", "coins_part_usd", "price_part_usd")
    coins_from, coins_to, usd_from, usd_to, coins_part, price_part = (Decimal(peak.details[name]) for name in names)
    coins, positions, price = _plus_minus(coins_to - coins_from, amount), _plus_minus(coins_part, _dollars), _plus_minus(price_part, _dollars)
    lines = [
        f"{_signed(peak, peak.value)}, {coins} {peak.asset} in {_minutes(peak)}: {amount(coins_from, END_DIGITS)} to {amount(coins_to, END_DIGITS)}",
        f"${amount(usd_from, END_DIGITS)} to ${amount(usd_to, END_DIGITS)}: positions {positions}, price {price}",
        f"OI {peak.direction.lower()}, price {_price_direction(peak)}",
    ]
    lines.append(", ".join(f"{venue.title} {_signed(peak, part)}" for venue, part in peak.venues.items()))
    lines += funding_lines(peak)
    if int(peak.details.get("own_step") or 0) > rule.step_of(peak.value):
        lines.append(f"Severity by its own history of {Decimal(peak.details['own_days']):.0f} days")
    return lines


def _volume_lines(peak: Signal) -> list[str]:
    usd, baseline_usd = Decimal(peak.details["usd"]), Decimal(peak.details["baseline_usd"])
    if open_for_s := peak.details.get("open_for_s"):
        minutes, seconds = divmod(int(open_for_s), 60)
        lines = [f"{_usual(peak.value)}: {dollars(usd)} so far, usually {dollars(baseline_usd)} in {_minutes(peak)}"]
        lines.append(f"The candle is still open, {minutes}:{seconds:02} in")
    else:
        lines = [f"{_usual(peak.value)}: {dollars(usd)} in {_minutes(peak)}, usually {dollars(baseline_usd)}"]
    lines.append(f"Price {signed(Decimal(peak.details['price_percent']), 2)} % in the candle")
    lines.append(", ".join(f"{venue.title} {_times(part)}" for venue, part in peak.venues.items()))
    if peak.details.get("at_most"):
        lines.append("Nearly all on one venue while the price stood still: MODERATE at most")
    return lines


def _rate(rate: str, hours: str = "") -> str:
    """+0.012 %/8 h: in percent of the position's value; positive is paid by longs."""
    percent = signed(Decimal(rate) * 100, 4).rstrip("0").rstrip(".")
    return f"{'0' if percent in ('+0', '−0') else percent} %{f'/{hours} h' if hours else ''}"


def _price_direction(peak: Signal) -> str:
    """In words, against the asset's usual move over the window; while that is not known, whatever rounds to nothing is flat."""
    moved, usual = Decimal(peak.details["price_percent"]), Decimal(peak.details["usual_price_percent"])
    word = "flat" if abs(moved) < max(FLAT * usual, NOTHING) else "up" if moved > 0 else "down"
    return f"{word} ({signed(moved, 2)} %)"


def _signed(peak: Signal, part: Decimal) -> str:
    """A part of the change with its real sign: a signal's parts are positive in its own direction."""
    return f"{signed(-part if peak.direction is Direction.DOWN else part, 2)} %"


def _plus_minus(number: Decimal, written: Callable[[Decimal], str]) -> str:
    return f"{'−' if number < 0 else '+'}{written(abs(number))}"


def _dollars(usd: Decimal) -> str:
    return f"${amount(usd)}" if usd >= 1_000 else dollars(usd)


def _minutes(peak: Signal) -> str:
    return f"{peak.window_s // 60} min" if peak.window_s % 60 == 0 else f"{peak.window_s} s"


def _usual(percent: Decimal) -> str:
    return f"{_times(percent)} usual (+{percent:,.0f} %)"


def _times(percent: Decimal) -> str:
    """How many times the usual: 800 % more is 9x."""
    times = percent / 100 + 1
    return f"{times:.0f}x" if times >= 10 else f"{times:.1f}".removesuffix(".0") + "x"
