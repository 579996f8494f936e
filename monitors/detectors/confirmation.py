"""Do enough venues say the same? A measurement that too few confirm counts one step lower."""

from decimal import Decimal

from monitors.market import Kind, Signal, Venue
from monitors.thresholds import Rule, Severity

# A venue confirms with this part of the whole: of a cascade's dollars; of the change for open interest and volume.
CONFIRMING_SHARE = {Kind.LIQUIDATION: Decimal("0.10"), Kind.CASCADE: Decimal("0.10"), Kind.OPEN_INTEREST: Decimal("0.25"), Kind.VOLUME: Decimal("0.25")}


def confirming_venues(signal: Signal) -> int:
    """Venues with the signal's sign and at least the confirming share of its value."""
    share = signal.value * CONFIRMING_SHARE[signal.kind]
    return sum(part / signal.value > 0 and abs(part) >= abs(share) for part in signal.venues.values()) if signal.value else 0


def silent_venues(signal: Signal) -> list[Venue]:
    """The live venues that do not confirm a scan's signal: those that show less, and those that could not be compared."""
    share = signal.value * CONFIRMING_SHARE[signal.kind]
    compared = [venue for venue, part in signal.venues.items() if part < share]
    return compared + [Venue(venue) for venue in signal.details.get("not_compared", "").split(",") if venue]


def confirmed_step(step: int, signal: Signal, rule: Rule) -> tuple[int, bool]:
    """The step of the ladder that counts, and whether the signal is confirmed.

    Unconfirmed is one step lower: LOW stays LOW, and every doubling counts as EXTREME. `min_venues` never asks for more
    venues than list the asset.
    """
    if confirming_venues(signal) >= min(rule.min_venues, signal.listed_on):
        return step, True
    return (step if step <= Severity.LOW else min(step, Severity.EXTREME) - 1), False
