"""What does a signal do to the story it belongs to?"""

from decimal import Decimal
from typing import Any

import pytest

from alerts.rules.incident import Decision, Incident, Outcome, decide
from monitors.market import Direction, Kind, Venue, fingerprint_of
from monitors.thresholds import Severity
from tests.builders import NOW_MS, make_incident, make_rule, make_signal

LIQUIDATION, CASCADE = Kind.LIQUIDATION, Kind.CASCADE
FIVE_MINUTES_MS = 300_000


def apply(state: Incident | None, value: float, after_ms: int = 0, kind: Kind = CASCADE, custom: float | None = None, **rule: Any) -> Decision:
    """The decision on a signal of `value` dollars."""
    floor = None if custom is None else Decimal(str(custom))
    return decide(state, make_signal(value, after_ms, kind), make_rule(kind, **rule), floor)


def story(*signals: tuple[Kind, float]) -> list[str]:
    """The outcomes of signals one second apart."""
    state: Incident | None = None
    outcomes: list[str] = []
    for second, (kind, value) in enumerate(signals):
        decision = apply(state, value, second * 1_000, kind)
        state = decision.incident
        outcomes.append(decision.outcome.value)
    return outcomes


def opened(value: float = 1_000, kind: Kind = CASCADE, **rule: Any) -> Incident:
    """The incident that a first signal opens at NOW_MS."""
    incident = apply(None, value, 0, kind, **rule).incident
    assert incident is not None
    return incident


# One story


def test_liquidation_and_cascade_of_an_asset_and_side_are_one_story() -> None:
    assert fingerprint_of(LIQUIDATION, "BTC", Direction.LONG) == fingerprint_of(CASCADE, "BTC", Direction.LONG)
    assert fingerprint_of(CASCADE, "BTC", Direction.LONG) != fingerprint_of(CASCADE, "BTC", Direction.SHORT)


def test_open_interest_is_a_story_per_direction_and_volume_one_per_asset() -> None:
    assert fingerprint_of(Kind.OPEN_INTEREST, "BTC", Direction.UP) != fingerprint_of(Kind.OPEN_INTEREST, "BTC", Direction.DOWN)
    assert fingerprint_of(Kind.VOLUME, "BTC", Direction.UP) == fingerprint_of(Kind.VOLUME, "BTC", Direction.DOWN)


# Opening


def test_a_signal_of_low_opens() -> None:
    decision = apply(None, 1_000)
    assert (decision.outcome, decision.tells) == (Outcome.OPENED, True)
    assert opened().severity is Severity.LOW


def test_a_signal_between_the_floor_and_low_is_history_only() -> None:
    decision = apply(None, 999)
    assert (decision.outcome, decision.incident, decision.tells, decision.reason) == (Outcome.BELOW_LOW, None, False, "below LOW")


def test_a_signal_below_low_neither_extends_nor_changes_an_open_incident() -> None:
    before = opened(1_000)
    decision = apply(before, 999, 10_000)
    assert decision.incident is not None
    assert (decision.outcome, decision.tells) == (Outcome.BELOW_LOW, False)
    assert (decision.incident.closes_at_ms, decision.incident.peak) == (before.closes_at_ms, before.peak)


def test_a_passed_custom_threshold_opens_below_low() -> None:
    decision = apply(None, 600, custom=600)
    assert decision.incident is not None
    assert (decision.outcome, decision.incident.severity, decision.tells) == (Outcome.OPENED, Severity.BELOW_LOW, True)
    assert apply(None, 599, custom=600).incident is None


def test_a_below_low_incident_is_extended_by_any_signal() -> None:
    below = apply(None, 600, custom=600).incident
    after = apply(below, 550, 10_000, custom=600).incident
    assert after is not None
    assert after.closes_at_ms == NOW_MS + 10_000 + FIVE_MINUTES_MS


def test_a_below_low_incident_escalates_to_low() -> None:
    below = apply(None, 600, custom=600).incident
    assert apply(below, 1_000, 1_000, custom=600).outcome is Outcome.ESCALATED


def test_a_rule_switched_off_decides_nothing_and_says_why() -> None:
    decision = decide(None, make_signal(9_000), None)
    assert (decision.outcome, decision.incident, decision.tells) == (Outcome.SWITCHED_OFF, None, False)
    assert decision.reason


# Escalating


def test_each_higher_severity_escalates_once() -> None:
    assert story((CASCADE, 1_000), (CASCADE, 2_000), (CASCADE, 3_000), (CASCADE, 8_000)) == ["opened", "escalated", "updated", "escalated"]


def test_extreme_then_low_then_high_sends_nothing_new() -> None:
    assert story((CASCADE, 8_000), (CASCADE, 1_000), (CASCADE, 4_000)) == ["opened", "updated", "updated"]


def test_beyond_extreme_each_doubling_escalates() -> None:
    assert story((CASCADE, 8_000), (CASCADE, 15_999), (CASCADE, 16_000), (CASCADE, 20_000), (CASCADE, 64_000)) == [
        "opened", "updated", "escalated", "updated", "escalated",
    ]  # fmt: skip


def test_severity_is_the_highest_the_incident_has_had() -> None:
    after = apply(make_incident(step=3), 1_000, 1_000).incident
    assert after is not None
    assert after.severity is Severity.HIGH


