"""What a change of one thing makes of a choice."""

from decimal import Decimal

import pytest

from monitors.market import Kind
from monitors.thresholds import Severity
from subscribers.choices import after, with_direction, with_lowest, with_threshold, without_threshold
from subscribers.preferences import OFF, Choice, Preferences

CASCADE = Kind.CASCADE
MILLION = Decimal(1_000_000)
USUAL = Preferences({(CASCADE, ""): Choice(Severity.EXTREME, direction="LONG"), (CASCADE, "BTC"): Choice(Severity.MODERATE)})


def test_a_change_of_an_asset_without_a_choice_starts_from_what_counts_for_any_asset() -> None:
    assert with_direction(USUAL, CASCADE, "SOL", "SHORT") == Choice(Severity.EXTREME, direction="SHORT")
    assert with_threshold(USUAL, CASCADE, "SOL", MILLION) == Choice(Severity.EXTREME, MILLION, "LONG")
    assert with_lowest(USUAL, CASCADE, "SOL", OFF) == Choice(OFF, direction="LONG")
    loud = Preferences({(CASCADE, ""): Choice(Severity.EXTREME, MILLION)})
    assert with_direction(loud, CASCADE, "SOL", "LONG") == Choice(Severity.EXTREME, direction="LONG"), "the threshold for any asset goes on counting"


def test_a_change_of_one_thing_leaves_the_others() -> None:
    own = Preferences({(CASCADE, "BTC"): Choice(Severity.HIGH, MILLION, "LONG")})
    assert with_direction(own, CASCADE, "BTC", "") == Choice(Severity.HIGH, MILLION)
    assert with_threshold(own, CASCADE, "BTC", MILLION * 2) == Choice(Severity.HIGH, MILLION * 2, "LONG")


def test_a_lowest_severity_takes_the_place_of_an_own_threshold() -> None:
    own = Preferences({(CASCADE, "BTC"): Choice(Severity.HIGH, MILLION)})
    assert with_lowest(own, CASCADE, "BTC", Severity.LOW) == Choice(Severity.LOW)


@pytest.mark.parametrize("asset", ["BTC", "SOL", ""])
def test_a_threshold_set_and_taken_back_leaves_things_as_they_were(asset: str) -> None:
    changed = after(USUAL, CASCADE, asset, with_threshold(USUAL, CASCADE, asset, MILLION))
    assert after(changed, CASCADE, asset, without_threshold(changed, CASCADE, asset)) == USUAL


@pytest.mark.parametrize("asset", ["BTC", ""])
def test_where_nothing_was_wanted_nothing_is_left(asset: str) -> None:
    changed = after(Preferences(), CASCADE, asset, with_threshold(Preferences(), CASCADE, asset, MILLION))
    assert changed.choices == {(CASCADE, asset): Choice(OFF, MILLION)}
    assert after(changed, CASCADE, asset, without_threshold(changed, CASCADE, asset)) == Preferences()
