"""Which frames give rise to which signals? Cascades and single liquidations."""

from collections.abc import Iterable
from decimal import Decimal

from monitors.detectors.liquidation_cascade import LiquidationDetector
from monitors.market import Direction, Kind, Liquidation, Signal, Venue
from monitors.thresholds import Rulebook
from tests.builders import NOW_MS, make_liquidation, make_rule, make_rulebook

CASCADES_ONLY = make_rulebook(make_rule(Kind.CASCADE))


class Frames:
    """Feeds a detector frame by frame."""

    def __init__(self, rulebook: Rulebook = CASCADES_ONLY) -> None:
        self.detector = LiquidationDetector(rulebook)

    def at(self, after_ms: int, *events: Liquidation) -> list[Signal]:
        """The signals of a frame that arrives `after_ms` after NOW_MS."""
        return self.detector.observe(events, NOW_MS + after_ms, lambda asset: 3)

    def dollars(self, after_ms: int, *amounts: float) -> list[Signal]:
        """The same with events of so many dollars, stamped when they arrive."""
        return self.at(after_ms, *(make_liquidation(usd, after_ms) for usd in amounts))


def told(signals: Iterable[Signal]) -> list[tuple[str, float]]:
    """Kind and dollars of each."""
    return [(signal.kind.value, float(signal.value)) for signal in signals]


# The window


def test_a_cascade_adds_the_dollars_of_one_asset_and_side_over_all_venues() -> None:
    events = (make_liquidation(600), make_liquidation(500, venue=Venue.OKX), make_liquidation(300, venue=Venue.BINANCE))
    others = (make_liquidation(9_000, asset="ETH"), make_liquidation(9_000, position_side=Direction.SHORT))
    signal = next(signal for signal in Frames().at(0, *events, *others, *others) if (signal.asset, signal.direction) == ("BTC", Direction.LONG))
    assert signal.value == 1_400
    assert signal.venues == {Venue.BINANCE: 300, Venue.BYBIT: 600, Venue.OKX: 500}


def test_a_cascade_shows_the_market_of_the_newest_event_of_its_frame() -> None:
    events = (make_liquidation(600, -2_000), make_liquidation(500, -1_000, venue=Venue.OKX), make_liquidation(300, -3_000, venue=Venue.BINANCE))
    assert Frames().at(0, *events)[0].details["chart"] == "OKX:BTCUSDT.P"


def test_an_event_exactly_one_window_before_the_newest_is_outside() -> None:
    assert told(Frames().at(0, make_liquidation(900), make_liquidation(300, 30_000), make_liquidation(300, 30_000))) == [("cascade", 600)]
    assert told(Frames().at(0, make_liquidation(900, 1), make_liquidation(300, 30_000), make_liquidation(300, 30_000))) == [("cascade", 1_500)]


def test_a_late_event_inside_the_window_counts() -> None:
    frames = Frames()
    frames.dollars(0, 400, 500)
    assert told(frames.at(20_000, make_liquidation(200, -20_000))) == [("cascade", 1_100)]


def test_a_late_event_older_than_the_window_does_not_count() -> None:
    frames = Frames()
    frames.dollars(0, 400, 500)
    assert frames.at(20_000, make_liquidation(200, -30_000)) == []


def test_the_window_moves_with_the_newest_event_and_not_with_arrival() -> None:
    frames = Frames()
    frames.dollars(0, 400, 500)
    assert told(frames.at(50_000, make_liquidation(200, 1_000))) == [("cascade", 1_100)]


def test_a_backlog_is_judged_by_event_time_and_never_as_one_burst() -> None:
    backlog = [make_liquidation(400, -40_000), make_liquidation(400, -39_000), make_liquidation(400, -5_000), make_liquidation(150, -4_000)]
    assert told(Frames().at(0, *backlog)) == [("cascade", 550)]


def test_a_cascade_has_a_value_only_with_min_events() -> None:
    five = make_rulebook(make_rule(min_events=5))
    assert Frames(five).dollars(0, 1_000, 1_000, 1_000, 1_000) == []
    assert told(Frames(five).dollars(0, 1_000, 1_000, 1_000, 1_000, 1_000)) == [("cascade", 5_000)]


def test_dust_adds_dollars_and_not_count() -> None:
    three = make_rulebook(make_rule(min_events=3))
    assert Frames(three).dollars(0, 600, 600, 9.99, 9.99) == []
    signal = Frames(three).dollars(0, 600, 600, 10, 9.99)[0]
    assert (signal.value, signal.count) == (Decimal("1219.99"), 3)


