"""Which incidents belong to one move of the market, and how does its message read?"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts.rules.incident import Incident
from alerts.rules.market_move import are_together, continues, stands_alone
from alerts.rules.text import LOCK_SCREEN, MAX_TEXT
from alerts.rules.wide_text import wide_text
from monitors.market import Direction, Kind, Venue, family_of
from monitors.thresholds import Severity
from tests.builders import make_incident, make_signal

THEN = datetime(2026, 7, 11, 12, tzinfo=UTC)


def of(
    asset: str, value: float, step: int = 1, kind: Kind = Kind.CASCADE, direction: Direction = Direction.LONG, over: bool = False, **fields: Any
) -> Incident:
    """An incident of one asset."""
    return make_incident(step, kind=kind, over=over, peak=make_signal(value, asset=asset, kind=kind, direction=direction, **fields))


def after(seconds: float) -> datetime:
    return THEN + timedelta(seconds=seconds)


def test_liquidations_and_cascades_are_one_family() -> None:
    assert family_of(Kind.LIQUIDATION) == family_of(Kind.CASCADE) != family_of(Kind.VOLUME) != family_of(Kind.OPEN_INTEREST)


@pytest.mark.parametrize(
    ("asset", "severity", "alone"),
    [
        ("BTC", Severity.LOW, True), ("ETH", Severity.HIGH, True), ("SOL", Severity.EXTREME, True), ("SOL", Severity.BELOW_LOW, True),
        ("SOL", Severity.LOW, False), ("SOL", Severity.HIGH, False),
    ],
)  # fmt: skip
def test_btc_eth_and_extreme_stand_alone(asset: str, severity: Severity, alone: bool) -> None:
    assert stands_alone(asset, severity) is alone


def test_two_minutes_are_together_in_either_order() -> None:
    assert are_together(THEN, after(120)) and are_together(after(120), THEN)
    assert not are_together(THEN, after(120.001))


def test_a_move_goes_on_for_two_minutes_after_its_newest_and_ten_in_all() -> None:
    assert continues(THEN, after(300), after(420))
    assert not continues(THEN, after(300), after(420.001))
    assert continues(THEN, after(500), after(599))
    assert not continues(THEN, after(500), after(600))


def test_one_line_an_asset_the_largest_first_each_with_severity_value_and_confirmation() -> None:
    both = {Venue.BYBIT: 1_000_000, Venue.OKX: 800_000}
    text = wide_text([of("XRP", 600_000), of("SOL", 1_800_000, 2, venues=both), of("DOGE", 700_000, kind=Kind.LIQUIDATION), of("ADA", 500_000, over=True)])
    headline, *lines = text.plain.splitlines()
    assert headline.startswith("MODERATE market-wide: 4 assets, longs liquidated") and headline.endswith("≥ $3.6M")
    assert lines[:4] == [
        "🟠 MODERATE SOL ≥ $1.8M in a cascade, 2 of 3 venues",
        "🟡 LOW DOGE $700k, 1 of 3 venues",
        "🟡 LOW XRP $600k in a cascade, 1 of 3 venues",
        "🟡 LOW ADA $500k in a cascade, 1 of 3 venues, over",
    ]
    assert len(headline) <= LOCK_SCREEN


def test_after_twenty_lines_it_says_how_many_more_there_are() -> None:
    lines = wide_text(of(f"A{number}", 1_000 + number) for number in range(300)).plain.splitlines()
    assert (len(lines), lines[21]) == (23, "and 280 more")
    assert len("\n".join(lines)) < MAX_TEXT


def test_volume_and_open_interest_are_told_in_their_own_words() -> None:
    volume = wide_text([of("SOL", 800, kind=Kind.VOLUME, direction=Direction.NONE), of("XRP", 650, kind=Kind.VOLUME, direction=Direction.NONE)])
    assert volume.headline == "LOW market-wide: 2 assets, volume spikes"
    assert volume.lines[0].startswith("🟡 LOW SOL volume 9x usual (+800 %)")
    falling = wide_text([of(asset, 3, kind=Kind.OPEN_INTEREST, direction=Direction.DOWN) for asset in ("SOL", "XRP")])
    assert falling.headline == "LOW market-wide: 2 assets, open interest down ▼"
    assert "open interest −3.00 %" in falling.lines[0]


def test_a_late_message_states_its_age_and_unconfirmed_ones_say_so() -> None:
    text = wide_text([of("SOL", 900), make_incident(1, peak=make_signal(800, asset="XRP"), unconfirmed=True)], late_s=44)
    assert "This message comes 44 s after the detection" in text.plain
    assert "1 of 3 venues (unconfirmed)" in text.plain
