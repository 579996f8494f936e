"""How much did open interest change? Each sentence about the detector, over values."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from monitors.detectors.oi_explosion import NoVerdict, OiChange, accepted, oi_change
from monitors.market import OpenInterest, Venue
from tests.monitors.detectors.series import NOW_MS, by_contract, flat_then, sample

WINDOW_MS = 900_000
BINANCE, BYBIT = Venue.BINANCE, Venue.BYBIT


def change(*series: Sequence[OpenInterest], min_usd: int = 0, now_ms: int = NOW_MS, window_ms: int = WINDOW_MS) -> OiChange:
    found = oi_change(by_contract(*series), window_ms, now_ms, Decimal(min_usd))
    assert isinstance(found, OiChange), found
    return found


def reason(*series: Sequence[OpenInterest], min_usd: int = 0, now_ms: int = NOW_MS) -> str:
    found = oi_change(by_contract(*series), WINDOW_MS, now_ms, Decimal(min_usd))
    assert isinstance(found, NoVerdict), found
    return found.reason


# The ends of the window


def test_the_newest_sample_is_compared_with_the_one_nearest_to_15_minutes_before() -> None:
    assert change([sample(900, -16), sample(1000, -15.2), sample(1010, -14), sample(1100)]).percent == 10


def test_the_window_is_the_rules() -> None:
    assert change([sample(500, -15), sample(1000, -5), sample(1000, -4), sample(1100)], window_ms=300_000).percent == 10


@pytest.mark.parametrize(("minute", "found"), [(-16.5, True), (-13.5, True), (-16.51, False), (-13.49, False)])
def test_the_earlier_sample_may_be_90_s_off(minute: float, found: bool) -> None:
    measured = oi_change(by_contract([sample(1000, minute), sample(1100)]), WINDOW_MS, NOW_MS, Decimal(0))
    assert isinstance(measured, OiChange) is found


def test_no_verdict_names_its_reason() -> None:
    assert reason([sample(1000, -17), sample(1100)]) == "no sample at the other end of the window"
    assert oi_change({}, WINDOW_MS, NOW_MS, Decimal(0)) == NoVerdict("no samples")


def test_where_history_is_coarser_half_a_step_may_be_missing() -> None:
    five = [sample(1000, minute) for minute in (-27.5, -22.5, -17.5, -12.5, -7.5)]
    assert change([*five, sample(1100)]).percent == 10  # 2.5 minutes off
    gone = [sample(1000, minute) for minute in (-27.6, -22.6, -17.6, -7.5)]
    assert reason([*gone, sample(1100)]) == "no sample at the other end of the window"


@pytest.mark.parametrize("up", range(1, 20))
def test_after_a_first_start_every_minute_has_a_verdict(up: int) -> None:
    """Filled-in steps of five minutes, then scans of a minute since `up` minutes ago: the window's other end lies in the coarse part for a while."""
    steps = [sample(1000, minute) for minute in (-25 - up % 5 + step for step in range(0, 25, 5)) if minute < -up and minute >= -25]
    assert change([*steps, *(sample(1000, minute) for minute in range(-up, 0)), sample(1100)]).percent == 10


def test_a_gap_is_no_coarse_history() -> None:
    assert reason([sample(1000, -17), sample(1100)]) == "no sample at the other end of the window"
    assert reason([sample(1000, -24), sample(1000, -23), sample(1100)]) == "no sample at the other end of the window"


def test_a_newest_sample_that_is_stale_gives_no_verdict() -> None:
    assert change(flat_then(1100), now_ms=NOW_MS + 150_000).percent == 10
    assert reason(flat_then(1100), now_ms=NOW_MS + 150_001) == "the newest sample is stale"


# What is summed


def test_coins_are_summed_over_contracts_and_venues() -> None:
    usdc = [sample(500, minute, symbol="X/USDC:USDC") for minute in (-15, -14, 0)]
    measured = change(flat_then(1100), usdc, flat_then(600, coins=500, venue=BYBIT))
    assert [measured.coins_from, measured.coins_to, measured.percent] == [2000, 2200, 10]
    assert {venue: round(part, 2) for venue, part in measured.percent_of_venue.items()} == {BINANCE: Decimal("6.67"), BYBIT: 20}


