"""What does the database say of the market? Rules, watched assets and contracts, as values."""

from monitors.market import Kind
from monitors.models import CustomFloor, ThresholdRule
from monitors.thresholds import Rulebook


def rulebook() -> Rulebook:
    """The rules and custom floors in force now."""
    floors = {(Kind(floor.kind), floor.asset): floor.value for floor in CustomFloor.objects.all()}
    return Rulebook.of((row.as_rule() for row in ThresholdRule.objects.all()), floors)
