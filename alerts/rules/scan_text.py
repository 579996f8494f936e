"""What does an alert say of open interest or volume? Its lines below the headline, from the peak's measurement."""

from decimal import Decimal

from alerts.rules.money import amount, dollars
from monitors.market import Direction, Kind, Signal, Venue
from monitors.thresholds import Rule

FLAT = Decimal("0.25")  # of the asset's usual move: a smaller one is flat


def scan_story(peak: Signal) -> str:
    """The headline's part behind the asset."""
    if peak.kind is Kind.VOLUME:
        return f"volume {_times(peak.value)} usual"
    return f"open interest {_signed(peak, peak.value)}"


def scan_lines(peak: Signal, rule: Rule) -> list[str]:
    """The measurement in numbers; of who is long or short it says nothing, for that was not measured."""
    return _volume_lines(peak) if peak.kind is Kind.VOLUME else _open_interest_lines(peak, rule)


def missing_venues(peak: Signal) -> str:
    """ "; OKX missing" when a venue that lists the asset gave nothing to compare."""
    missing = [Venue(venue).title for venue in peak.details.get("missing", "").split(",") if venue]
    return f"; {', '.join(missing)} missing" if missing else ""


def _open_interest_lines(peak: Signal, rule: Rule) -> list[str]:
    names = ("coins_from", "coins_to", "usd_from", "usd_to", "coins_part_usd", "price_part_usd")
    coins_from, coins_to, usd_from, usd_to, coins_part, price_part = (Decimal(peak.details[name]) for name in names)
    lines = [
        f"{_signed(peak, peak.value)} in {peak.window_s // 60} min: {amount(coins_from)} to {amount(coins_to)} {peak.asset}",
        f"{dollars(usd_from)} to {dollars(usd_to)}: positions {_signed_usd(coins_part)}, price {_signed_usd(price_part)}",
        f"OI {peak.direction.lower()}, price {_price_direction(peak)}",
    ]
    if len(peak.venues) > 1:
        lines.append(", ".join(f"{venue.title} {_signed(peak, part)}" for venue, part in peak.venues.items()))
    if int(peak.details.get("own_step") or 0) > rule.step_of(peak.value):
        lines.append(f"Severity by its own history of {Decimal(peak.details['own_days']):.0f} days")
    return lines


def _volume_lines(peak: Signal) -> list[str]:
    usd, baseline_usd = Decimal(peak.details["usd"]), Decimal(peak.details["baseline_usd"])
    lines = [f"{_times(peak.value)} usual (+{peak.value:,.0f} %): {dollars(usd)} in {peak.window_s // 60} min, usually {dollars(baseline_usd)}"]
    if open_for_s := peak.details.get("open_for_s"):
        minutes, seconds = divmod(int(open_for_s), 60)
        lines.append(f"The candle is still open, {minutes}:{seconds:02} in")
    lines.append(f"Price {Decimal(peak.details['price_percent']):+.2f} % in the candle")
    if len(peak.venues) > 1:
        lines.append(", ".join(f"{venue.title} {_times(part)}" for venue, part in peak.venues.items()))
    if peak.details.get("at_most"):
        lines.append("Nearly all on one venue while the price stood still: MODERATE at most")
    return lines


def _price_direction(peak: Signal) -> str:
    """In words, against the asset's usual move over the window; only the number while that is not known yet."""
    moved, usual = Decimal(peak.details["price_percent"]), Decimal(peak.details["usual_price_percent"])
    if not usual:
        return f"{moved:+.2f} %"
    word = "flat" if abs(moved) < FLAT * usual else "up" if moved > 0 else "down"
    return f"{word} ({moved:+.2f} %)"


def _signed(peak: Signal, part: Decimal) -> str:
    """A part of the change with its real sign: a signal's parts are positive in its own direction."""
    return f"{-part if peak.direction is Direction.DOWN else part:+.2f} %"


def _signed_usd(usd: Decimal) -> str:
    return f"{'-' if usd < 0 else '+'}{dollars(abs(usd))}"


def _times(percent: Decimal) -> str:
    times = percent / 100 + 1
    return f"{times:.0f}x" if times >= 10 else f"{times:.1f}x"
