"""Does docs/thresholds.md say what is seeded, and are levels counted as they are reached?"""

from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from alerts.rates import Rate, count_reached, measure
from alerts.replay import Event
from alerts.rules.incident import Outcome
from alerts.thresholds_page import ladder_cells, off, page
from alertsystem.env import PROJECT_DIR
from monitors import rulefile
from monitors.market import Direction, Kind, Signal, Venue
from monitors.models import ThresholdRule
from monitors.thresholds import Rulebook, Severity

PAGE = PROJECT_DIR / "docs" / "thresholds.md"


def table_of(text: str) -> dict[tuple[str, str], list[str]]:
    """The rows of the page's first table by kind and asset."""
    lines = text.partition("## The seeded ladders")[2].split("\n##")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return {(row[0].replace(" ", "_"), "" if row[1] == "any other" else row[1]): row[2:] for row in cells[2:]}


def test_the_page_shows_the_ladders_of_the_migrations() -> None:
    shown = table_of(PAGE.read_text(encoding="utf-8"))
    seeded = {(rule.kind.value, rule.asset): rule for rule in rulefile.seeded()}
    assert shown.keys() == seeded.keys()
    for key, rule in seeded.items():
        assert shown[key][:4] == list(ladder_cells(rule)), key
        guards = (rule.window_s, rule.min_events, rule.min_venues, f"{rule.min_usd:,.0f}", rule.cooldown_s)
        assert shown[key][4:] == [str(guard) for guard in guards], key


@pytest.mark.django_db
def test_a_new_database_starts_with_the_ladders_of_the_page() -> None:
    assert {row.as_rule() for row in ThresholdRule.objects.all()} == set(rulefile.seeded())


def test_the_page_says_that_extreme_is_not_fitted_and_what_one_venue_means() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert "EXTREME is not fitted" in text
    assert "nothing can be unconfirmed" in text


def event(name: str, severity: Severity, kind: Kind = Kind.LIQUIDATION) -> Event:
    signal = Signal(kind, "BTC", Direction.LONG, Decimal(1), 1, {Venue.OKX: Decimal(1)}, 30, 0, 0)
    return Event(0, kind, "BTC", "LONG", 0, name, severity, signal, "")


def test_an_alert_counts_once_at_each_level_that_it_reached() -> None:
    opened, escalated = Outcome.OPENED, Outcome.ESCALATED
    first = [event(opened, Severity.MODERATE), event(escalated, Severity.HIGH), event("closed", Severity.HIGH)]
    became = [event(Outcome.BECAME_CASCADE, Severity.LOW, Kind.CASCADE), event(escalated, Severity.MODERATE, Kind.CASCADE)]
    reached = count_reached([*first, event(opened, Severity.LOW), *became])
    assert reached == {
        (Kind.LIQUIDATION, "BTC", Severity.LOW): 2, (Kind.LIQUIDATION, "BTC", Severity.MODERATE): 1, (Kind.LIQUIDATION, "BTC", Severity.HIGH): 1,
        (Kind.CASCADE, "BTC", Severity.MODERATE): 1,
    }  # fmt: skip


@pytest.mark.parametrize(("low", "odd"), [(60, False), (59 * 2 + 1, False), (121, True), (29, True), (30, False)])
def test_a_rate_is_off_when_it_is_over_twice_or_under_half_of_what_is_meant(low: int, odd: bool) -> None:
    reached = {Severity.LOW: low, Severity.MODERATE: 20, Severity.HIGH: 3, Severity.EXTREME: 0}
    assert off(Rate(Kind.VOLUME, "BTC", 1, 20.0, (Venue.OKX,), reached)) == ([Severity.LOW] if odd else [])


def test_too_few_days_say_nothing_about_a_level() -> None:
    assert off(Rate(Kind.VOLUME, "BTC", 1, 0.9, (), dict.fromkeys(Severity, 0))) == []


def test_a_recording_is_measured_with_its_days_and_venues(recordings: Path) -> None:
    (path,) = recordings.glob("bybit_btc_2024*")
    measured = measure(path, Rulebook.of(rulefile.seeded()))
    rates = {rate.kind: rate for rate in measured.rates}
    assert rates.keys() == {Kind.LIQUIDATION, Kind.CASCADE}
    assert 19 < rates[Kind.LIQUIDATION].days < 25 and rates[Kind.LIQUIDATION].venues == (Venue.BYBIT,)
    assert rates[Kind.LIQUIDATION].reached[Severity.LOW] > rates[Kind.LIQUIDATION].reached[Severity.MODERATE] > 0
    (line,) = [line for line in page(rulefile.seeded(), [measured]).splitlines() if line.startswith("| liquidation | BTC | Bybit")]
    assert f" {rates[Kind.LIQUIDATION].a_day(Severity.LOW):.2f} " in line


def test_without_recordings_the_command_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="RECORDINGS_DIR"):
        call_command("fit_thresholds")
    with pytest.raises(CommandError, match="no recordings"):
        call_command("fit_thresholds", str(tmp_path))
