"""Is what came of an incident measured as docs/semantics.md says? A small case, worked out by hand."""

from dataclasses import dataclass

import pytest

from alerts.rules import outcome
from alerts.rules.outcome import LEAST_MOVES, Move, Unknown, in_words, move_over, price_at, usual_pct
from monitors.market import MINUTE_MS, TIMEFRAME_MS, PriceCandle, Venue
from tests.builders import NOW_MS

NOON = NOW_MS  # on the minute
DETECTED = NOON + 37_000  # 12:00:37

# The case by hand: minutes from 12:00 on; open, high, low, close in dollars per coin
TABLE = """
12:00  200.0  203.0  190.0  199.0
12:01  199.0  201.0  197.0  198.0
12:02  198.0  198.0  194.0  195.0
12:03  195.0  196.0  195.0  196.0
12:04  196.0  202.0  196.0  200.0
12:05  200.0  201.0  196.0  196.0
12:06  196.0  250.0  100.0  180.0
"""


@dataclass(frozen=True)
class Row:
    """An outcome as in_words sees it."""

    horizon_min: int
    change_pct: float | None = None
    reason: str = ""


def candles(table: str = TABLE) -> dict[int, PriceCandle]:
    found = {}
    for line in table.split("\n"):
        if line:
            clock, *prices = line.split()
            hours, minutes = map(int, clock.split(":"))
            at = NOON + ((hours - 12) * 60 + minutes) * MINUTE_MS
            opened, high, low, close = map(float, prices)
            found[at] = PriceCandle(Venue.BINANCE, "X", at, opened, high, low, close, closed=True)
    return found


def test_the_move_of_the_case_is_what_a_hand_finds() -> None:
    """The signal's mark 200 at 12:00:37. Five minutes end at 12:05:37, so the return is to the close of 12:05: 196/200 = -2 %.

    Largest up: 202 in 12:04, +1 %; 203 in 12:00 may have been before the detection. Largest down: 194 in 12:02, -3 %. 12:06 is over.
    """
    assert move_over(candles(), DETECTED, 5, mark=200.0) == Move(200.0, pytest.approx(-2.0), pytest.approx(1.0), pytest.approx(-3.0))  # type: ignore[arg-type]


def test_another_way_to_work_it_out_gives_the_same() -> None:
    """Straight from the table, minute by minute, without the code under test."""
    rows = [tuple(map(float, line.split()[1:])) for line in TABLE.strip().split("\n")][:6]
    up = down = rows[0][3] / 200 - 1
    for _, high, low, _ in rows[1:]:
        up, down = max(up, high / 200 - 1), min(down, low / 200 - 1)
    expected = tuple(100 * part for part in (rows[-1][3] / 200 - 1, up, down))
    found = move_over(candles(), DETECTED, 5, mark=200.0)
    assert isinstance(found, Move)
    assert (found.change_pct, found.up_pct, found.down_pct) == pytest.approx(expected)


def test_the_minutes_go_from_the_detection_to_the_end_of_the_horizon() -> None:
    assert [(at - NOON) // MINUTE_MS for at in outcome.minutes_of(DETECTED, 5)] == [0, 1, 2, 3, 4, 5]
    assert outcome.over_ms(DETECTED, 5) == NOON + 6 * MINUTE_MS, "12:05 has closed"
    assert outcome.over_ms(NOON, 5) == NOON + 6 * MINUTE_MS, "a horizon that ends on the minute ends in that minute"


def test_without_a_mark_the_nearer_end_of_the_minute_counts() -> None:
    assert price_at(candles(), NOON + 29_999, None) == 200.0
    assert price_at(candles(), NOON + 30_000, None) == 199.0
    assert price_at({}, NOON, 200.0) is None


def test_a_mark_outside_of_its_minute_is_another_venues_or_an_old_one() -> None:
    assert price_at(candles(), DETECTED, 203.5) == 199.0
    assert price_at(candles(), DETECTED, 203.0) == 203.0


def test_a_price_that_only_rises_has_no_move_down_and_one_that_only_falls_none_up() -> None:
    rising = candles(
        "\n12:00 100 100 100 100\n12:01 101 102 101 102\n12:02 102 104 102 104\n12:03 104 105 104 105\n12:04 105 106 105 106\n12:05 106 107 106 107"
    )
    found = move_over(rising, NOON, 5)
    assert isinstance(found, Move) and (found.change_pct, found.up_pct, found.down_pct) == pytest.approx((7.0, 7.0, 0.0))
    falling = {at: PriceCandle(Venue.OKX, "X", at, 200 - each.open, 200 - each.low, 200 - each.high, 200 - each.close, True) for at, each in rising.items()}
    found = move_over(falling, NOON, 5)
    assert isinstance(found, Move) and (found.change_pct, found.up_pct, found.down_pct) == pytest.approx((-7.0, 0.0, -7.0))


@pytest.mark.parametrize("missing", range(6))
def test_one_missing_minute_makes_it_unknown_never_zero(missing: int) -> None:
    there = candles()
    del there[NOON + missing * MINUTE_MS]
    assert move_over(there, DETECTED, 5, mark=200.0) == Unknown("1 of 6 minutes have no candle")


def test_the_minute_after_the_horizon_is_not_needed() -> None:
    there = candles()
    del there[NOON + 6 * MINUTE_MS]
    assert isinstance(move_over(there, DETECTED, 5), Move)


def test_the_usual_move_is_the_median_of_the_absolute_returns() -> None:
    """Closes of 100, 101, 100, 101...: every 5 minutes a move of 1 % or 0.990 %, every 10 minutes none."""
    closes = {NOON + step * TIMEFRAME_MS: 100.0 + step % 2 for step in range(LEAST_MOVES + 3)}
    moves = sorted([1.0] * 145 + [100 / 101] * 145)
    assert usual_pct(closes, 5) == pytest.approx((moves[144] + moves[145]) / 2)
    assert usual_pct(closes, 15) == pytest.approx(usual_pct(closes, 5))


def test_of_less_than_a_day_nothing_is_usual() -> None:
    closes = {NOON + step * TIMEFRAME_MS: 100.0 + step % 2 for step in range(LEAST_MOVES + 1)}
    assert usual_pct(closes, 5) is not None
    assert usual_pct(closes, 15) is None
    del closes[NOON]
    assert usual_pct(closes, 5) is None


def test_large_is_more_than_twice_the_usual_whatever_the_direction() -> None:
    assert not outcome.is_large(2.0, 1.0) and outcome.is_large(2.01, 1.0) and outcome.is_large(-2.01, 1.0)


def test_an_outcome_in_words() -> None:
    assert in_words(Row(15, -2.14)) == "15 min later −2.1 %"
    assert in_words(Row(60, 0.3)) == "1 h later +0.3 %"
    assert in_words(Row(240, 0.0)) == "4 h later 0.0 %"
    assert in_words(Row(5)) == "5 min later: not known yet"
    assert in_words(Row(5, None, "2 of 6 minutes have no candle at OKX")) == "5 min later: unknown (2 of 6 minutes have no candle at OKX)"
