"""Does this subscriber want this signal, and now? The rule of `selectors.wanting` and of holding back in values, with the reason for each no."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from decimal import Decimal
from enum import StrEnum

from monitors.market import Direction, Kind, Signal
from monitors.thresholds import Severity
from subscribers.quiet_hours import is_quiet

OFF = 99  # as lowest severity: above every severity, so nothing is wanted; as what quiet hours let through: nothing
DIRECTIONS: Mapping[Kind, tuple[Direction, ...]] = {  # that can be chosen; a volume has none
    Kind.LIQUIDATION: (Direction.LONG, Direction.SHORT),
    Kind.CASCADE: (Direction.LONG, Direction.SHORT),
    Kind.OPEN_INTEREST: (Direction.UP, Direction.DOWN),
    Kind.VOLUME: (),
}
HOURLY_CAP = {Severity.BELOW_LOW: 10, Severity.LOW: 10, Severity.MODERATE: 10, Severity.HIGH: 30}  # messages in 60 minutes; EXTREME is never held


class Verdict(StrEnum):
    """Wanted, or the reason why not; the last three hold an alert back for a digest, all others make it unwanted."""

    WANTED = "wanted"
    INACTIVE = "not subscribed any more"
    NOT_CHOSEN = "kind and asset not chosen"
    SWITCHED_OFF = "switched off by you"
    BELOW_CUSTOM = "below your threshold"
    BELOW_LOWEST = "below your lowest severity"
    OTHER_DIRECTION = "not the direction you chose"
    UNCONFIRMED = "unconfirmed, and you want confirmed alerts only"
    MUTED = "muted"
    QUIET_HOURS = "quiet hours"
    OVER_THE_CAP = "over the hourly cap"

    @property
    def holds(self) -> bool:
        """Whether the alert is wanted, but later."""
        return self in (Verdict.MUTED, Verdict.QUIET_HOURS, Verdict.OVER_THE_CAP)


@dataclass(frozen=True, slots=True)
class Choice:
    """What is wanted of one kind and asset; `custom_threshold`, in the kind's unit, replaces `lowest_severity`.

    `direction` "" is both; where a signal has none (volume) it plays no part.
    """

    lowest_severity: int
    custom_threshold: Decimal | None = None
    direction: str = Direction.NONE.value

    @property
    def is_off(self) -> bool:
        """Whether nothing of the kind and asset is wanted."""
        return self.lowest_severity == OFF and self.custom_threshold is None


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one time of day to another in the subscriber's zone; severities from `lets_through` on are not held back."""

    begin: time
    end: time
    lets_through: int = Severity.EXTREME


@dataclass(frozen=True, slots=True)
class Preferences:
    """What one subscriber wants. Choices are by kind and asset ("" = any asset that has no choice of its own).

    `mutes` say until when a kind ("" = every one) and asset ("" = every one) is held back; past ones may be among them.
    """

    choices: Mapping[tuple[Kind, str], Choice] = field(default_factory=dict)
    active: bool = True
    confirmed_only: bool = False
    capped: bool = True
    time_zone: str = "UTC"
    quiet: QuietHours | None = None
    mutes: Mapping[tuple[str, str], datetime] = field(default_factory=dict)


def verdict(preferences: Preferences, signal: Signal, severity: Severity, now: datetime, *, unconfirmed: bool = False, last_hour: int = 0) -> Verdict:
    """What becomes of `signal`, judged `severity`, for a subscriber whose `last_hour` messages were created in the 60 minutes before `now`."""
    wish = wish_for(preferences, signal, severity, unconfirmed=unconfirmed)
    if wish is not Verdict.WANTED:
        return wish
    if is_muted(preferences, signal.kind, signal.asset, now):
        return Verdict.MUTED
    if is_held_by_quiet_hours(preferences, severity, now):
        return Verdict.QUIET_HOURS
    if preferences.capped and severity in HOURLY_CAP and last_hour >= HOURLY_CAP[severity]:
        return Verdict.OVER_THE_CAP
    return Verdict.WANTED


def wish_for(preferences: Preferences, signal: Signal, severity: Severity, *, unconfirmed: bool = False) -> Verdict:
    """Whether the signal is wanted at all, be it later: what `selectors.wanting` asks the database."""
    if not preferences.active:
        return Verdict.INACTIVE
    own, usual = (preferences.choices.get((signal.kind, asset)) for asset in (signal.asset, ""))
    choice = own or usual
    if choice is None:
        return Verdict.NOT_CHOSEN
    if choice.is_off:
        return Verdict.SWITCHED_OFF
    custom = custom_threshold(own, usual)
    if custom is not None and signal.value < custom:
        return Verdict.BELOW_CUSTOM
    if custom is None and not Severity.BELOW_LOW < severity >= choice.lowest_severity:
        return Verdict.BELOW_LOWEST
    if signal.direction and choice.direction not in ("", signal.direction):
        return Verdict.OTHER_DIRECTION
    return Verdict.UNCONFIRMED if unconfirmed and preferences.confirmed_only else Verdict.WANTED


def custom_threshold(own: Choice | None, usual: Choice | None) -> Decimal | None:
    """The asset's own custom threshold, else the one for any asset; an asset that is switched off has none."""
    if own is not None and (own.custom_threshold is not None or own.is_off):
        return own.custom_threshold
    return usual.custom_threshold if usual is not None else None


def is_muted(preferences: Preferences, kind: Kind, asset: str, now: datetime) -> bool:
    """Whether a mute of the kind or asset runs."""
    found = (preferences.mutes.get((of_kind, of_asset)) for of_kind in ("", kind.value) for of_asset in ("", asset))
    return any(until is not None and until > now for until in found)


def is_held_by_quiet_hours(preferences: Preferences, severity: Severity, now: datetime) -> bool:
    """Whether quiet hours run that do not let this severity through."""
    quiet = preferences.quiet
    return quiet is not None and severity < quiet.lets_through and is_quiet(preferences.time_zone, quiet.begin, quiet.end, now)
