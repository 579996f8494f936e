"""What does an alert say?"""

from decimal import Decimal
from html.parser import HTMLParser

import pytest

from alerts.rules.text import MAX_TEXT, alert_text
from monitors.market import Direction, Kind, Venue
from tests.builders import make_incident, make_signal

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
    assert "$5.29M" in text.plain
    assert "$5.3M" not in text.plain
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


@pytest.mark.parametrize("closed", [False, True])
def test_it_stays_far_under_telegrams_limit(closed: bool) -> None:
    peak = make_signal(HUGE, asset="A" * 32, venues=dict.fromkeys(Venue, HUGE), count=10**6, price=Decimal("0.000000012345"))
    assert len(alert_text(make_incident(step=12, peak=peak, unconfirmed=True), closed=closed, late_s=86_400).html) < MAX_TEXT / 2
