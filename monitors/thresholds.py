"""Which rule is in force? The ladder of a kind and asset, as values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum

from monitors.market import Kind


class Severity(IntEnum):
    """How loud. BELOW_LOW is reached only through somebody's own threshold."""

    BELOW_LOW = 0
    LOW = 1
    MODERATE = 2
    HIGH = 3
    EXTREME = 4


@dataclass(frozen=True, slots=True)
class Rule:
    """The ladder of one kind and asset (`asset` "" = any other), in the kind's unit.

    `min_usd` is a further minimum in dollars (open interest, volume); 0 where it has no meaning.
    """

    kind: Kind
    asset: str
    low: Decimal
    moderate: Decimal
    high: Decimal
    extreme: Decimal
    window_s: int
    min_events: int
    min_venues: int
    min_usd: Decimal
    cooldown_s: int
    enabled: bool = True

    def step_of(self, value: Decimal) -> int:
        """The rung that `value` has reached: 0 below LOW, 1 LOW ... 4 EXTREME, then one for each doubling of EXTREME."""
        if value >= self.extreme:
            step, rung = int(Severity.EXTREME), self.extreme * 2
            while value >= rung:
                step, rung = step + 1, rung * 2
            return step
        return (value >= self.low) + (value >= self.moderate) + (value >= self.high)


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All rules by kind and asset, and the lowest custom threshold of each kind and asset ("" = any asset)."""

    rules: Mapping[tuple[Kind, str], Rule]
    custom_floors: Mapping[tuple[Kind, str], Decimal] = field(default_factory=dict)

    @classmethod
    def of(cls, rules: Iterable[Rule], custom_floors: Mapping[tuple[Kind, str], Decimal] | None = None) -> "Rulebook":
        """Index `rules`; a later one of the same kind and asset wins."""
        return cls({(rule.kind, rule.asset): rule for rule in rules}, custom_floors or {})

    def rule(self, kind: Kind, asset: str) -> Rule | None:
        """The rule in force; None when nothing is watched: no rule, or the asset's own rule is switched off."""
        rule = self.rules.get((kind, asset)) or self.rules.get((kind, ""))
        return rule if rule is not None and rule.enabled else None

    def floor(self, rule: Rule, asset: str) -> Decimal:
        """The value from which signals are kept: the lower of LOW / 2 and the lowest custom threshold."""
        custom = self.custom_floor(rule.kind, asset)
        return rule.low / 2 if custom is None else min(rule.low / 2, custom)

    def custom_floor(self, kind: Kind, asset: str) -> Decimal | None:
        """The lowest custom threshold for this kind and asset, any-asset ones included; None when nobody has one."""
        if not self.custom_floors:
            return None
        custom = [self.custom_floors.get((kind, key)) for key in (asset, "")]
        return min((floor for floor in custom if floor is not None), default=None)
