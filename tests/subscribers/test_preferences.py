"""The rule of one subscriber, in values."""

import json
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest

from monitors.market import Direction, Kind, Signal
from monitors.thresholds import Severity
from subscribers import snapshots
from subscribers.preferences import HOURLY_CAP, OFF, Choice, Preferences, QuietHours, Verdict, verdict

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


def test_an_asset_that_is_switched_off_stays_off_whatever_the_custom_threshold_for_any_asset() -> None:
    assert of({"BTC": Choice(OFF), "": Choice(Severity.LOW, Decimal(500_000))}, Severity.EXTREME) is Verdict.SWITCHED_OFF
    assert of({"": Choice(OFF)}, Severity.EXTREME) is Verdict.SWITCHED_OFF


def test_a_direction_of_the_row_that_counts() -> None:
    assert of({"BTC": Choice(Severity.LOW, direction="SHORT"), "": Choice(Severity.LOW)}, Severity.EXTREME) is Verdict.OTHER_DIRECTION
    assert of({"BTC": Choice(Severity.LOW), "": Choice(Severity.LOW, direction="SHORT")}, Severity.EXTREME) is Verdict.WANTED
    assert of({"": Choice(Severity.LOW, direction="LONG")}, Severity.EXTREME) is Verdict.WANTED


def test_a_direction_plays_no_part_where_the_signal_has_none() -> None:
    spike = replace(CASCADE, kind=Kind.VOLUME, direction=Direction.NONE)
    assert verdict(Preferences({(Kind.VOLUME, ""): Choice(Severity.LOW, direction="UP")}), spike, Severity.LOW, NOW) is Verdict.WANTED


def test_who_wants_confirmed_alerts_only_does_not_want_an_unconfirmed_one() -> None:
    careful = Preferences({(Kind.CASCADE, ""): Choice(Severity.LOW)}, confirmed_only=True)
    assert verdict(careful, CASCADE, Severity.HIGH, NOW, unconfirmed=True) is Verdict.UNCONFIRMED
    assert verdict(careful, CASCADE, Severity.HIGH, NOW) is Verdict.WANTED


# What is wanted, but later

WANTS_ALL = Preferences({(Kind.CASCADE, ""): Choice(Severity.LOW)})
NIGHT = QuietHours(time(23), time(7), Severity.HIGH)


@pytest.mark.parametrize(("kind", "asset"), [("", ""), ("cascade", ""), ("", "BTC"), ("cascade", "BTC")])
def test_a_mute_holds_until_it_is_over_and_lets_nothing_through(kind: str, asset: str) -> None:
    muted = replace(WANTS_ALL, mutes={(kind, asset): NOW + timedelta(hours=1)})
    verdicts = [verdict(muted, CASCADE, Severity.EXTREME, NOW + timedelta(minutes=minutes)) for minutes in (0, 59, 60)]
    assert verdicts == [Verdict.MUTED, Verdict.MUTED, Verdict.WANTED]


def test_a_mute_of_something_else_holds_nothing() -> None:
    muted = replace(WANTS_ALL, mutes={("liquidation", ""): NOW + timedelta(hours=1), ("", "ETH"): NOW + timedelta(hours=1)})
    assert verdict(muted, CASCADE, Severity.LOW, NOW) is Verdict.WANTED


def test_quiet_hours_hold_what_is_below_their_exception() -> None:
    at_midnight = [verdict(replace(WANTS_ALL, quiet=NIGHT), CASCADE, severity, NOW) for severity in (Severity.MODERATE, Severity.HIGH)]
    assert at_midnight == [Verdict.QUIET_HOURS, Verdict.WANTED]
    assert verdict(replace(WANTS_ALL, quiet=NIGHT, time_zone="UTC+08:00"), CASCADE, Severity.LOW, NOW) is Verdict.WANTED
    assert verdict(replace(WANTS_ALL, quiet=replace(NIGHT, lets_through=OFF)), CASCADE, Severity.EXTREME, NOW) is Verdict.QUIET_HOURS


@pytest.mark.parametrize("severity", Severity)
def test_the_hourly_cap_counts_what_was_created(severity: Severity) -> None:
    cap = HOURLY_CAP.get(severity, 10**6)
    wants_below_low = Preferences({(Kind.CASCADE, ""): Choice(Severity.LOW, Decimal(1))})
    verdicts = [verdict(wants_below_low, CASCADE, severity, NOW, last_hour=count) for count in (cap - 1, cap)]
    assert verdicts == [Verdict.WANTED, Verdict.WANTED if severity is Severity.EXTREME else Verdict.OVER_THE_CAP]
    assert verdict(replace(wants_below_low, capped=False), CASCADE, severity, NOW, last_hour=cap) is Verdict.WANTED


def test_what_is_not_wanted_is_not_held() -> None:
    muted = Preferences(mutes={("", ""): NOW + timedelta(hours=1)})
    assert verdict(muted, CASCADE, Severity.HIGH, NOW) is Verdict.NOT_CHOSEN
    assert [reason for reason in Verdict if reason.holds] == [Verdict.MUTED, Verdict.QUIET_HOURS, Verdict.OVER_THE_CAP]


# What is kept of it


@pytest.mark.parametrize(
    "preferences",
    [
        Preferences(),
        Preferences(
            {(Kind.CASCADE, "BTC"): Choice(OFF, Decimal("2000000.50"), "LONG"), (Kind.OPEN_INTEREST, ""): Choice(Severity.HIGH)},
            active=False, confirmed_only=True, capped=False, time_zone="Europe/Zurich", quiet=NIGHT, mutes={("", "BTC"): NOW},
        ),
    ],
)  # fmt: skip
def test_preferences_survive_being_kept(preferences: Preferences) -> None:
    kept = json.loads(json.dumps(snapshots.as_json(preferences)))
    assert snapshots.of_json(kept) == preferences
    assert snapshots.as_json(snapshots.of_json(kept)) == kept


def test_below_low_is_for_custom_thresholds_only() -> None:
    assert of({"BTC": Choice(Severity.BELOW_LOW)}, Severity.BELOW_LOW) is Verdict.BELOW_LOWEST


def test_who_left_wants_nothing() -> None:
    assert verdict(Preferences({(Kind.CASCADE, "BTC"): Choice(Severity.LOW)}, active=False), CASCADE, Severity.EXTREME, NOW) is Verdict.INACTIVE
