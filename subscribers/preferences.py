"""Does this subscriber want this signal? The rule of `selectors.wanting` in values, with the reason for each no."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from monitors.market import Kind, Signal
from monitors.thresholds import Severity


class Verdict(StrEnum):
    """Wanted, or the reason why not."""

    WANTED = "wanted"
    INACTIVE = "not subscribed any more"
    NOT_CHOSEN = "kind and asset not chosen"
    BELOW_CUSTOM = "below your threshold"
    BELOW_LOWEST = "below your lowest severity"


@dataclass(frozen=True, slots=True)
class Choice:
    """What is wanted of one kind and asset; `custom_threshold`, in the kind's unit, replaces `lowest_severity`."""

    lowest_severity: int
    custom_threshold: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Preferences:
    """All choices of one subscriber by kind and asset ("" = any asset that has no choice of its own)."""

    choices: Mapping[tuple[Kind, str], Choice] = field(default_factory=dict)
    active: bool = True


def verdict(preferences: Preferences, signal: Signal, severity: Severity, now: datetime) -> Verdict:
    """Whether `signal`, judged `severity`, is wanted at `now`, or the reason why not."""
    if not preferences.active:
        return Verdict.INACTIVE
    own, usual = (preferences.choices.get((signal.kind, asset)) for asset in (signal.asset, ""))
    custom = next((choice.custom_threshold for choice in (own, usual) if choice and choice.custom_threshold is not None), None)
    if custom is not None:
        return Verdict.WANTED if signal.value >= custom else Verdict.BELOW_CUSTOM
    choice = own or usual
    if choice is None:
        return Verdict.NOT_CHOSEN
    return Verdict.WANTED if Severity.BELOW_LOW < severity >= choice.lowest_severity else Verdict.BELOW_LOWEST
