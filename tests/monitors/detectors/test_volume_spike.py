"""How far is a candle's volume over what is usual? Each sentence about the detector, over values."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.detectors.baseline import baseline_times
from monitors.detectors.oi_explosion import NoVerdict
from monitors.detectors.volume_spike import VolumeSpike, volume_spike
from monitors.market import Candle, Venue
from monitors.thresholds import Rule, Severity
from tests.monitors.detectors.series import DAY_MS, FIVE_MINUTES_MS, NOW_MS, VOLUME_RULE, candle, usual_week

BINANCE, BYBIT, OKX = Venue.BINANCE, Venue.BYBIT, Venue.OKX
NOT_COVERED = "no venue has this candle, the one before it and nine tenths of the baseline"


def judged(candles: list[Candle], after_s: float = 300, rule: Rule = VOLUME_RULE) -> VolumeSpike | NoVerdict:
    return volume_spike(candles, NOW_MS, FIVE_MINUTES_MS, NOW_MS + round(after_s * 1000), rule)


def spike(candles: list[Candle], after_s: float = 300, rule: Rule = VOLUME_RULE) -> VolumeSpike:
    found = judged(candles, after_s, rule)
    assert isinstance(found, VolumeSpike), found
    return found


def reason(candles: list[Candle], after_s: float = 300, rule: Rule = VOLUME_RULE) -> str:
    found = judged(candles, after_s, rule)
    assert isinstance(found, NoVerdict), found
    return found.reason


# The venues


def test_spike_and_baseline_are_summed_over_the_same_venues_which_are_named() -> None:
    found = spike([*usual_week(), candle(90_000), *usual_week(20_000, BYBIT), candle(180_000, venue=BYBIT)])
    assert found.usd == 270_000
    assert found.baseline_usd == pytest.approx(30_000, rel=0.05)
    assert found.percent == pytest.approx(800, rel=0.05)
    assert {venue: round(part, -2) for venue, part in found.percent_of_venue.items()} == {BINANCE: 800, BYBIT: 800}


def test_a_venue_without_this_candle_does_not_take_part_in_the_baseline_either() -> None:
    found = spike([*usual_week(), candle(90_000), *usual_week(20_000, BYBIT)])
    assert found.percent_of_venue.keys() == {BINANCE}
    assert found.baseline_usd == pytest.approx(10_000, rel=0.05)


def test_a_venue_needs_nine_tenths_of_the_baselines_candles() -> None:
    wanted = sorted(baseline_times(NOW_MS, FIVE_MINUTES_MS).all_ms)
    few, enough = wanted[-168:], wanted[-169:]  # of 187
    assert reason([*(candle(10_000, at_ms) for at_ms in few), candle(90_000)]) == NOT_COVERED
    assert not isinstance(judged([*(candle(9_000 + at_ms % 7_000, at_ms) for at_ms in enough), candle(90_000)]), NoVerdict)


def test_the_contracts_of_one_venue_are_added() -> None:
    usdc = [candle(10_000, each.opened_at_ms, symbol="X/USDC:USDC") for each in usual_week()]
    assert spike([*usual_week(), *usdc, candle(90_000), candle(90_000, symbol="X/USDC:USDC")]).usd == 180_000


# The baseline


def test_the_baseline_is_the_larger_of_the_time_of_day_and_the_last_96() -> None:
    around = set(baseline_times(NOW_MS, FIVE_MINUTES_MS).same_time_ms)
    busy_at_this_time = [candle(each.volume_usd * (5 if each.opened_at_ms in around else 1), each.opened_at_ms) for each in usual_week()]
    assert spike([*busy_at_this_time, candle(900_000)]).baseline_usd == pytest.approx(50_000, rel=0.05)
    busy_lately = [candle(each.volume_usd * (3 if NOW_MS - each.opened_at_ms < DAY_MS / 3 else 1), each.opened_at_ms) for each in usual_week()]
    assert spike([*busy_lately, candle(900_000)]).baseline_usd == pytest.approx(30_000, rel=0.05)


# What is asked for


def test_the_minimum_in_dollars_is_of_all_venues_together() -> None:
    both = [*usual_week(90), candle(600), *usual_week(90, BYBIT), candle(400, venue=BYBIT)]
    assert spike(both).usd == 1_000
    assert reason([*usual_week(90), candle(999)]) == "under the minimum in dollars"


def test_a_z_score_of_at_least_2_is_asked_for() -> None:
    wild = [candle(10.0 ** (3 + each.opened_at_ms // FIVE_MINUTES_MS % 5), each.opened_at_ms) for each in usual_week()]
    assert reason([*wild, candle(600_000)]) == "within the usual spread"


@pytest.mark.parametrize(("move", "at_most"), [(0.09, Severity.MODERATE), (-0.09, Severity.MODERATE), (0.11, None)])
def test_one_venue_with_over_80_percent_while_the_price_stands_still_is_moderate_at_most(move: float, at_most: Severity | None) -> None:
    """A fifth of the usual half percent is 0.1 %."""
    crowd = [*usual_week(), candle(900_000, move_percent=move), *usual_week(10_000, BYBIT), candle(20_000, venue=BYBIT, move_percent=move)]
    assert spike(crowd).at_most is at_most


def test_80_percent_on_one_venue_are_no_crowd() -> None:
    shared = [*usual_week(), candle(80_000, move_percent=0), *usual_week(10_000, BYBIT), candle(20_000, venue=BYBIT, move_percent=0)]
    assert spike(shared).at_most is None


# Open and closed


def test_closed_or_not_follows_from_the_clock_and_not_from_a_flag() -> None:
    candles = [*usual_week(), candle(90_000, closed=True)]
    assert spike(candles, after_s=190).open_for_ms == 190_000
    assert spike([*usual_week(), candle(90_000, closed=False)], after_s=300).open_for_ms is None


def test_the_open_candle_is_judged_only_once_it_exceeds_a_rung() -> None:
    assert reason([*usual_week(), candle(45_000)], after_s=200) == "still open and below LOW"
    assert spike([*usual_week(), candle(45_000)]).percent < 400
    assert spike([*usual_week(), candle(60_000)], after_s=200).open_for_ms == 200_000


# No verdict


def test_zero_volumes_give_no_verdict() -> None:
    assert reason([*(candle(0, each.opened_at_ms) for each in usual_week()), candle(90_000)]) == "the baseline is zero"
    assert reason([*usual_week(), candle(0)]) == "under the minimum in dollars"


def test_a_flat_series_gives_no_verdict() -> None:
    assert reason([*(candle(10_000, each.opened_at_ms) for each in usual_week()), candle(90_000)]) == "a flat series has no usual spread"


def test_the_first_candle_after_a_gap_gives_no_verdict() -> None:
    gap = [each for each in usual_week() if each.opened_at_ms != NOW_MS - FIVE_MINUTES_MS]
    assert reason([*gap, candle(90_000)]) == NOT_COVERED
    older = [each for each in usual_week() if not NOW_MS - 3 * FIVE_MINUTES_MS < each.opened_at_ms < NOW_MS - FIVE_MINUTES_MS]
    assert spike([*older, candle(90_000)]).usd == 90_000


def test_the_first_day_after_listing_gives_no_verdict() -> None:
    assert reason([*usual_week(days=1), candle(90_000)]) == NOT_COVERED
    assert reason([candle(90_000)]) == reason([]) == NOT_COVERED


def test_a_candle_that_begins_in_the_future_gives_no_verdict() -> None:
    assert reason([*usual_week(), candle(90_000)], after_s=-1) == "the candle begins in the future"


volumes = st.one_of(st.just(0.0), st.floats(0, 1e-300), st.floats(0, 1e14), st.floats(1e-320, 1e14))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_the_candles_are_there_is_a_verdict_or_a_reason(data: st.DataObject) -> None:
    times = sorted(baseline_times(NOW_MS, FIVE_MINUTES_MS).all_ms)
    few = data.draw(st.lists(volumes, min_size=1, max_size=5))
    present = data.draw(st.integers(0, len(times)))
    prices = data.draw(st.lists(st.floats(0, 1e9), min_size=2, max_size=2))
    candles = [
        candle(few[index % len(few)], at_ms, venue, open=prices[0], close=prices[1]) for venue in (BINANCE, OKX) for index, at_ms in enumerate(times[-present:])
    ]
    rule = Rule(**{name: getattr(VOLUME_RULE, name) for name in VOLUME_RULE.__slots__} | {"min_usd": VOLUME_RULE.min_usd * 0})
    found = judged([*candles, candle(data.draw(volumes), open=prices[1], close=prices[0])], data.draw(st.floats(-10, 400)), rule)
    assert isinstance(found, VolumeSpike) or found.reason
