"""What does an alert of open interest or volume say? Each part of its lines."""

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from alerts.rules.incident import Incident
from alerts.rules.severity import grade
from alerts.rules.text import LOCK_SCREEN, alert_text
from monitors.detectors.own_history import OwnLadder
from monitors.detectors.scan_signals import Coverage
from monitors.market import Signal, Venue
from monitors.thresholds import Rule
from tests.builders import make_incident
from tests.monitors.detectors.series import (
    OI_RULE,
    UNKNOWN,
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


def incident(signal: Signal, rule: Rule) -> Incident:
    graded = grade(signal, rule)
    return make_incident(graded.step, kind=signal.kind, peak=signal, rule=rule, unconfirmed=graded.unconfirmed)


def lines(signal: Signal, rule: Rule = OI_RULE) -> list[str]:
    return alert_text(incident(signal, rule)).plain.splitlines()


def oi_text(coins: float = 1050, mark: float = 100, usual_price_move: float = 0.4, **scanned: Any) -> list[str]:
    """Open interest of 1,000 coins at $100 on each venue went to `coins` at `mark`."""
    series = everywhere(lambda venue: [*flat_then(coins, venue=venue)[:-1], sample(coins, 0, mark, venue)])
    ladder = OwnLadder(20, 0.6, 0.8, 99, usual_price_move)
    return lines(only(oi_signals(series, ladder=scanned.pop("ladder", ladder), **scanned)))


def volume_text(usd: float = 90_000, **scanned: Any) -> list[str]:
    week = [candle(10_000 + 500 * (each.opened_at_ms // 300_000 % 3 - 1), each.opened_at_ms, venue) for venue in Venue for each in usual_week()]
    return lines(only(volume([*week, *(candle(usd, venue=venue, move_percent=1.25) for venue in Venue)], **scanned)), VOLUME_RULE)


# Open interest


@pytest.mark.parametrize(
    ("funding", "line"),
    [
        ("binance=0.00012 bybit=-0.0001/8", "Funding: Binance +0.012 %, Bybit −0.01 %/8 h"),
        ("bybit=0/4", "Funding: Bybit 0 %/4 h"),
        ("binance=0.00000001", "Funding: Binance 0 %"),
        ("binance=0.0123456", "Funding: Binance +1.2346 %"),
    ],
)
def test_funding_is_told_with_its_venue_and_how_often_where_that_is_known(funding: str, line: str) -> None:
    signal = only(oi_signals(everywhere(lambda venue: flat_then(1050, venue=venue))))
    assert line in lines(replace(signal, details={**signal.details, "funding": funding}))
    assert not any("Funding" in each for each in lines(signal))


def test_the_headline_tells_a_locked_phone_what_happened() -> None:
    assert oi_text()[0] == "HIGH X open interest +5.00 %"
    assert volume_text()[0] == "LOW X volume 9x usual (+800 %)"
    assert max(len(oi_text()[0]), len(volume_text(900_000)[0])) <= LOCK_SCREEN


def test_the_change_stands_there_in_percent_and_coins() -> None:
    assert oi_text()[1] == "+5.00 %, +150 X in 15 min: 3k to 3.15k"
    assert oi_text(950)[1] == "−5.00 %, −150 X in 15 min: 3k to 2.85k"


def test_dollars_from_and_to_with_the_prices_part_split_off() -> None:
    assert oi_text(mark=102)[2] == "$300k to $321.3k: positions +$15.3k, price +$6k"
    assert oi_text(950, mark=98)[2] == "$300k to $279.3k: positions −$14.7k, price −$6k"


def test_half_a_percent_is_seen_in_what_there_was_before_and_after() -> None:
    """Of 540,000 coins at $60,000: $32.4B to $32.58B, and not the same number twice."""
    series = everywhere(lambda venue: [sample(coins, minute, 60_000, venue) for minute, coins in ((-16, 180_000), (-15, 180_000), (0, 181_000))])
    rule = replace(OI_RULE, low=Decimal("0.5"))
    told = lines(only(oi_signals(series, rule=rule)), rule)
    assert told[1:3] == ["+0.56 %, +3k X in 15 min: 540k to 543k", "$32.4B to $32.58B: positions +$180M, price +$0"]


@pytest.mark.parametrize(
    ("mark", "words"), [(100.09, "flat (+0.09 %)"), (99.91, "flat (−0.09 %)"), (100.1, "up (+0.10 %)"), (99.9, "down (−0.10 %)"), (103, "up (+3.00 %)")]
)
def test_open_interest_and_price_direction_in_words(mark: float, words: str) -> None:
    """Flat is under a quarter of the usual move: 0.1 % here."""
    assert oi_text(mark=mark)[3] == f"OI up, price {words}"
    assert oi_text(950, mark=mark)[3] == f"OI down, price {words}"


@pytest.mark.parametrize(("mark", "words"), [(100, "flat (+0.00 %)"), (100.01, "up (+0.01 %)")])
def test_while_the_usual_move_is_not_known_only_what_does_not_move_is_flat(mark: float, words: str) -> None:
    assert oi_text(mark=mark, ladder=UNKNOWN)[3] == f"OI up, price {words}"


def test_each_venues_own_change_with_its_sign() -> None:
    signal = only(oi_signals(by_contract(flat_then(1100), flat_then(950, venue=BYBIT), flat_then(1090, venue=OKX))))
    assert "Binance +10.00 %, Bybit −5.00 %, OKX +9.00 %" in lines(signal)
    falling = only(oi_signals(by_contract(flat_then(900), flat_then(1010, venue=BYBIT), flat_then(910, venue=OKX))))
    assert "Binance −10.00 %, Bybit +1.00 %, OKX −9.00 %" in lines(falling)


def test_the_ladder_that_decided_is_said_when_it_is_the_assets_own() -> None:
    own = oi_text(1009, ladder=OwnLadder(20, 0.6, 0.8, 99, 0.4))
    assert own[0].startswith("MODERATE") and "Severity by its own history of 20 days" in own
    assert not [line for line in oi_text() if "history" in line]


# Volume


def test_times_usual_and_percent_are_told_together() -> None:
    assert volume_text()[1] == "9x usual (+800 %): $270k in 5 min, usually $30k"
    assert volume_text(75_000)[1].startswith("7.5x usual (+650 %)")
    assert volume_text(1_234_000)[1].startswith("123x usual (+12,240 %)")


def test_the_price_of_the_candle_with_its_sign() -> None:
    assert "Price +1.25 % in the candle" in volume_text()


def test_the_venues_behind_spike_and_baseline_are_named() -> None:
    assert "Binance 9x, Bybit 9x, OKX 9x" in volume_text()


def test_an_open_candle_says_so() -> None:
    assert volume_text(after_s=190)[1:3] == ["9x usual (+800 %): $270k so far, usually $30k in 5 min", "The candle is still open, 3:10 in"]
    assert not [line for line in volume_text() if "open" in line]


def test_a_crowd_on_one_venue_is_explained() -> None:
    crowd = [*usual_week(), *usual_week(venue=BYBIT), candle(900_000, move_percent=0), candle(60_000, venue=BYBIT, move_percent=0)]
    assert "Nearly all on one venue while the price stood still: MODERATE at most" in lines(only(volume(crowd)), VOLUME_RULE)


# Confirmation


def test_confirmation_is_a_count_of_the_live_venues() -> None:
    assert "3 of 3 venues" in oi_text()
    assert "3 of 3 venues" in volume_text()


def test_a_blind_venue_is_named_and_not_counted() -> None:
    two = by_contract(flat_then(1050), flat_then(1050, venue=BYBIT))
    assert "2 of 2 venues; OKX missing" in lines(only(oi_signals(two, coverage=Coverage((BINANCE, BYBIT), (OKX,)))))
    assert "2 of 3 venues; OKX not compared" in lines(only(oi_signals(two)))


def test_unconfirmed_is_one_step_lower_and_says_so() -> None:
    alone = only(oi_signals(by_contract(flat_then(1200), flat_then(venue=BYBIT), flat_then(venue=OKX))))
    said = lines(alone)
    assert said[0].startswith("MODERATE") and "1 of 3 venues, unconfirmed: one step lower" in said


def test_listed_on_one_venue_only_is_not_unconfirmed() -> None:
    said = lines(only(oi_signals(by_contract(flat_then(1050)), coverage=Coverage((BINANCE,)))))
    assert "Listed on one venue only" in said and not [line for line in said if "unconfirmed" in line]


@pytest.mark.parametrize("said", [oi_text(), oi_text(950), oi_text(mark=90), volume_text(), volume_text(after_s=100)])
def test_nothing_is_said_about_who_is_long_or_short_and_nothing_is_advised(said: list[str]) -> None:
    assert not re.search(r"\b(longs?|shorts?|bull\w*|bear\w*|buy\w*|sell\w*|imminent|soon|expect\w*)\b", "\n".join(said), re.IGNORECASE)