def test_only_contracts_present_at_both_ends_are_summed() -> None:
    new = [sample(5_000, minute, symbol="X/USDC:USDC") for minute in range(-5, 1)]
    gone = [sample(5_000, minute, venue=BYBIT) for minute in range(-20, -4)]
    assert change(flat_then(1100), new, gone).percent == 10


def test_a_change_of_the_price_alone_is_no_change_of_open_interest() -> None:
    series = flat_then()
    measured = change([*series[:-1], replace(series[-1], mark_price=Decimal(150))])
    assert [measured.percent, measured.coins_part_usd, measured.price_part_usd, measured.price_percent] == [0, 0, 50_000, 50]


def test_dollars_are_split_in_what_positions_and_what_the_price_did() -> None:
    series = flat_then(1100)
    measured = change([*series[:-1], replace(series[-1], mark_price=Decimal(110))])
    assert [measured.usd_from, measured.usd_to] == [100_000, 121_000]
    assert [measured.coins_part_usd, measured.price_part_usd] == [11_000, 10_000]


def test_a_venue_under_the_minimum_of_dollars_is_left_out() -> None:
    large, small = flat_then(1100), flat_then(400, coins=100, venue=BYBIT)
    assert change(large, small, min_usd=10_000).percent_of_venue.keys() == {BINANCE, BYBIT}
    assert change(large, small, min_usd=10_001).percent_of_venue == {BINANCE: 10}
    assert reason(large, small, min_usd=100_001) == "open interest under the minimum in dollars"


def test_the_minimum_is_of_the_venue_and_not_of_each_contract() -> None:
    usdc = [sample(600, minute, symbol="X/USDC:USDC") for minute in (-15, -14, 0)]
    assert change(flat_then(1100), usdc, min_usd=160_000).coins_to == 1700


@pytest.mark.parametrize("mark", [None, 0])
def test_without_a_mark_price_there_is_no_verdict(mark: float | None) -> None:
    assert reason([sample(1000, -15), sample(1000, -14), sample(1100, 0, mark)]) == "no mark price"


# Which samples count


def test_a_sample_that_repeats_value_and_venue_time_is_not_new() -> None:
    first, second = sample(1000, -1), sample(1010, 0)
    assert accepted([first, first, second, second, second]) == [first, second]


def test_a_jump_of_over_30_percent_is_held_until_the_next_sample_confirms_it() -> None:
    before, jump, after = flat_then(minutes=16), sample(1301, 1), sample(1310, 2)
    assert accepted([*before, jump]) == before
    assert accepted([*before, jump, jump]) == before  # the same answer again confirms nothing
    assert accepted([*before, jump, after]) == [*before, jump, after]
    assert accepted([*before, sample(1300, 1)])[-1].oi_base == 1300


def test_while_a_jump_is_held_the_sample_before_it_speaks_for_its_market() -> None:
    held = [*flat_then(minutes=16)[1:], sample(2000, 0.5)]
    assert change(held, flat_then(1100, venue=BYBIT), now_ms=NOW_MS + 30_000).percent == 5


def test_a_jump_that_the_next_sample_does_not_confirm_never_was() -> None:
    before = flat_then(minutes=16)
    assert accepted([*before, sample(2000, 1), sample(1001, 2)]) == [*before, sample(1001, 2)]
    assert accepted([*before, sample(2000, 1), sample(500, 2), sample(1001, 3)]) == [*before, sample(1001, 3)]


def test_a_wrong_first_answer_is_no_end_of_a_window() -> None:
    wrong, *right = [sample(500, -15), *(sample(1000, minute) for minute in range(-14, 1))]
    assert accepted([wrong, *right]) == right
    assert change([wrong, *right]).percent == 0
