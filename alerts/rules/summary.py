"""What is an alert in one line? For lists: severity, asset, what happened and how much."""

from alerts.rules.liquidation_text import SAMPLED
from alerts.rules.money import dollars
from monitors.market import Direction, Kind, Signal, Unit
from monitors.thresholds import Severity

STORY = {
    Direction.LONG: "longs liquidated ▼",
    Direction.SHORT: "shorts liquidated ▲",
    Direction.UP: "up ▲",
    Direction.DOWN: "down ▼",
    Direction.NONE: "",
}


def summary(severity: Severity, kind: Kind, peak: Signal) -> str:
    """One line: HIGH BTC cascade: longs liquidated ▼ ≥ $5.2M. `kind` is the incident's, `peak` its largest signal."""
    loud = "BELOW LOW" if severity is Severity.BELOW_LOW else severity.name
    what = " ".join(part for part in (f"{kind.value.replace('_', ' ')}:", STORY[peak.direction], amount(peak)) if part)
    return f"{loud} {peak.asset} {what}"


def story(asset: str, kind: Kind, direction: Direction) -> str:
    """What is going on, whatever becomes of it: BTC cascade: longs liquidated ▼."""
    told = STORY[direction]
    return f"{asset} {kind.value.replace('_', ' ')}{f': {told}' if told else ''}"


def amount(signal: Signal) -> str:
    """The value with its unit: $850k, ≥ $5.2M where a venue pushes only samples, 4.2 %."""
    if signal.unit is Unit.PERCENT:
        return f"{signal.value:.1f} %"
    return f"{'≥ ' if SAMPLED & set(signal.venues) else ''}{dollars(signal.value)}"
