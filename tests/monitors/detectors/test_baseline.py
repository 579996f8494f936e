"""How much is usual at this time?"""

from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.detectors.baseline import DAY_MS, baseline_times, robust_z
from tests.monitors.detectors.series import FIVE_MINUTES_MS, NOW_MS


def test_the_same_time_of_day_is_within_30_minutes_on_7_days() -> None:
    same_time = baseline_times(NOW_MS, FIVE_MINUTES_MS).same_time_ms
    assert len(same_time) == 7 * 13
    assert (min(same_time), max(same_time)) == (NOW_MS - 7 * DAY_MS - 1_800_000, NOW_MS - DAY_MS + 1_800_000)


def test_the_last_96_are_those_that_closed_before_it() -> None:
    last = baseline_times(NOW_MS, FIVE_MINUTES_MS).last_ms
    assert (len(last), max(last), min(last)) == (96, NOW_MS - FIVE_MINUTES_MS, NOW_MS - 96 * FIVE_MINUTES_MS)


def test_the_candle_itself_is_never_in_its_baseline() -> None:
    assert NOW_MS not in baseline_times(NOW_MS, FIVE_MINUTES_MS).all_ms


def test_the_z_score_is_of_the_logs_by_median_and_mad() -> None:
    usual = [exp(log) for log in (1.0, 2.0, 3.0, 4.0, 5.0)]
    assert robust_z(exp(6.0), usual) == pytest.approx(0.6745 * 3 / 1)
    assert robust_z(exp(3.0), usual) == pytest.approx(0)


def test_one_wild_candle_hardly_moves_the_z_score() -> None:
    usual = [float(value) for value in range(90, 111)]
    assert robust_z(900, [*usual, 1e9]) == pytest.approx(robust_z(900, [*usual, 1e3]) or 0)


def test_a_flat_series_and_zero_volumes_have_no_z_score() -> None:
    assert robust_z(900, [100.0] * 96) is None
    assert robust_z(900, [0.0] * 96) is None
    assert robust_z(900, []) is None
    assert robust_z(0, [90.0, 100.0, 110.0]) is None


@given(st.floats(0, 1e15), st.lists(st.floats(0, 1e15)))
def test_whatever_the_volumes_are_there_is_a_number_or_none(value: float, usual: list[float]) -> None:
    assert robust_z(value, usual) is None or isinstance(robust_z(value, usual), float)
