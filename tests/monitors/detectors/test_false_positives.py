"""What looks like a move of the market and is none? Each trap by its name, through the detectors as scans and frames use them."""

from datetime import UTC, datetime

import pytest

from monitors.detectors.baseline import baseline_times
from monitors.detectors.intake import Intake
from monitors.detectors.liquidation_cascade import LiquidationDetector
from monitors.detectors.scan_signals import Coverage, Scan
from monitors.market import Kind, OpenInterest, Venue, epoch_ms
from monitors.thresholds import Rulebook
from tests.builders import make_liquidation, make_rule, make_rulebook
from tests.monitors.detectors.series import (
    DAY_MS,
    FIVE_MINUTES_MS,
    MINUTE_MS,
    NOW_MS,
    OI_RULE,
    by_contract,
    candle,
    everywhere,
    flat_then,
    oi_signals,
    only,
    sample,
    usual_week,
    volume,
)

BINANCE, BYBIT, OKX = Venue.BINANCE, Venue.BYBIT, Venue.OKX
NO_OTHER_END = "no sample at the other end of the window"
NOT_COVERED = "no venue has this candle, the one before it and nine tenths of the baseline"


# Restart after downtime


@pytest.mark.parametrize("minutes_up", [0, 1, 5, 13])
@pytest.mark.parametrize("down", [17, 20, 24])
def test_restart_after_downtime_is_no_open_interest_step(minutes_up: int, down: int) -> None:
    """While we were down 10 % came in; until 15 minutes are there again, nothing can be said. (Samples are loaded from 25 minutes before on.)"""
    before = range(-25, -minutes_up - down + 1)
    series = everywhere(
        lambda venue: [*(sample(1000, minute, venue=venue) for minute in before), *(sample(1100, -up, venue=venue) for up in range(minutes_up, -1, -1))]
    )
    assert oi_signals(series) in (NO_OTHER_END, [])


def test_restart_after_downtime_is_no_volume_spike() -> None:
    """The first candle after the gap holds what the venue made of its restart, or ours."""
    gap = [each for each in usual_week() if each.opened_at_ms < NOW_MS - 3 * FIVE_MINUTES_MS]
    assert volume([*gap, candle(90_000)]) == NOT_COVERED


def test_restart_after_downtime_is_no_cascade() -> None:
    """A backlog in one frame is spread over the times at which it happened, and what is old is kept out."""
    detector, intake = LiquidationDetector(make_rulebook(make_rule(Kind.CASCADE))), Intake()
    backlog = intake.admit([make_liquidation(400, -20_000 * number) for number in range(10)], NOW_MS)
    assert [reason for _, reason in backlog.kept_out] == ["stale"] * 6
    assert not [signal for signal in detector.observe(backlog.counted, NOW_MS, lambda asset: 3) if signal.value >= 1_000]


# Venue maintenance and reopening


def test_venue_maintenance_and_reopening_is_no_step() -> None:
    """Two venues stand still; the third was gone for half an hour and comes back with a third less."""
    back = [*(sample(3000, minute, venue=OKX) for minute in range(-60, -30)), *(sample(2000, minute, venue=OKX) for minute in range(-5, 1))]
    others = (flat_then(), flat_then(venue=BYBIT))
    assert oi_signals(by_contract(*others, back)) == []
    assert oi_signals(by_contract(*others), coverage=Coverage((BINANCE, BYBIT), (OKX,))) == []  # and while it was gone


def test_venue_maintenance_takes_its_volume_out_of_the_baseline_too() -> None:
    """The venue with nine tenths of the dollars is gone, and comes back: the others are measured by themselves."""
    small, large = [*usual_week(1_000), candle(1_010)], usual_week(9_000, BYBIT)
    assert volume([*small, *large], coverage=Coverage((BINANCE,), (BYBIT,))) == "within the usual spread"
    gone = [each for each in large if each.opened_at_ms < NOW_MS - 6 * FIVE_MINUTES_MS]
    assert volume([*small, *gone, candle(90_000, venue=BYBIT)]) == "within the usual spread"


# A contract that appears or settles


def test_a_contract_that_appears_is_no_step() -> None:
    new = [sample(800 * minute, minute - 10, symbol="X/USDC:USDC") for minute in range(1, 11)]
    assert oi_signals(by_contract(flat_then(), new, flat_then(venue=BYBIT))) == []


def test_a_contract_that_settles_is_no_step() -> None:
    settles = [*(sample(800, minute, symbol="X/USDC:USDC") for minute in range(-20, -2)), *(sample(0, minute, symbol="X/USDC:USDC") for minute in range(-2, 1))]
    assert oi_signals(by_contract(flat_then(), settles, flat_then(venue=BYBIT))) == []
    assert oi_signals(by_contract(settles)) == "no open interest any more: the contract settles"