# One liquidation is not a cascade


def test_one_large_liquidation_with_little_beside_it_is_no_cascade() -> None:
    assert told(Frames(make_rulebook()).dollars(0, 1_000, 999.99)) == [("liquidation", 1_000)]


def test_it_is_a_cascade_once_the_rest_alone_reaches_low() -> None:
    assert told(Frames(make_rulebook()).dollars(0, 1_000, 1_000)) == [("cascade", 2_000), ("liquidation", 1_000)]


def test_it_is_a_cascade_when_the_largest_does_not_reach_the_liquidations_low() -> None:
    assert told(Frames(make_rulebook()).dollars(0, 990, 15)) == [("cascade", 1_005), ("liquidation", 990)]


def test_without_a_rule_for_liquidations_in_force_nothing_is_told_twice_so_it_is_a_cascade() -> None:
    rulebook = make_rulebook(make_rule(Kind.LIQUIDATION, enabled=False), make_rule(Kind.CASCADE))
    assert told(Frames(rulebook).dollars(0, 5_000, 10)) == [("cascade", 5_010)]


# When a signal is written


def test_a_frame_gives_at_most_one_signal_per_kind_and_story() -> None:
    assert told(Frames(make_rulebook()).dollars(0, 1_000, 1_500, 2_000, 5_000)) == [("cascade", 9_500), ("liquidation", 5_000)]


def test_nothing_is_written_below_half_of_low() -> None:
    assert Frames(make_rulebook()).dollars(0, 249, 250) == []
    assert told(Frames(make_rulebook()).dollars(0, 250, 250)) == [("cascade", 500)]


def test_the_floor_is_the_lowest_custom_threshold_where_that_is_lower() -> None:
    custom = make_rulebook(make_rule(), custom_floors={(Kind.CASCADE, ""): Decimal(100), (Kind.CASCADE, "BTC"): Decimal(300)})
    assert told(Frames(custom).dollars(0, 50, 50)) == [("cascade", 100)]
    others = make_rulebook(make_rule(), custom_floors={(Kind.CASCADE, "ETH"): Decimal(100), (Kind.LIQUIDATION, "BTC"): Decimal(100)})
    assert Frames(others).dollars(0, 50, 50) == []


def test_a_custom_threshold_is_no_rung() -> None:
    frames = Frames(make_rulebook(make_rule(), custom_floors={(Kind.CASCADE, "BTC"): Decimal(100)}))
    frames.dollars(0, 50, 50)
    assert frames.dollars(100, 100) == []


def test_a_rung_is_written_at_once() -> None:
    frames = Frames()
    frames.dollars(0, 300, 300)
    assert told(frames.dollars(1, 400)) == [("cascade", 1_000)]
    assert told(frames.dollars(2, 1_000)) == [("cascade", 2_000)]


def test_a_doubling_of_extreme_is_a_rung() -> None:
    frames = Frames()
    frames.dollars(0, 4_000, 4_000)
    assert frames.dollars(1, 7_999) == []
    assert told(frames.dollars(2, 1)) == [("cascade", 16_000)]


def test_the_values_exactly_at_a_rung_and_just_below_it_differ() -> None:
    frames = Frames()
    frames.dollars(0, 500, 499.99)
    assert frames.dollars(1, 0) == []
    assert told(frames.dollars(2, 0.01)) == [("cascade", 1_000)]


def frames_after_a_signal() -> Frames:
    """A detector that wrote a signal of $1,000 at 0."""
    frames = Frames()
    assert told(frames.dollars(0, 500, 500)) == [("cascade", 1_000)]
    return frames


def test_a_new_peak_is_written_at_most_every_250_ms() -> None:
    assert frames_after_a_signal().dollars(249, 100) == []
    assert told(frames_after_a_signal().dollars(250, 100)) == [("cascade", 1_100)]


def test_the_last_peak_is_always_written() -> None:
    frames = frames_after_a_signal()
    assert frames.dollars(100, 100) == []
    assert frames.dollars(200, 100) == []
    assert frames.detector.next_flush_ms == NOW_MS + 250
    assert frames.detector.flush(NOW_MS + 249) == []
    written = frames.detector.flush(NOW_MS + 250)
    assert told(written) == [("cascade", 1_200)]
    assert written[0].received_at_ms == NOW_MS + 200
    assert frames.detector.next_flush_ms is None


