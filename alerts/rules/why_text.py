"""Why was it judged like that? The exact numbers of a measurement, the rule that decided and who confirms, as lines of plain text."""

from collections.abc import Collection
from decimal import Decimal

from alerts.rules.liquidation_text import LIQUIDATED, SAMPLED
from alerts.rules.scan_text import funding_lines, missing_venues
from alerts.rules.severity import grade, severity_of_step
from monitors.detectors.confirmation import CONFIRMING_SHARE, confirming_venues
from monitors.market import UNIT_OF_KIND, Direction, Kind, Signal, Unit, Venue
from monitors.rule_checks import RUNGS
from monitors.thresholds import Rule, Severity

CENT, TEN_THOUSANDTH = Decimal("0.01"), Decimal("0.0001")
NAMES = {Kind.LIQUIDATION: "single liquidations", Kind.CASCADE: "cascades", Kind.OPEN_INTEREST: "open interest", Kind.VOLUME: "volume"}


def measured(signal: Signal) -> list[str]:
    """What was measured, with all its digits."""
    if signal.unit is Unit.USD:
        return [f"{LIQUIDATED[signal.direction].capitalize()}: {_bound(signal.venues)}{exact(signal.value, signal.unit)}, {_counted(signal)}"]
    return _scan_lines(signal)


def venues(signal: Signal) -> list[str]:
    """Each venue's part: its dollars and share of them, or its own change."""
    return [f"{venue.title}: {_part(signal, venue, part)}" for venue, part in signal.venues.items()]


def ladder(rule: Rule) -> str:
    """The rule's rungs: "LOW $500,000, MODERATE $1,500,000 ..."."""
    unit = UNIT_OF_KIND[rule.kind]
    return ", ".join(f"{name.upper()} {threshold(getattr(rule, name), unit)}" for name in RUNGS)


def judged(signal: Signal, rule: Rule, step: int) -> list[str]:
    """Which rule decided, what it says of the measurement, what raised or capped that, and the `step` that was judged in the end."""
    rule_step, own_step = rule.step_of(signal.value), int(signal.details.get("own_step") or 0)
    whose = f"of {rule.asset}" if rule.asset else "of any other asset"
    lines = [f"System's rule for {NAMES[rule.kind]} {whose}: {ladder(rule)}", f"By the rule: {_reached(rule_step)}"]
    if own_step > rule_step:
        days = Decimal(signal.details["own_days"])
        lines.append(f"By the asset's own history of {days:.0f} days: {_reached(own_step)}, and that decided")
    if at_most := signal.details.get("at_most"):
        lines.append(f"Nearly all on one venue while the price stood still: {severity_of_step(int(at_most)).name} at most")
    if grade(signal, rule).step != step:
        lines.append(f"It was judged {severity_of_step(step).name.replace('_', ' ')} by the rule of that moment, which has been changed since")
    return lines


def confirmation(signal: Signal, rule: Rule, *, unconfirmed: bool) -> str:
    """How many venues confirm, what counts as confirming, and how many the rule asks for."""
    share = f"{CONFIRMING_SHARE[signal.kind] * 100:.0f} % of the dollars" if signal.unit is Unit.USD else "the same sign and a quarter of the change"
    asked = min(rule.min_venues, signal.listed_on)
    line = f"{confirming_venues(signal)} of {signal.listed_on} live venues that list it confirm (at least {share}); {asked} asked for"
    return f"{line}{': unconfirmed, one step lower' if unconfirmed else ''}{missing_venues(signal)}"


def exact(value: Decimal, unit: Unit) -> str:
    """$5,237,412.33, or 4.2300 %."""
    return f"${value.quantize(CENT):,f}" if unit is Unit.USD else f"{value.quantize(TEN_THOUSANDTH):,f} %"


def threshold(value: Decimal, unit: Unit) -> str:
    """A rung or a custom threshold, without zeros at its end: $1,500,000, 2.2 %."""
    plain = f"{value.normalize():,f}"
    return f"${plain}" if unit is Unit.USD else f"{plain} %"


def _reached(step: int) -> str:
    if step == Severity.BELOW_LOW:
        return "LOW is not reached"
    doublings = step - Severity.EXTREME
    return f"{severity_of_step(step).name} is reached" + (f", doubled {doublings} time{'s' * (doublings > 1)}" if doublings > 0 else "")


def _counted(signal: Signal) -> str:
    return f"{signal.count} events in {signal.window_s} s" if signal.kind is Kind.CASCADE else "one order"


def _bound(parts: Collection[Venue]) -> str:
    return "≥ " if SAMPLED.intersection(parts) else ""


def _part(signal: Signal, venue: Venue, part: Decimal) -> str:
    if signal.unit is Unit.PERCENT:
        return _signed(signal, part)
    share = f" ({part / signal.value * 100:.1f} %)" if len(signal.venues) > 1 else ""
    return f"{_bound([venue])}{exact(part, signal.unit)}{share}"


def _signed(signal: Signal, part: Decimal) -> str:
    """With its real sign: a signal's parts are positive in its own direction."""
    real = -part if signal.direction is Direction.DOWN else part
    return f"{'+' if real > 0 else ''}{exact(real, Unit.PERCENT)}".replace("-", "−")


def _scan_lines(signal: Signal) -> list[str]:
    seen, minutes = signal.details, f"{signal.window_s / 60:g} min"
    change = f"{'Open interest' if signal.kind is Kind.OPEN_INTEREST else 'Volume against its baseline'}: {_signed(signal, signal.value)} in {minutes}"
    if signal.kind is Kind.VOLUME:
        return [change, f"{_usd(seen['usd'])}, usually {_usd(seen['baseline_usd'])}; robust z-score {seen['z']}; price {seen['price_percent']} %"]
    coins = f"{Decimal(seen['coins_from']).normalize():,f} to {Decimal(seen['coins_to']).normalize():,f} {signal.asset}"
    dollars = f"{_usd(seen['usd_from'])} to {_usd(seen['usd_to'])}: positions {_usd(seen['coins_part_usd'])}, price {_usd(seen['price_part_usd'])}"
    return [change, coins, dollars, f"Price {seen['price_percent']} %, usually {seen['usual_price_percent']} %", *funding_lines(signal)]


def _usd(text: str) -> str:
    usd = Decimal(text)
    return f"{'−' if usd < 0 else ''}{exact(abs(usd), Unit.USD)}"
