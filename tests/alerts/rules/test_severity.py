"""How severe is a signal?"""

import pytest

from alerts.rules.severity import grade
from monitors.market import Kind, Venue
from monitors.thresholds import Severity
from tests.builders import make_rule, make_rulebook, make_signal

RUNGS = [(999.99, 0), (1_000, 1), (1_999.99, 1), (2_000, 2), (4_000, 3), (7_999.99, 3), (8_000, 4), (15_999.99, 4), (16_000, 5), (31_999, 5), (32_000, 6)]
EXTREME_ON_ONE_VENUE = make_signal(40_000)


@pytest.mark.parametrize(("value", "step"), RUNGS)
def test_a_rung_is_reached_by_its_value_and_each_doubling_of_extreme_is_one_more(value: float, step: int) -> None:
    assert grade(make_signal(value), make_rule()).step == step


def test_beyond_extreme_everything_is_extreme() -> None:
    assert grade(EXTREME_ON_ONE_VENUE, make_rule()).severity is Severity.EXTREME


def test_with_too_few_venues_the_severity_is_one_step_lower() -> None:
    two = make_rule(min_venues=2)
    assert [grade(make_signal(value), two).severity.name for value in (2_000, 4_000, 8_000, 40_000)] == ["LOW", "MODERATE", "HIGH", "HIGH"]
    assert grade(EXTREME_ON_ONE_VENUE, two).unconfirmed


def test_an_unconfirmed_low_stays_low_and_nothing_below_low_rises() -> None:
    assert grade(make_signal(1_000), make_rule(min_venues=2)).step == 1
    assert grade(make_signal(999), make_rule(min_venues=2)).step == 0


def test_a_venue_with_a_tenth_of_the_dollars_confirms_a_cascade() -> None:
    tenth = make_signal(2_000, venues={Venue.BYBIT: 1_800, Venue.OKX: 200})
    less = make_signal(2_000, venues={Venue.BYBIT: 1_801, Venue.OKX: 199})
    assert not grade(tenth, make_rule(min_venues=2)).unconfirmed
    assert grade(less, make_rule(min_venues=2)).unconfirmed


def test_a_change_is_confirmed_by_the_same_sign_and_a_quarter_of_its_size() -> None:
    rule = make_rule(Kind.OPEN_INTEREST, low=1, moderate=2, high=4, extreme=8, min_venues=2)

    def confirmed(other: float) -> bool:
        return not grade(make_signal(4, kind=Kind.OPEN_INTEREST, venues={Venue.BYBIT: 5, Venue.OKX: other}), rule).unconfirmed

    assert [confirmed(other) for other in (1, 0.99, -1, -4)] == [True, False, False, False]


def test_no_more_venues_are_asked_for_than_list_the_asset() -> None:
    listed_once = make_signal(4_000, listed_on=1)
    assert not grade(listed_once, make_rule(min_venues=2)).unconfirmed
    assert grade(listed_once, make_rule(min_venues=2)).severity is Severity.HIGH


def test_a_rule_switched_off_is_no_rule_and_does_not_fall_back() -> None:
    rulebook = make_rulebook(make_rule(), make_rule(asset="BTC", enabled=False))
    assert rulebook.rule(Kind.CASCADE, "BTC") is None
    assert rulebook.rule(Kind.CASCADE, "ETH") is not None


def test_a_kind_without_any_rule_is_not_watched() -> None:
    assert make_rulebook(make_rule()).rule(Kind.VOLUME, "BTC") is None
