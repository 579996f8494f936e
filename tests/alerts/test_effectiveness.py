"""Does every incident get its outcomes, from real requests, with as few of them as possible, and "unknown" where something is missing?"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings
from redis import Redis

from alerts import effectiveness
from alerts.effectiveness import measure_due, outcomes_of
from alerts.models import Alert, Decision, Outcome
from monitors.lease import Held
from monitors.market import Kind, Venue, epoch_ms, from_epoch_ms
from monitors.models import CandleRow, Market, PriceCandle
from monitors.thresholds import Severity
from tests.alerts.builders import make_alert, make_signal
from tests.fakes.venues import FakeVenues
from tests.monitors.scanning import priced_venues

pytestmark = pytest.mark.django_db
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
MINUTE_MS, STEP_MS = 60_000, 300_000


@pytest.fixture
def venues(settings: Settings, valkey: "Redis") -> Iterator[FakeVenues]:
    with priced_venues(settings) as fakes:
        yield fakes


def detected(ago: timedelta, second: int = 37) -> datetime:
    """So long ago, at a second of its minute."""
    return (timezone.now() - ago).replace(second=second, microsecond=0)


def incident(at: datetime, asset: str = "BTC", severity: Severity = Severity.HIGH, mark: str = "") -> Alert:
    """A closed incident that was detected at `at`; `mark` came with its signal."""
    signal = make_signal(asset=asset, at=at)
    signal.details = {"mark_price": mark} if mark else {}
    signal.save()
    alert = make_alert(signal, severity, opened_at=at, closed_at=at + MINUTE)
    Decision.objects.create(signal=signal, alert=alert, outcome="opened", severity=severity, step=int(severity), decided_at=at)
    return alert


def set_minutes(venues: FakeVenues, start: datetime, closes: list[float], asset: str = "BTC", venue: str = "") -> None:
    """From the minute of `start` on, candles that go straight from one close to the next."""
    first_ms = epoch_ms(start) // MINUTE_MS * MINUTE_MS
    before = closes[0]
    for number, close in enumerate(closes):
        venues.set_mark_candle(asset, first_ms + number * MINUTE_MS, (before, max(before, close), min(before, close), close), venue)
        before = close


def known(alert: Alert) -> dict[int, tuple[float | None, ...]]:
    """Price, return, up and down by horizon, of what is known."""
    return {row.horizon_min: (row.price, row.change_pct, row.up_pct, row.down_pct) for row in outcomes_of(alert) if row.state == "known"}


def states(alert: Alert) -> list[str]:
    return [row.state for row in outcomes_of(alert)]


def requests(venues: FakeVenues, venue: str = "binance") -> int:
    return sum("mark-price" in request.path or "markPrice" in request.path for request in venues.requests(venue))


def test_a_worker_that_was_down_for_a_day_measures_all_horizons_with_one_request(venues: FakeVenues) -> None:
    at = detected(DAY)
    #               minutes 0..5                 ..15            ..60            ..240
    closes = [200.0, 198, 197, 199, 202, 198, *[196.0] * 10, *[210.0] * 45, *[180.0] * 180]
    set_minutes(venues, at, closes)
    alert = incident(at, mark="200")
    assert measure_due(timezone.now()) == (4, True)
    assert known(alert) == {
        5: pytest.approx((200, -1.0, 1.0, -1.5)),
        15: pytest.approx((200, -2.0, 1.0, -2.0)),
        60: pytest.approx((200, 5.0, 5.0, -2.0)),
        240: pytest.approx((200, -10.0, 5.0, -10.0)),
    }
    assert requests(venues) == 1
    assert {row.venue for row in outcomes_of(alert)} == {"binance"}
    assert all(row.usual_pct is None for row in outcomes_of(alert)), "nothing is stored of the days before"


def test_an_incident_below_low_and_one_of_another_kind_are_measured_as_well(venues: FakeVenues) -> None:
    below = incident(detected(DAY), "WIF", Severity.BELOW_LOW)
    signal = make_signal(9, "ETH", Kind.OPEN_INTEREST, detected(DAY))
    other = make_alert(signal)
    measure_due(timezone.now())
    assert states(below) == states(other) == ["known"] * 4


def test_each_horizon_is_measured_when_it_is_over(venues: FakeVenues) -> None:
    at = detected(timedelta(minutes=17))
    alert = incident(at)
    assert measure_due(at + timedelta(minutes=5, seconds=20)) == (0, True), "the minute in which it ends is still open"
    assert states(alert) == ["waiting"] * 4
    assert measure_due(at + timedelta(minutes=6, seconds=35)) == (1, True)
    assert measure_due(at + timedelta(minutes=16, seconds=35)) == (1, True)
    assert states(alert) == ["known", "known", "waiting", "waiting"]
    assert requests(venues) == 2
    assert PriceCandle.objects.count() == 16, "the second request asked for what was missing only"


def test_incidents_of_an_asset_share_their_requests(venues: FakeVenues) -> None:
    for ago in (300, 330, 500, 900):
        incident(detected(timedelta(minutes=ago)))
    incident(detected(timedelta(minutes=300)), "ETH")
    assert measure_due(timezone.now()) == (20, True)
    assert requests(venues) == 2


def test_a_gap_makes_every_horizon_over_it_unknown_and_leaves_the_shorter_ones(venues: FakeVenues) -> None:
    at = detected(DAY)
    alert = incident(at)
    venues.set_mark_candle("BTC", epoch_ms(at) // MINUTE_MS * MINUTE_MS + 9 * MINUTE_MS, None, "binance")
    measure_due(timezone.now())
    five, fifteen, hour, four_hours = outcomes_of(alert)
    assert (five.state, five.change_pct) == ("known", 0.0)
    for unknown, minutes in ((fifteen, 16), (hour, 61), (four_hours, 241)):
        assert (unknown.state, unknown.reason) == ("unknown", f"1 of {minutes} minutes have no candle at Binance")
        assert (unknown.price, unknown.change_pct, unknown.up_pct, unknown.down_pct, unknown.usual_pct) == (None,) * 5


def test_what_has_just_ended_and_is_not_there_yet_is_waited_for(venues: FakeVenues) -> None:
    at = detected(timedelta(minutes=7))
    alert = incident(at)
    last_ms = epoch_ms(at) // MINUTE_MS * MINUTE_MS + 5 * MINUTE_MS
    venues.set_mark_candle("BTC", last_ms, None)
    assert measure_due(timezone.now()) == (0, True)
    assert states(alert)[0] == "waiting"
    del venues.markets.mark_candles["BTC", "binance", last_ms]
    assert measure_due(timezone.now()) == (1, True)
    assert states(alert)[0] == "known"


@pytest.mark.parametrize(("lists_it", "venue"), [(("bybit", "okx"), "bybit"), (("okx",), "okx")])
def test_where_binance_does_not_list_it_bybit_is_asked_else_okx(venues: FakeVenues, lists_it: tuple[str, ...], venue: str) -> None:
    Market.objects.filter(asset="BTC").exclude(venue__in=lists_it).delete()
    alert = incident(detected(DAY))
    measure_due(timezone.now())
    assert {(row.state, row.venue) for row in outcomes_of(alert)} == {("known", venue)}
    assert requests(venues, venue) == (1 if venue == "bybit" else 3), "OKX gives 100 minutes a request"


def test_a_venue_that_does_not_answer_is_replaced_for_whole_incidents_only(venues: FakeVenues) -> None:
    at = detected(timedelta(minutes=70))
    old = incident(at)
    measure_due(at + timedelta(minutes=7))
    venues.refuse("binance")
    new = incident(at)
    measure_due(timezone.now())
    assert {(row.state, row.venue) for row in outcomes_of(old)[:1]} == {("known", "binance")}
    assert [row.state for row in outcomes_of(old)[1:]] == ["waiting"] * 3, "the other venue's prices are a little different"
    assert [(row.state, row.venue) for row in outcomes_of(new)[:3]] == [("known", "bybit")] * 3
    venues.accept("binance")
    measure_due(timezone.now())
    assert [(row.state, row.venue) for row in outcomes_of(old)[:3]] == [("known", "binance")] * 3


def test_a_venue_that_lost_one_contract_is_asked_for_the_others(venues: FakeVenues) -> None:
    venues.markets.listings = [listing for listing in venues.markets.listings if (listing.venue, listing.asset) != ("binance", "BTC")]
    gone, there = incident(detected(DAY)), incident(detected(DAY), "ETH")
    measure_due(timezone.now())
    assert {(row.state, row.venue) for row in outcomes_of(gone)} == {("known", "bybit")}
    assert {(row.state, row.venue) for row in outcomes_of(there)} == {("known", "binance")}


def test_when_nobody_answers_it_waits_and_after_three_days_it_is_unknown(venues: FakeVenues) -> None:
    alert = incident(detected(DAY))
    for venue in Venue:
        venues.refuse(venue)
    measure_due(timezone.now())
    assert states(alert) == ["waiting"] * 4
    measure_due(timezone.now() + 3 * DAY)
    assert states(alert) == ["unknown"] * 4
    assert all("over REST: " in row.reason and row.change_pct is None for row in outcomes_of(alert))


def test_an_asset_that_no_venue_lists_is_unknown(venues: FakeVenues) -> None:
    alert = incident(detected(DAY), "NOPE")
    measure_due(timezone.now())
    assert {(row.state, row.reason) for row in outcomes_of(alert)} == {("unknown", "no watched venue lists it")}


def test_beside_the_move_stands_what_is_usual(venues: FakeVenues) -> None:
    """Closes that go up and down by 1 in 100 from candle to candle, over two days before the detection; after it a wild hour that does not count."""
    at = detected(DAY)
    end_ms = epoch_ms(at) // STEP_MS * STEP_MS
    market = Market.objects.get(venue="binance", venue_symbol="BTCUSDT")
    rows = [(end_ms - (number + 1) * STEP_MS, 100.0 + number % 2) for number in range(2 * 288)] + [
        (end_ms + step * STEP_MS, 500.0 * (step + 1)) for step in range(12)
    ]
    CandleRow.objects.bulk_create(
        CandleRow(market=market, opened_at=from_epoch_ms(opened), open=100, close=close, volume_usd=1, closed=True, received_at=at) for opened, close in rows
    )
    alert = incident(at)
    measure_due(timezone.now())
    usual = {row.horizon_min: row.usual_pct for row in outcomes_of(alert)}
    assert usual == {5: pytest.approx(0.995, abs=0.006), 15: pytest.approx(0.995, abs=0.006), 60: 0.0, 240: 0.0}


def test_two_workers_at_once_ask_once(venues: FakeVenues) -> None:
    incident(detected(DAY))
    other = Held("outcomes")
    assert other.acquire()
    assert measure_due(timezone.now()) == (0, True)
    assert requests(venues) == 0
    other.release()
    assert measure_due(timezone.now()) == (4, True)
    assert measure_due(timezone.now()) == (0, True)


def test_a_slice_ends_and_the_next_goes_on(venues: FakeVenues) -> None:
    incident(detected(DAY))
    assert measure_due(timezone.now(), slice_s=0) == (0, False)
    assert measure_due(timezone.now()) == (4, True)


def test_alerts_from_before_are_caught_up_in_chunks(venues: FakeVenues, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effectiveness, "CHUNK", 3)
    alerts = [incident(detected(DAY)) for _ in range(7)]
    settled = 0
    while settled < 28:
        done, _ = measure_due(timezone.now())
        assert done
        settled += done
    assert Outcome.objects.filter(state="known").count() == 4 * len(alerts)


def test_while_every_venue_asks_for_a_pause_nothing_is_asked_and_nothing_is_lost(venues: FakeVenues, valkey: "Redis") -> None:
    alert = incident(detected(DAY))
    for venue in Venue:
        valkey.set(f"alertsystem:pause:{venue}", 2**62)
    measure_due(timezone.now())
    assert states(alert) == ["waiting"] * 4 and requests(venues) == 0
    valkey.flushall()
    measure_due(timezone.now())
    assert states(alert) == ["known"] * 4
