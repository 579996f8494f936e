"""Which signals does a scan raise? Measurements through their episodes."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.rules.severity import grade
from monitors.detectors.scan_signals import Coverage, Scan
from monitors.market import Candle, Direction, Kind, Unit, Venue
from monitors.thresholds import Rulebook, Severity
from tests.monitors.detectors.series import (
    FIVE_MINUTES_MS,
    NOW_MS,
    OI_RULE,
    VOLUME_RULE,
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


# Open interest


@pytest.mark.parametrize(("coins", "direction"), [(1050, Direction.UP), (950, Direction.DOWN)])
def test_a_change_is_a_signal_in_percent_with_its_direction_and_each_venues_part(coins: float, direction: Direction) -> None:
    signal = only(oi_signals(everywhere(lambda venue: flat_then(coins, venue=venue))))
    assert (signal.kind, signal.direction, float(signal.value), signal.unit) == (Kind.OPEN_INTEREST, direction, 5.0, Unit.PERCENT)
    assert signal.venues == dict.fromkeys(Venue, 5)
    assert (signal.window_s, signal.count, signal.listed_on, signal.price) == (900, 3, 3, Decimal(100))


def test_a_venue_that_goes_the_other_way_has_its_part_negative_and_does_not_confirm() -> None:
    signal = only(oi_signals(by_contract(flat_then(1080), flat_then(990, venue=BYBIT), flat_then(1000, venue=OKX))))
    assert signal.venues == {BINANCE: 8, BYBIT: -1, OKX: 0}
    assert grade(signal, OI_RULE).unconfirmed


def test_under_the_floor_nothing_is_told() -> None:
    assert oi_signals(everywhere(lambda venue: flat_then(1004.9, venue=venue))) == []


def test_a_rise_ends_the_episode_of_the_fall() -> None:
    scan = Scan(NOW_MS, Rulebook.of([OI_RULE]), {})
    oi_signals(everywhere(lambda venue: flat_then(950, venue=venue)), scan=scan)
    oi_signals(everywhere(lambda venue: flat_then(1050, venue=venue)), scan=scan)
    again = only(oi_signals(everywhere(lambda venue: flat_then(950, venue=venue)), scan=scan))
    assert (again.direction, again.episode) == (Direction.DOWN, 2)


def test_no_verdict_leaves_the_episode_as_it_is() -> None:
    scan = Scan(NOW_MS, Rulebook.of([OI_RULE]), {})
    oi_signals(everywhere(lambda venue: flat_then(1050, venue=venue)), scan=scan)
    assert oi_signals({}, scan=scan) == "no samples"
    assert scan.episode(Kind.OPEN_INTEREST, "X", Direction.UP).running


def test_a_rule_that_is_switched_off_measures_nothing() -> None:
    assert oi_signals(everywhere(lambda venue: flat_then(1050, venue=venue)), scan=Scan(NOW_MS, Rulebook.of([]), {})) == "the threshold rule is switched off"


def test_the_count_is_over_the_live_venues_and_the_signal_says_which_is_missing() -> None:
    signal = only(oi_signals(by_contract(flat_then(1050), flat_then(1050, venue=BYBIT)), coverage=Coverage((BINANCE, BYBIT), (OKX,))))
    assert (signal.listed_on, signal.details["missing"], signal.details["not_compared"]) == (2, "okx", "")
    assert not grade(signal, OI_RULE).unconfirmed


def test_a_live_venue_that_had_nothing_to_compare_is_named_too() -> None:
    signal = only(oi_signals(by_contract(flat_then(1050), flat_then(1050, venue=BYBIT), [sample(500, venue=OKX)])))
    assert (signal.listed_on, signal.details["missing"], signal.details["not_compared"]) == (3, "", "okx")


# Volume


def both(usd: float) -> list[Candle]:
    """The usual week on two venues and a candle of so many dollars on each."""
    return [*usual_week(), *usual_week(venue=BYBIT), candle(usd), candle(usd, venue=BYBIT)]


def test_a_spike_is_a_signal_in_percent_over_the_baseline_without_a_direction() -> None:
    signal = only(volume(both(90_000)))
    assert (signal.kind, signal.direction, signal.unit, signal.fingerprint) == (Kind.VOLUME, Direction.NONE, Unit.PERCENT, "volume:X:")
    assert float(signal.value) == pytest.approx(800, rel=0.05)
    assert (list(signal.venues), signal.details["not_compared"], signal.occurred_at_ms) == ([BINANCE, BYBIT], "okx", NOW_MS)


def test_an_open_candle_says_for_how_long_it_is_open_and_is_told_again_at_the_next_rung() -> None:
    scan = Scan(NOW_MS + 190_000, Rulebook.of([VOLUME_RULE]), {})
    assert only(volume(both(60_000), scan=scan)).details["open_for_s"] == "190"
    later = Scan(NOW_MS + 300_000, scan.rulebook, scan.episodes)
    closed = only(volume(both(110_000), scan=later))
    assert (closed.details["open_for_s"], closed.episode, closed.number) == ("", 1, 2)


def test_an_open_candle_that_is_still_small_does_not_end_the_episode_and_a_closed_one_does() -> None:
    scan = Scan(NOW_MS + 300_000, Rulebook.of([VOLUME_RULE]), {})
    volume(both(90_000), scan=scan)
    next_ms = NOW_MS + FIVE_MINUTES_MS
    quiet = [*both(90_000), candle(20_000, next_ms), candle(20_000, next_ms, BYBIT)]
    assert volume(quiet, scan=Scan(next_ms + 60_000, scan.rulebook, scan.episodes), opened_ms=next_ms) == "still open and below LOW"
    assert scan.episode(Kind.VOLUME, "X", Direction.NONE).running
    volume(quiet, scan=Scan(next_ms + 300_000, scan.rulebook, scan.episodes), opened_ms=next_ms)
    assert not scan.episode(Kind.VOLUME, "X", Direction.NONE).running


def test_a_crowd_on_one_venue_is_moderate_at_most_however_large() -> None:
    crowd = [*usual_week(), *usual_week(venue=BYBIT), candle(9_000_000, move_percent=0), candle(100_000, venue=BYBIT, move_percent=0)]
    signal = only(volume(crowd))
    assert (signal.details["at_most"], grade(signal, VOLUME_RULE).severity) == ("2", Severity.LOW)  # the other venue does not confirm: one step lower
    alone = only(volume(crowd, coverage=Coverage((BINANCE,))))
    assert grade(alone, VOLUME_RULE).severity is Severity.MODERATE


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-25, 0), st.decimals(0, 10**12, places=8), st.one_of(st.none(), st.decimals(0, 10**6, places=8))), max_size=12),
    st.lists(st.tuples(st.integers(-25, 0), st.decimals(0, 10**12, places=8), st.one_of(st.none(), st.decimals(0, 10**6, places=8))), max_size=12),
)
def test_whatever_the_samples_are_there_is_a_verdict_or_a_reason(one: list[tuple[int, Decimal, Decimal]], other: list[tuple[int, Decimal, Decimal]]) -> None:
    series = {
        (venue, "X/USDT:USDT"): [sample(coins, minute, mark, venue) for minute, coins, mark in sorted(rows, key=lambda row: row[0])]
        for venue, rows in ((BINANCE, one), (OKX, other))
    }
    assert oi_signals(series) is not None