def test_the_peak_is_the_largest_signal() -> None:
    larger = apply(opened(2_000), 3_000, 1_000).incident
    smaller = apply(larger, 1_500, 2_000).incident
    assert larger is not None
    assert smaller is not None
    assert larger.peak.value == smaller.peak.value == 3_000


def test_an_unconfirmed_escalation_says_so_until_a_confirmed_signal_follows() -> None:
    two = make_rule(min_venues=2)
    alone = decide(None, make_signal(4_000), two)
    assert alone.incident is not None
    assert (alone.incident.severity, alone.incident.unconfirmed, "unconfirmed" in alone.reason) == (Severity.MODERATE, True, True)
    together = decide(alone.incident, make_signal(4_000, 1_000, venues={Venue.BYBIT: Decimal(3_000), Venue.OKX: Decimal(1_000)}), two)
    assert together.incident is not None
    assert (together.outcome, together.incident.unconfirmed) == (Outcome.ESCALATED, False)


def test_one_confirming_signal_is_enough_for_an_incident_at_its_severity() -> None:
    two, said = make_rule(min_venues=2), list[bool]()
    state: Incident | None = None
    both = {Venue.BINANCE: 600, Venue.BYBIT: 600}
    for second, venues in enumerate(({Venue.BYBIT: 1_200}, {Venue.BYBIT: 1_200}, both, {Venue.BYBIT: 1_200})):
        state = decide(state, make_signal(1_200, second * 1_000, venues=venues), two).incident
        assert state is not None
        said.append(state.unconfirmed)
    assert said == [True, True, False, False]


# Becoming a cascade


def test_a_cascade_in_a_liquidation_incident_changes_its_kind_once() -> None:
    assert story((LIQUIDATION, 4_000), (CASCADE, 1_000), (CASCADE, 1_100)) == ["opened", "became_cascade", "updated"]


def test_a_cascade_with_a_higher_severity_escalates_and_changes_the_kind() -> None:
    decision = apply(opened(1_000, LIQUIDATION), 2_000, 1_000)
    assert decision.incident is not None
    assert (decision.outcome, decision.incident.kind) == (Outcome.ESCALATED, CASCADE)


def test_a_cascade_incident_stays_one() -> None:
    decision = apply(opened(1_000, CASCADE), 8_000, 1_000, LIQUIDATION)
    assert decision.incident is not None
    assert (decision.outcome, decision.incident.kind) == (Outcome.ESCALATED, CASCADE)


def test_a_cascade_below_low_does_not_change_the_kind() -> None:
    decision = apply(opened(1_000, LIQUIDATION), 999, 1_000)
    assert decision.incident is not None
    assert decision.incident.kind is LIQUIDATION


# Closing


def test_it_closes_at_exactly_last_seen_and_the_cooldown() -> None:
    assert opened(cooldown_s=60).closes_at_ms == NOW_MS + 60_000


def test_each_signal_of_low_or_more_moves_the_end() -> None:
    after = apply(opened(8_000), 1_000, 10_000).incident
    assert after is not None
    assert after.closes_at_ms == NOW_MS + 10_000 + FIVE_MINUTES_MS


@pytest.mark.parametrize(("after_ms", "outcome"), [(FIVE_MINUTES_MS - 1, Outcome.UPDATED), (FIVE_MINUTES_MS, Outcome.OPENED), (900_000, Outcome.OPENED)])
def test_a_signal_at_that_instant_or_after_opens_a_new_one(after_ms: int, outcome: Outcome) -> None:
    before = opened()
    decision = apply(before, 1_000, after_ms)
    assert decision.outcome is outcome
    assert decision.closed == (before if outcome is Outcome.OPENED else None)


def test_a_signal_below_low_after_the_end_closes_and_opens_nothing() -> None:
    before = opened()
    decision = apply(before, 999, FIVE_MINUTES_MS)
    assert (decision.closed, decision.incident) == (before, None)


def test_the_rule_of_the_last_decision_counts() -> None:
    after = apply(opened(cooldown_s=300), 1_000, 1_000, cooldown_s=10).incident
    assert after is not None
    assert after.closes_at_ms == NOW_MS + 11_000


# Order


def test_an_older_signal_found_after_a_newer_changes_nothing() -> None:
    before = apply(opened(1_000), 1_000, 10_000).incident
    decision = apply(before, 50_000, 9_999)
    assert (decision.outcome, decision.incident, decision.tells) == (Outcome.OUT_OF_ORDER, before, False)


def test_an_older_signal_than_a_below_low_one_changes_nothing_either() -> None:
    before = apply(opened(1_000), 999, 10_000).incident
    assert apply(before, 50_000, 9_999).outcome is Outcome.OUT_OF_ORDER


def test_signals_of_one_frame_all_count() -> None:
    assert apply(opened(1_000, LIQUIDATION), 1_000, 0).outcome is Outcome.BECAME_CASCADE


def test_an_older_signal_than_the_last_of_a_closed_incident_opens_nothing() -> None:
    over = make_incident(after_ms=10_000, over=True)
    assert apply(over, 50_000, 9_999).outcome is Outcome.OUT_OF_ORDER
    assert apply(over, 50_000, 10_000 + FIVE_MINUTES_MS).outcome is Outcome.OPENED