def test_a_contract_that_appears_has_no_volume_spike() -> None:
    young = [candle(1_000, NOW_MS - back * FIVE_MINUTES_MS) for back in range(1, 200)]
    assert volume([*young, candle(900_000)]) == NOT_COVERED


# A halved answer for one scan


@pytest.mark.parametrize("factor", [0.5, 2.0, 0.0])
def test_a_halved_answer_for_one_scan_is_no_step(factor: float) -> None:
    """Not while it is the newest, not when the next answer is right again, and not 15 minutes later at the window's other end."""
    for age in range(18):
        values = [1000.0] * 18
        values[17 - age] *= factor
        series = everywhere(lambda venue, values=values: flat_then(*values, minutes=24, venue=venue))  # type: ignore[misc]
        assert oi_signals(series) == [], f"{age} scans later"


def test_a_halved_answer_that_stays_is_told() -> None:
    scan = Scan(NOW_MS, Rulebook.of([OI_RULE]), {})
    assert oi_signals(everywhere(lambda venue: flat_then(500, venue=venue)), scan=scan) == []
    assert only(oi_signals(everywhere(lambda venue: flat_then(500, 500, venue=venue)), scan=scan)).value == 50


# Stale values repeated and then a step


def test_stale_values_repeated_and_then_a_step_are_no_step() -> None:
    """The venue answered with the same sample for an hour, then with a true one that is 5 % off: nobody knows since when."""
    frozen: list[OpenInterest] = [sample(1000, minute, venue=BYBIT) for minute in range(-75, -60)] + [sample(1000, -60, venue=BYBIT)] * 60
    assert oi_signals(by_contract(frozen)) == "the newest sample is stale"
    assert oi_signals(by_contract([*frozen, sample(1050, 0, venue=BYBIT)])) == NO_OTHER_END
    assert oi_signals(by_contract([*frozen, sample(1050, 0, venue=BYBIT)], flat_then(), flat_then(venue=OKX))) == []


# One position liquidated in many parts


def test_one_position_liquidated_in_many_parts_that_the_venue_repeats_counts_once() -> None:
    """Parts that come again in later frames, and dust beside one large part: neither makes a cascade."""
    rulebook = make_rulebook(make_rule(Kind.LIQUIDATION, low=500), make_rule(Kind.CASCADE, min_events=5))
    detector, intake = LiquidationDetector(rulebook), Intake()
    parts = [make_liquidation(700), *(make_liquidation(3, number) for number in range(40))]
    for frame in range(5):
        counted = intake.admit(parts, NOW_MS + 100 * frame).counted
        assert {signal.kind for signal in detector.observe(counted, NOW_MS + 100 * frame, lambda asset: 3)} <= {Kind.LIQUIDATION}


# The clock off by minutes


@pytest.mark.parametrize("minutes", [-7, -3, 3, 7])
def test_the_clock_off_by_minutes_at_one_venue_is_no_step(minutes: int) -> None:
    """Each market's window lies between its own samples, by the venue's own time."""
    shifted = [sample(each.oi_base, (each.occurred_at_ms - NOW_MS) / MINUTE_MS + minutes, venue=OKX) for each in flat_then(venue=OKX)]
    assert oi_signals(by_contract(flat_then(), flat_then(venue=BYBIT), shifted)) == []


def test_the_clock_off_by_minutes_gives_no_early_verdict_on_a_candle() -> None:
    """By the venue's clock the candle has just begun, whatever its flag says; and one that has not begun yet is not judged at all."""
    small = [*usual_week(), candle(30_000, closed=True)]
    assert volume(small, after_s=20) == "still open and below LOW"
    assert volume(small, after_s=-180) == "the candle begins in the future"


def test_the_clock_off_by_minutes_is_no_cascade() -> None:
    intake = Intake()
    late, early = make_liquidation(9_000, -180_000), make_liquidation(9_000, 180_000)
    assert [reason for _, reason in intake.admit([late, early], NOW_MS).kept_out] == ["stale", "future"]


# Daylight saving


@pytest.mark.parametrize("switch", [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC)])
def test_daylight_saving_moves_no_baseline(switch: datetime) -> None:
    """Days are 24 hours of UTC, on both sides of a change of the clocks: the busy hour is compared with the same hour, and nothing else."""
    opened_ms = epoch_ms(switch) + DAY_MS
    same_time = baseline_times(opened_ms, FIVE_MINUTES_MS).same_time_ms
    assert {round((opened_ms - at_ms) / DAY_MS) for at_ms in same_time} == set(range(1, 8))
    assert all(abs((opened_ms - at_ms) % DAY_MS) <= 1_800_000 or (opened_ms - at_ms) % DAY_MS >= DAY_MS - 1_800_000 for at_ms in same_time)
    busy = [candle(each.volume_usd * (9 if each.opened_at_ms in same_time else 1), each.opened_at_ms) for each in usual_week(until_ms=opened_ms)]
    assert volume([*busy, candle(95_000, opened_ms)], opened_ms=opened_ms) in ("within the usual spread", [])
