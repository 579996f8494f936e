"""What does an alert say?"""

from decimal import Decimal
from html.parser import HTMLParser

import pytest

from alerts.rules.incident import Tally
from alerts.rules.text import MAX_TEXT, alert_text
from monitors.market import Direction, Kind, Signal, Venue
from tests.builders import NOW_MS, make_incident, make_signal

HUGE = Decimal("123456789012.34")


class Plain(HTMLParser):
    """Collects what a reader of the HTML sees."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def handle_data(self, data: str) -> None:
        self.text += data


def shown(html: str) -> str:
    """The HTML without its tags."""
    parser = Plain()
    parser.feed(html)
    parser.close()
    return parser.text


@pytest.mark.parametrize("asset", ["<b>X", "A&B", "</b><script>", "&lt;"])
def test_an_assets_name_is_escaped(asset: str) -> None:
    text = alert_text(make_incident(peak=make_signal(asset=asset)))
    assert asset in shown(text.html)
    assert "<script>" not in text.html


def test_what_telegram_shows_begins_as_the_terminal_does() -> None:
    text = alert_text(make_incident(step=4, peak=make_signal(HUGE)))
    assert shown(text.html).splitlines()[0] == text.plain.splitlines()[0]


def test_the_dollars_are_never_more_than_was_measured() -> None:
    text = alert_text(make_incident(peak=make_signal("5299999.99", venues={Venue.BYBIT: Decimal("3199999.99"), Venue.OKX: Decimal(2_100_000)})))
    assert "$5.2M" in text.plain
    assert "$5.3M" not in text.plain
    assert "$3.1M" in text.plain
    assert "$3.2M" not in text.plain


@pytest.mark.parametrize(("venues", "bound"), [({Venue.BYBIT: HUGE}, False), ({Venue.BYBIT: HUGE, Venue.OKX: HUGE}, True), ({Venue.BINANCE: HUGE}, True)])
def test_at_least_is_said_where_a_venue_sends_only_samples(venues: dict[Venue, Decimal], bound: bool) -> None:
    text = alert_text(make_incident(peak=make_signal(HUGE, venues=venues))).plain
    assert ("≥" in text or "At least" in text) is bound


def test_an_unconfirmed_alert_says_so_and_one_listed_on_one_venue_only_does_not() -> None:
    assert "unconfirmed" in alert_text(make_incident(unconfirmed=True)).plain
    alone = alert_text(make_incident(peak=make_signal(listed_on=1))).plain
    assert "unconfirmed" not in alone
    assert "one venue only" in alone


def test_an_alert_below_low_is_called_your_threshold() -> None:
    assert "your threshold" in alert_text(make_incident(step=0)).plain


def test_a_late_message_states_its_age() -> None:
    assert "45 s" in alert_text(make_incident(), late_s=45).plain


@pytest.mark.parametrize("direction", [Direction.LONG, Direction.SHORT])
@pytest.mark.parametrize("kind", [Kind.LIQUIDATION, Kind.CASCADE])
def test_it_says_who_was_liquidated_and_foretells_nothing(kind: Kind, direction: Direction) -> None:
    text = alert_text(make_incident(kind=kind, peak=make_signal(kind=kind, direction=direction))).plain
    assert f"{direction.lower()}" in text.lower()
    assert "liquidated" in text
    assert not any(word in text.lower() for word in ("imminent", "soon", "buy", "sell", "expect"))


@pytest.mark.parametrize("over", [False, True])
def test_it_stays_far_under_telegrams_limit(over: bool) -> None:
    peak = make_signal(HUGE, asset="A" * 32, venues=dict.fromkeys(Venue, HUGE), count=10**6, price=Decimal("0.000000012345"))
    assert len(alert_text(make_incident(step=12, peak=peak, unconfirmed=True, over=over), late_s=86_400).html) < MAX_TEXT / 2


MARK = {"mark_price": "62310.4", "mark_change_percent": "-1.38"}


def test_the_lock_screens_line_carries_severity_asset_dollars_price_and_change() -> None:
    peak = make_signal(5_240_000, venues={Venue.BINANCE: 3_144_000, Venue.BYBIT: 2_096_000}, details=MARK)
    assert alert_text(make_incident(step=3, peak=peak)).headline == "HIGH BTC longs liquidated ≥ $5.2M in 30 s, −1.4 % at 62,310"


def test_the_window_gives_way_where_it_does_not_fit_into_60_characters() -> None:
    peak = make_signal(850_000, asset="DOGE", direction=Direction.SHORT, details={"mark_price": "0.178432", "mark_change_percent": "0.42"})
    assert alert_text(make_incident(step=2, peak=peak)).headline == "MODERATE DOGE shorts liquidated $850k, +0.4 % at 0.17843"


@pytest.mark.parametrize("step", range(1, 5))
@pytest.mark.parametrize("asset", ["BTC", "DOGE", "1INCH", "PEPE"])
def test_severity_dollars_price_and_change_stay_within_60_characters(step: int, asset: str) -> None:
    peak = make_signal(12_900_000, asset=asset, venues={Venue.OKX: 12_900_000}, details=MARK)
    assert len(alert_text(make_incident(step=step, peak=peak)).headline) <= 60


def test_the_price_of_a_liquidation_is_never_shown() -> None:
    assert "54,321" not in alert_text(make_incident(peak=make_signal(price=Decimal(54_321)))).plain


def test_venues_stand_there_with_their_shares_and_events_with_the_running_total() -> None:
    peak = make_signal(5_000_000, venues={Venue.BINANCE: 3_000_000, Venue.BYBIT: 2_000_000}, count=23, details={"chart": "BYBIT:BTCUSDT.P"})
    incident = make_incident(step=3, peak=peak, last_seen_ms=NOW_MS + 130_000, tally=Tally(Decimal(7_400_000), 84))
    assert alert_text(incident).plain.splitlines()[1:] == [
        "Longs liquidated ▼ 23 events in 30 s",
        "Incident so far: ≥ $7.4M in 84 events, 2 min 10 s",
        "Binance ≥ $3M (60 %), Bybit $2M (40 %)",
        "2 of 3 venues",
        "Since 2026-07-11 12:00:00 UTC",
        "Chart: https://www.tradingview.com/chart/?symbol=BYBIT%3ABTCUSDT.P",
    ]


@pytest.mark.parametrize(("count", "so_far"), [(1, "$300k in 1 event, 0 s"), (23, "$300k in 23 events, 0 s")])
def test_the_first_message_has_the_running_total_and_the_duration_too(count: int, so_far: str) -> None:
    peak = make_signal(300_000, count=count)
    assert f"Incident so far: {so_far}" in alert_text(make_incident(peak=peak, tally=Tally.of(peak))).plain.splitlines()


def test_the_chart_is_a_link_in_telegram() -> None:
    text = alert_text(make_incident(peak=make_signal(details={"chart": "BYBIT:BTCUSDT.P"})))
    assert '<a href="https://www.tradingview.com/chart/?symbol=BYBIT%3ABTCUSDT.P">Chart</a>' in text.html


def test_the_running_total_grows_by_what_was_counted_between_two_signals() -> None:
    def counted(value: int, usd: int, events: int, since_ms: int = 5) -> Signal:
        return make_signal(value, count=6, details={"seen_since_ms": str(since_ms), "seen_usd": str(usd), "seen_events": str(events)})

    tally = Tally.of(counted(1_000, 9_000, 90)).plus(counted(1_200, 9_700, 97))
    assert (tally.usd, tally.events) == (Decimal(1_700), 13)
    restarted = tally.plus(counted(1_500, 100, 3, since_ms=99))
    assert (restarted.usd, restarted.events) == (Decimal(1_700), 13)
    assert restarted.plus(counted(1_100, 150, 5, since_ms=99)).usd == 1_750