def test_the_last_peak_is_written_even_when_the_value_has_fallen_since() -> None:
    frames = frames_after_a_signal()
    frames.dollars(100, 100)
    assert told(frames.at(150, make_liquidation(1, 60_000))) == [("cascade", 1_100)]


def test_a_peak_that_waits_comes_before_a_newer_signal_of_its_story() -> None:
    frames = Frames(make_rulebook())
    frames.dollars(0, 600, 600, 600)
    frames.dollars(100, 100)
    written = frames.at(200, make_liquidation(1_500, -35_000))
    assert told(written) == [("cascade", 1_900), ("liquidation", 1_500)]
    assert [signal.received_at_ms - NOW_MS for signal in written] == [100, 200]


def test_a_value_that_stays_at_low_is_written_by_the_first_frame_10_s_after_the_last_signal() -> None:
    frames = frames_after_a_signal()
    assert frames.at(9_999, make_liquidation(0, 0)) == []
    assert told(frames.at(10_000, make_liquidation(0, 1))) == [("cascade", 1_000)]
    assert frames.at(19_999, make_liquidation(0, 2)) == []
    assert told(frames.at(20_000, make_liquidation(0, 3))) == [("cascade", 1_000)]


def test_a_value_between_the_floor_and_low_is_not_written_again() -> None:
    frames = Frames()
    frames.dollars(0, 300, 300)
    assert frames.at(10_000, make_liquidation(0, 1)) == []


def test_signals_are_numbered_by_episode_from_the_floor_until_the_value_falls_below_it() -> None:
    frames = Frames()
    first = frames.dollars(0, 300, 300) + frames.dollars(1_000, 400)
    second = frames.dollars(60_000, 300, 300)
    frames.dollars(120_000, 1)
    third = frames.dollars(180_000, 500, 500)
    assert [(signal.episode, signal.number) for signal in first] == [(1, 1), (1, 2)]
    assert [(signal.episode, signal.number) for signal in third] == [(2, 1)]
    assert second == []


def test_a_signal_of_the_most_severe_kind_comes_first_and_at_a_tie_the_cascade() -> None:
    assert told(Frames(make_rulebook()).dollars(0, 2_000, 1_999.99)) == [("cascade", 3_999.99), ("liquidation", 2_000)]
    ladders = make_rulebook(make_rule(Kind.LIQUIDATION), make_rule(Kind.CASCADE, high=50_000, extreme=60_000))
    assert told(Frames(ladders).dollars(0, 4_000, 1_000)) == [("liquidation", 4_000), ("cascade", 5_000)]


def test_an_unconfirmed_cascade_comes_after_the_liquidation_that_is_then_more_severe() -> None:
    two_venues = make_rulebook(make_rule(Kind.LIQUIDATION), make_rule(Kind.CASCADE, min_venues=2))
    assert told(Frames(two_venues).dollars(0, 2_000, 1_500)) == [("liquidation", 2_000), ("cascade", 3_500)]


def test_each_liquidation_is_measured_by_itself() -> None:
    frames = Frames(make_rulebook(make_rule(Kind.LIQUIDATION)))
    assert told(frames.dollars(0, 3_000) + frames.dollars(10, 1_200) + frames.dollars(20, 1_200)) == [("liquidation", 3_000)] + [("liquidation", 1_200)] * 2


# Rules


def test_the_assets_own_rule_beats_the_one_for_any_other() -> None:
    rulebook = make_rulebook(make_rule(), make_rule(asset="BTC", low=5_000, moderate=6_000, high=7_000))
    assert Frames(rulebook).dollars(0, 1_000, 1_000) == []
    assert told(Frames(rulebook).at(0, make_liquidation(500, asset="ETH"), make_liquidation(500, asset="ETH"))) == [("cascade", 1_000)]


def test_a_rule_switched_off_does_not_fall_back_to_the_one_for_any_other() -> None:
    rulebook = make_rulebook(make_rule(), make_rule(asset="BTC", enabled=False))
    assert Frames(rulebook).dollars(0, 9_000, 9_000) == []


def test_a_rule_edit_counts_from_the_next_frame_on() -> None:
    frames = Frames(make_rulebook(make_rule(low=10_000, moderate=20_000, high=30_000, extreme=40_000)))
    assert frames.dollars(0, 1_000, 1_000) == []
    frames.detector.rulebook = CASCADES_ONLY
    assert told(frames.dollars(1, 1)) == [("cascade", 2_001)]
