"""Which received liquidations count?"""

from monitors.detectors.intake import Intake
from monitors.market import Liquidation
from tests.builders import NOW_MS, make_liquidation


def counted(intake: Intake, *events: Liquidation, after_ms: int = 0) -> int:
    """How many of one frame's events count."""
    return len(intake.admit(events, NOW_MS + after_ms).counted)


def test_the_same_row_in_a_later_frame_is_a_repeat() -> None:
    intake = Intake()
    assert counted(intake, make_liquidation()) == 1
    assert counted(intake, make_liquidation(), after_ms=500) == 0


def test_two_equal_rows_in_one_frame_are_two_events() -> None:
    assert counted(Intake(), make_liquidation(), make_liquidation(occurrence=1)) == 2


def test_of_two_equal_rows_that_come_again_with_a_third_only_the_third_counts() -> None:
    intake = Intake()
    counted(intake, make_liquidation(), make_liquidation(occurrence=1))
    assert counted(intake, make_liquidation(), make_liquidation(occurrence=1), make_liquidation(occurrence=2), after_ms=1) == 1


def test_events_that_differ_in_anything_of_the_key_are_different_events() -> None:
    from_key = ({"symbol": "BTC/USDC:USDC"}, {"occurred_at_ms": NOW_MS + 1}, {"price": 2}, {"quantity_base": 3}, {"position_side": "SHORT"}, {"venue": "okx"})
    assert counted(Intake(), make_liquidation(), *(make_liquidation(**difference) for difference in from_key)) == 7


def test_an_event_is_kept_out_when_it_is_stamped_over_5_s_in_the_future() -> None:
    assert counted(Intake(), make_liquidation(after_ms=5_000)) == 1
    assert [reason for _, reason in Intake().admit([make_liquidation(after_ms=5_001)], NOW_MS).kept_out] == ["future"]


def test_an_event_is_kept_out_when_it_is_over_60_s_old_at_arrival() -> None:
    assert counted(Intake(), make_liquidation(), after_ms=60_000) == 1
    assert [reason for _, reason in Intake().admit([make_liquidation()], NOW_MS + 60_001).kept_out] == ["stale"]


def test_what_is_kept_out_is_saved_with_its_reason() -> None:
    admission = Intake().admit([make_liquidation(), make_liquidation(after_ms=-61_000)], NOW_MS)
    assert [reason for _, reason in admission.saved] == ["", "stale"]


def test_an_event_from_the_future_does_not_count_later_either() -> None:
    intake = Intake()
    counted(intake, make_liquidation(after_ms=6_000))
    assert counted(intake, make_liquidation(after_ms=6_000), after_ms=6_000) == 0


def test_a_repeat_is_known_as_long_as_it_could_count() -> None:
    intake = Intake()
    counted(intake, make_liquidation(after_ms=5_000))
    for after_ms in range(0, 65_001, 5_000):
        assert counted(intake, make_liquidation(after_ms=5_000), after_ms=after_ms) == 0


def test_what_could_not_count_again_is_forgotten() -> None:
    intake = Intake()
    for second in range(300):
        counted(intake, make_liquidation(after_ms=second * 1_000), after_ms=second * 1_000)
    assert sum(map(len, intake._known.values())) < 100
