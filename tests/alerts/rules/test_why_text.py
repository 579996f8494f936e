"""The exact numbers behind a judgement."""

from collections.abc import Mapping

from alerts.rules import why_text
from alerts.rules.severity import grade
from monitors.detectors.own_history import OwnLadder
from monitors.market import Direction, Kind, Signal, Venue
from monitors.thresholds import Rule
from tests.builders import make_rule, make_signal
from tests.monitors.detectors.series import OI_RULE, VOLUME_RULE, candle, everywhere, flat_then, oi_signals, only, sample, usual_week, volume

BYBIT, OKX = Venue.BYBIT, Venue.OKX


def cascade(venues: Mapping[Venue, str]) -> Signal:
    return make_signal("5237.418", venues=venues)


def oi(coins: float = 940, low: float = 99, days: float = 3) -> Signal:
    """Open interest of 1,000 coins at $100 on each venue went to `coins`."""
    ladder = OwnLadder(days, low, 99, 99, 0.4)
    return only(oi_signals(everywhere(lambda venue: [*flat_then(coins, venue=venue)[:-1], sample(coins, 0, 100, venue)]), ladder=ladder))


def judged(signal: Signal, rule: Rule) -> list[str]:
    return why_text.judged(signal, rule, grade(signal, rule).step)


def test_dollars_are_told_to_the_cent_and_bounded_where_a_venue_sends_samples() -> None:
    assert why_text.measured(cascade({BYBIT: "5237.418"})) == ["Longs liquidated: $5,237.42, 7 events in 30 s"]
    sampled = cascade({BYBIT: "4000", OKX: "1237.418"})
    assert why_text.measured(sampled) == ["Longs liquidated: ≥ $5,237.42, 7 events in 30 s"]
    assert why_text.venues(sampled) == ["Bybit: $4,000.00 (76.4 %)", "OKX: ≥ $1,237.42 (23.6 %)"]
    single = make_signal(1_500, kind=Kind.LIQUIDATION, direction=Direction.SHORT)
    assert why_text.measured(single) == ["Shorts liquidated: $1,500.00, one order"]


def test_open_interest_is_told_in_coins_dollars_and_its_price() -> None:
    fall = oi()
    assert why_text.measured(fall) == [
        "Open interest: −6.0000 % in 15 min",
        "3,000 to 2,820 X",
        "$300,000.00 to $282,000.00: positions −$18,000.00, price $0.00",
        "Price 0.0000 %, usually 0.4000 %",
    ]
    assert why_text.venues(fall) == ["Binance: −6.0000 %", "Bybit: −6.0000 %", "OKX: −6.0000 %"]


def test_volume_is_told_with_its_baseline_and_its_z_score() -> None:
    week = [candle(10_000 + 500 * (each.opened_at_ms // 300_000 % 3 - 1), each.opened_at_ms, venue) for venue in Venue for each in usual_week()]
    spike = only(volume([*week, *(candle(90_000, venue=venue, move_percent=1.25) for venue in Venue)]))
    first, second = why_text.measured(spike)
    assert first == "Volume against its baseline: +800.0000 % in 5 min"
    assert second.startswith("$270,000.00, usually $30,000.00; robust z-score ") and second.endswith("price 1.2500 %")
    assert judged(spike, VOLUME_RULE)[0].startswith("System's rule for volume of any other asset: LOW ")


def test_the_rule_is_told_with_its_rungs_and_the_one_that_is_reached() -> None:
    assert judged(make_signal(4_100), make_rule()) == [
        "System's rule for cascades of any other asset: LOW $1,000, MODERATE $2,000, HIGH $4,000, EXTREME $8,000",
        "By the rule: HIGH is reached",
    ]
    assert judged(make_signal(600), make_rule(asset="BTC"))[1] == "By the rule: LOW is not reached"
    assert judged(make_signal(16_000), make_rule())[1] == "By the rule: EXTREME is reached, doubled 1 time"
    assert judged(make_signal(33_000), make_rule())[1] == "By the rule: EXTREME is reached, doubled 2 times"


def test_the_own_history_is_named_where_it_decided() -> None:
    assert judged(oi(coins=1009, low=0.6, days=20), OI_RULE) == [
        "System's rule for open interest of any other asset: LOW 1 %, MODERATE 2 %, HIGH 4 %, EXTREME 8 %",
        "By the rule: LOW is not reached",
        "By the asset's own history of 20 days: LOW is reached, and that decided",
    ]


def test_a_rule_that_was_changed_since_is_said_so() -> None:
    assert why_text.judged(make_signal(4_100), make_rule(), 2)[-1] == "It was judged MODERATE by the rule of that moment, which has been changed since"


def test_who_confirms_is_counted_and_what_counts_is_said() -> None:
    two = make_signal(1_000, venues={BYBIT: "950", OKX: "50"})
    assert why_text.confirmation(two, make_rule(), unconfirmed=False) == ("1 of 3 live venues that list it confirm (at least 10 % of the dollars); 1 asked for")
    assert why_text.confirmation(two, make_rule(min_venues=2), unconfirmed=True) == (
        "1 of 3 live venues that list it confirm (at least 10 % of the dollars); 2 asked for: unconfirmed, one step lower"
    )
    alone = make_signal(1_000, listed_on=1, details={"missing": "okx"})
    assert why_text.confirmation(alone, make_rule(min_venues=2), unconfirmed=False) == (
        "1 of 1 live venues that list it confirm (at least 10 % of the dollars); 1 asked for; OKX missing"
    )
