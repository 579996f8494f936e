"""The rule of one subscriber, in values."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from monitors.market import Direction, Kind, Signal
from monitors.thresholds import Severity
from subscribers.models import OFF
from subscribers.preferences import Choice, Preferences, Verdict, verdict

NOW = datetime(2026, 11, 22, tzinfo=UTC)
CASCADE = Signal(Kind.CASCADE, "BTC", Direction.LONG, Decimal(1_000_000), 9, {}, 30, 0, 0)


def of(choices: dict[str, Choice], severity: Severity, signal: Signal = CASCADE) -> Verdict:
    """The verdict of somebody with these choices by asset, all for cascades."""
    return verdict(Preferences({(Kind.CASCADE, asset): choice for asset, choice in choices.items()}), signal, severity, NOW)


@pytest.mark.parametrize(
    ("severity", "expected"), [(Severity.MODERATE, Verdict.BELOW_LOWEST), (Severity.HIGH, Verdict.WANTED), (Severity.EXTREME, Verdict.WANTED)]
)
def test_a_severity_counts_from_the_lowest_one_on(severity: Severity, expected: Verdict) -> None:
    assert of({"BTC": Choice(Severity.HIGH)}, severity) is expected


def test_the_assets_own_choice_beats_the_one_for_any_asset() -> None:
    assert of({"BTC": Choice(Severity.EXTREME), "": Choice(Severity.LOW)}, Severity.HIGH) is Verdict.BELOW_LOWEST
    assert of({"BTC": Choice(Severity.LOW), "": Choice(OFF)}, Severity.HIGH) is Verdict.WANTED


def test_the_choice_for_any_asset_holds_where_there_is_no_own_one() -> None:
    assert of({"ETH": Choice(Severity.EXTREME), "": Choice(Severity.LOW)}, Severity.LOW) is Verdict.WANTED


def test_another_kind_is_not_chosen() -> None:
    assert of({"BTC": Choice(Severity.LOW)}, Severity.EXTREME, replace(CASCADE, kind=Kind.LIQUIDATION)) is Verdict.NOT_CHOSEN


@pytest.mark.parametrize(("threshold", "expected"), [(1_000_000, Verdict.WANTED), (1_000_001, Verdict.BELOW_CUSTOM)])
def test_a_custom_threshold_replaces_the_lowest_severity(threshold: int, expected: Verdict) -> None:
    for severity in Severity:
        assert of({"BTC": Choice(OFF, Decimal(threshold))}, severity) is expected


def test_the_custom_threshold_for_any_asset_holds_where_the_asset_has_none_of_its_own() -> None:
    assert of({"BTC": Choice(Severity.LOW), "": Choice(Severity.LOW, Decimal(2_000_000))}, Severity.EXTREME) is Verdict.BELOW_CUSTOM
    assert of({"BTC": Choice(Severity.LOW, Decimal(500_000)), "": Choice(Severity.LOW, Decimal(2_000_000))}, Severity.LOW) is Verdict.WANTED


def test_below_low_is_for_custom_thresholds_only() -> None:
    assert of({"BTC": Choice(Severity.BELOW_LOW)}, Severity.BELOW_LOW) is Verdict.BELOW_LOWEST


def test_who_left_wants_nothing() -> None:
    assert verdict(Preferences({(Kind.CASCADE, "BTC"): Choice(Severity.LOW)}, active=False), CASCADE, Severity.EXTREME, NOW) is Verdict.INACTIVE
