"""How severe is a signal? Its step on the ladder, one lower while too few venues confirm it."""

from dataclasses import dataclass
from decimal import Decimal

from monitors.market import Kind, Signal
from monitors.thresholds import Rule, Severity

# A venue confirms with this part of the whole: of a cascade's dollars; of the change for open interest and volume.
CONFIRMING_SHARE = {Kind.LIQUIDATION: Decimal("0.10"), Kind.CASCADE: Decimal("0.10"), Kind.OPEN_INTEREST: Decimal("0.25"), Kind.VOLUME: Decimal("0.25")}


@dataclass(frozen=True, slots=True)
class Grade:
    """`step` as `Rule.step_of`, after the lowering; `unconfirmed` when fewer venues than the rule asks for confirm."""

    step: int
    unconfirmed: bool

    @property
    def severity(self) -> Severity:
        """The step without the doublings."""
        return severity_of_step(self.step)


def severity_of_step(step: int) -> Severity:
    """Steps beyond EXTREME are EXTREME."""
    return Severity(min(step, Severity.EXTREME))


def confirming_venues(signal: Signal) -> int:
    """Venues with the signal's sign and at least the confirming share of its value."""
    share = signal.value * CONFIRMING_SHARE[signal.kind]
    return sum(part / signal.value > 0 and abs(part) >= abs(share) for part in signal.venues.values()) if signal.value else 0


def grade(signal: Signal, rule: Rule) -> Grade:
    """Severity by the rule's ladder; unconfirmed is one step lower, LOW stays LOW, and every doubling counts as EXTREME."""
    step = rule.step_of(signal.value)
    wanted = min(rule.min_venues, signal.listed_on)
    if confirming_venues(signal) >= wanted:
        return Grade(step, unconfirmed=False)
    return Grade(step if step <= Severity.LOW else min(step, Severity.EXTREME) - 1, unconfirmed=True)
