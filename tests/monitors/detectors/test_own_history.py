"""What is usual for this asset? Its own ladder, which may raise a severity."""

from decimal import Decimal

import pytest

from monitors.detectors.own_history import History, OwnLadder
from monitors.market import Direction
from monitors.thresholds import Severity
from tests.monitors.detectors.series import OI_RULE, UNKNOWN, everywhere, flat_then, oi_signals, only


def ladder(days: float, low: float = 0.625, moderate: float = 0.75, high: float = 0.9) -> OwnLadder:
    return OwnLadder(days, low, moderate, high, 0.2)


@pytest.mark.parametrize(("days", "step"), [(6.9, 0), (7, Severity.MODERATE), (13.9, Severity.MODERATE), (14, Severity.HIGH), (90, Severity.HIGH)])
def test_history_speaks_to_moderate_from_7_days_on_and_to_high_from_14(days: float, step: int) -> None:
    assert ladder(days).step_of(Decimal("0.95"), OI_RULE) == step


def test_history_gives_low_and_moderate_by_its_percentiles() -> None:
    assert [ladder(8).step_of(Decimal(value), OI_RULE) for value in ("0.624", "0.625", "0.749", "0.75")] == [0, 1, 1, 2]


def test_history_never_gives_extreme() -> None:
    assert ladder(90).step_of(Decimal(1_000), OI_RULE) == Severity.HIGH


def test_history_never_speaks_of_a_value_under_half_of_low() -> None:
    quiet = ladder(90, 0.01, 0.02, 0.03)
    assert quiet.step_of(Decimal("0.499"), OI_RULE) == 0
    assert quiet.step_of(Decimal("0.5"), OI_RULE) == Severity.HIGH


def test_the_percentiles_are_96_99_and_999_of_the_absolute_changes() -> None:
    history = History()
    for value in range(1, 10_001):
        history.add(value / 100 * (-1) ** value, -value / 50)
    found = history.ladder()
    assert [found.low, found.moderate, found.high] == pytest.approx([96, 99, 99.9], abs=0.02)
    assert found.usual_price_move == pytest.approx(100, abs=0.05)
    assert found.days == pytest.approx(10_000 / 288)


def test_no_more_than_90_days_are_kept() -> None:
    history = History()
    for _ in range(10):
        history.add(50, 50)
    for _ in range(90 * 288):
        history.add(1, 1)
    assert history.ladder() == OwnLadder(90, 1, 1, 1, 1)


def test_an_empty_history_has_no_ladder() -> None:
    assert History().ladder() == UNKNOWN
    assert UNKNOWN.step_of(Decimal(5), OI_RULE) == 0


@pytest.mark.parametrize(("days", "decided"), [(7, "own history"), (6, "rule")])
def test_the_signal_says_which_ladder_decided(days: float, decided: str) -> None:
    signal = only(oi_signals(everywhere(lambda venue: flat_then(1007, venue=venue)), ladder=ladder(days)))
    assert signal.direction is Direction.UP
    assert signal.details["ladder"] == decided


def test_where_the_rule_is_as_severe_the_rule_decided() -> None:
    signal = only(oi_signals(everywhere(lambda venue: flat_then(1045, venue=venue)), ladder=ladder(90)))
    assert (signal.details["ladder"], signal.details["own_step"]) == ("rule", "3")
