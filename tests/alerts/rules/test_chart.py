"""Does the picture hold the hour around the largest signal, and sums that are not made of gaps?"""

import pytest

from alerts.rules.chart import Bars, Line, Picture, a_minute, caption, summed, window
from monitors.market import MINUTE_MS, PriceCandle, Venue
from tests.builders import NOW_MS

NOON = NOW_MS
CANDLE = PriceCandle(Venue.OKX, "BTC", NOON, 1, 1, 1, 1, True)


def minutes(*numbers: float) -> list[int]:
    return [NOON + int(number * MINUTE_MS) for number in numbers]


def test_right_after_the_signal_the_hour_before_is_shown() -> None:
    assert window(NOON + 10_000, NOON + 12_000) == (NOON - 59 * MINUTE_MS, NOON + MINUTE_MS)


def test_later_a_quarter_of_the_hour_is_what_came_after() -> None:
    assert window(NOON, NOON + 86_400_000) == (NOON - 45 * MINUTE_MS, NOON + 15 * MINUTE_MS)
    assert window(NOON + 1, NOON + 86_400_000) == (NOON - 44 * MINUTE_MS, NOON + 16 * MINUTE_MS), "whole minutes"


def test_values_are_summed_by_their_minute() -> None:
    assert a_minute([(NOON, 1.0), (NOON + 59_999, 2.0), (NOON + 60_000, 4.0)]) == {NOON: 3.0, NOON + 60_000: 4.0}
    assert a_minute([]) == {}


def test_open_interest_is_the_sum_of_each_contracts_last_value() -> None:
    samples = [("a", NOON - 5_000, 10.0), ("b", NOON - 4_000, 1.0), ("a", NOON + 55_000, 20.0), ("b", NOON + 56_000, 2.0)]
    assert summed(samples, NOON, NOON + 2 * MINUTE_MS) == dict(zip(minutes(0, 1, 2), (11.0, 22.0, 22.0), strict=True))


def test_a_contract_that_comes_or_goes_is_left_out() -> None:
    a = [("a", at, 10.0) for at in minutes(0, 1, 2, 3, 4, 5, 6)]
    comes, goes = [("b", at, 5.0) for at in minutes(5, 6)], [("c", at, 5.0) for at in minutes(0, 1)]
    found = summed(sorted(a + comes + goes, key=lambda sample: sample[1]), NOON, NOON + 6 * MINUTE_MS)
    assert list(found.values()) == [10.0] * 7


def test_where_a_contract_is_silent_for_long_there_is_no_sum() -> None:
    samples = [("a", at, 1.0) for at in minutes(0, 1, 2, 3, 4, 5, 6, 7)] + [("b", at, 2.0) for at in minutes(0, 1, 6, 7)]
    found = summed(sorted(samples, key=lambda sample: sample[1]), NOON, NOON + 7 * MINUTE_MS)
    assert list(found) == minutes(0, 1, 2, 3, 6, 7)
    assert summed([], NOON, NOON + MINUTE_MS) == {}


@pytest.mark.parametrize(
    ("below", "words"),
    [(None, ""), (Bars("liquidations", "", 1, ()), " and liquidations"), (Line("open interest", "", {}), " and open interest")],
)
def test_the_caption_says_what_is_shown_and_that_times_are_utc(below: Bars | Line | None, words: str) -> None:
    picture = Picture("", "OKX", NOON, NOON + 60 * MINUTE_MS, [CANDLE], None, below)
    assert caption(picture, "BTC") == f"BTC, 12:00 to 13:00 UTC: mark price (OKX){words}"
