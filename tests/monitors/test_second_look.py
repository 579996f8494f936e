"""Is a change that comes while the venues are scanned one after the other told of all of them at once?"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Event
from typing import Any

import pytest
from django.utils import timezone
from redis import Redis

from monitors import second_look
from monitors.budget import FOR_SINGLE_ONES, budget
from monitors.detectors.confirmation import confirming_venues
from monitors.market import TIMEFRAME_MS, Venue
from monitors.models import CandleRow, EpisodeState, OpenInterestSample, Signal, ThresholdRule
from monitors.scan import SECOND_LOOK_S, SLICE_S
from monitors.scan_open_interest import scan_open_interest
from monitors.scan_volume import scan_volume
from monitors.venues.clients import TIMEOUT_MS
from tests.fakes.venues import FakeVenues
from tests.monitors.scanning import ended_ms, past_candles, past_samples, scanned_venues, status
from tests.monitors.test_scan_volume import set_clock

pytestmark = pytest.mark.django_db
ASSET = "WIF"
LOW = Decimal("0.9")  # seeded for any other asset


@pytest.fixture
def venues(settings: Any, valkey: "Redis") -> Iterator[FakeVenues]:
    """One asset with a quiet past at three venues; the fakes' clock stands in the middle of a candle."""
    with scanned_venues(settings, [ASSET]) as fakes:
        ThresholdRule.objects.filter(kind="volume").update(min_usd=1_000_000)
        set_clock(fakes, 150_000)
        for venue in Venue:
            scan_open_interest(venue)
            scan_volume(venue)
        past_samples(20)
        CandleRow.objects.all().delete()
        past_candles(usd=500_000, asset=ASSET)
        for venue in Venue:
            scan_volume(venue)
        assert not Signal.objects.exists()
        for server in fakes.servers.values():
            server.requests.clear()
        yield fakes


def push(venues: FakeVenues, times: str, venue: str = "") -> None:
    for each in Venue:
        if venue in ("", each):
            listing = next(listing for listing in venues.markets.of(each) if listing.asset == ASSET)
            venues.set_open_interest(ASSET, listing.open_interest * Decimal(times), each)


def told() -> list[tuple[int, int]]:
    """How many venues confirm each signal of LOW or more, of how many."""
    return [(confirming_venues(row.as_value()), row.listed_on) for row in Signal.objects.order_by("id") if row.value >= LOW]


@pytest.mark.parametrize("before", [1, 2])
def test_a_rise_in_the_middle_of_a_round_is_told_of_all_venues_at_once(venues: FakeVenues, before: int) -> None:
    for venue in list(Venue)[:before]:
        scan_open_interest(venue)
    push(venues, "1.06")
    for venue in list(Venue)[before:]:
        scan_open_interest(venue)
    assert told() == [(3, 3)]
    assert Signal.objects.latest("id").value == pytest.approx(Decimal(6), abs=Decimal("0.001"))


def test_a_jump_in_the_middle_of_a_round_is_told_of_all_venues_once_it_is_confirmed(venues: FakeVenues) -> None:
    scan_open_interest(Venue.BINANCE)
    push(venues, "1.5")
    for venue in (Venue.BYBIT, Venue.OKX):
        assert scan_open_interest(venue) == 0
    for venue in Venue:
        scan_open_interest(venue)
    assert told() == [(3, 3)]


def test_a_volume_in_the_middle_of_a_round_is_told_of_all_venues_at_once(venues: FakeVenues) -> None:
    scan_volume(Venue.BINANCE)
    venues.push_volume(ASSET, 40, ended_ms() + TIMEFRAME_MS)
    for venue in (Venue.BYBIT, Venue.OKX):
        scan_volume(venue)
    assert set(told()) == {(3, 3)}
    assert len({signal.episode for signal in Signal.objects.all()}) == 1


def test_a_venue_that_falls_silent_by_what_another_says_is_asked_as_well(venues: FakeVenues) -> None:
    """Its 2 % are a quarter of what one venue shows, and less than a quarter of what two show."""
    push(venues, "1.02", "binance")
    scan_open_interest(Venue.BINANCE)
    before = {venue: len(venues.requests(venue)) for venue in Venue}
    for venue, times in (("okx", "1.2"), ("bybit", "1.2"), ("binance", "1.176")):
        push(venues, times, venue)
    scan_open_interest(Venue.OKX)
    assert {venue: len(venues.requests(venue)) - before[venue] for venue in Venue} == {"binance": 2, "bybit": 1, "okx": 1}
    assert told()[-1] == (3, 3)


def test_only_the_silent_venues_are_asked_and_only_for_what_is_news(venues: FakeVenues) -> None:
    push(venues, "1.15", "okx")
    scan_open_interest(Venue.OKX)
    asked = {venue: [request.path.rsplit("/", 1)[-1] for request in venues.requests(venue)] for venue in Venue}
    assert asked == {"binance": ["premiumIndex", "openInterest"], "bybit": ["tickers"], "okx": ["open-interest"]}
    assert told() == [(1, 3)], "they were asked and show nothing: it is told as it is"
    push(venues, "1.01", "okx")
    scan_open_interest(Venue.OKX)
    assert [len(venues.requests(venue)) for venue in Venue] == [2, 1, 2], "a new peak on the same rung is no news"


def test_a_venue_that_fails_at_the_second_look_holds_nothing_up(venues: FakeVenues) -> None:
    scan_open_interest(Venue.BINANCE)
    scan_open_interest(Venue.BYBIT)
    push(venues, "1.05")
    venues.rest_answers("bybit", 500, path="tickers")
    scan_open_interest(Venue.OKX)
    assert told() == [(2, 3)]


def test_scans_that_take_all_of_the_budget_leave_room_for_a_second_look(venues: FakeVenues) -> None:
    """With many assets two scans of Binance are under way half of the time, each of them always with a request that waits."""
    scan_open_interest(Venue.BINANCE)
    push(venues, "1.06")
    stop, spare = Event(), FOR_SINGLE_ONES[Venue.BINANCE]
    while budget().take(Venue.BINANCE, spare=spare).wait_s == 0:
        pass

    def take_all() -> None:
        while not stop.is_set():
            budget().take(Venue.BINANCE, spare=spare)

    with ThreadPoolExecutor(2) as others:
        for _ in range(2):
            others.submit(take_all)
        try:
            scan_open_interest(Venue.OKX)
        finally:
            stop.set()
    assert told() == [(3, 3)]


def test_a_paused_venue_is_not_asked_and_holds_nothing_up(venues: FakeVenues) -> None:
    scan_open_interest(Venue.BINANCE)
    budget().pause(Venue.BINANCE, 60, "status 429")
    push(venues, "1.06")
    asked = len(venues.requests("binance"))
    scan_open_interest(Venue.OKX)
    assert told() == [(2, 3)]
    assert len(venues.requests("binance")) == asked


def test_a_slice_without_time_left_tells_what_it_has(venues: FakeVenues, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitors.scan.SECOND_LOOK_S", 0.0)
    push(venues, "1.06")
    assert scan_open_interest(Venue.OKX) > 0
    assert told() == [(1, 3)]


def test_a_slice_with_its_second_look_stays_under_40_s(settings: Any) -> None:
    assert SLICE_S + SECOND_LOOK_S + TIMEOUT_MS / 1000 < 40 == settings.CELERY_TASK_SOFT_TIME_LIMIT


def test_a_slice_whose_time_is_over_asks_for_nothing_more(venues: FakeVenues) -> None:
    scan_open_interest(Venue.BINANCE, slice_s=0.0)
    scan_volume(Venue.OKX, slice_s=0.0)
    assert not venues.requests("binance") and not venues.requests("okx")
    assert "took all the time" in status("binance").note


def test_a_worker_that_dies_at_the_second_look_leaves_it_to_the_next_scan(venues: FakeVenues, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is stored before it: neither a signal nor an episode that would take the rise for old news."""

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    scan_open_interest(Venue.BINANCE)
    push(venues, "1.06")
    with monkeypatch.context() as patched:
        patched.setattr(second_look.SecondLook, "take", die)
        with pytest.raises(Killed):
            scan_open_interest(Venue.OKX)
    assert not Signal.objects.exists() and not EpisodeState.objects.filter(running=True).exists()
    scan_open_interest(Venue.BYBIT)
    assert told() == [(3, 3)]


def test_a_jump_against_the_change_is_not_confirmed_seconds_later(venues: FakeVenues) -> None:
    """A halved answer is believed when the next scan brings it again, not when the same moment does."""
    push(venues, "0.5", "bybit")
    scan_open_interest(Venue.BYBIT)
    push(venues, "1.2", "okx")
    scan_open_interest(Venue.OKX)
    assert len(venues.requests("bybit", "tickers")) == 1
    last = Signal.objects.latest("id")
    assert last.direction == "UP" and Decimal(last.venues["bybit"]) == 0


def test_samples_of_the_second_look_are_kept(venues: FakeVenues) -> None:
    before = OpenInterestSample.objects.filter(market__venue="binance").count()
    push(venues, "1.06")
    scan_open_interest(Venue.OKX)
    assert OpenInterestSample.objects.filter(market__venue="binance").count() == before + 1
    assert status("okx").unjudged == {}
    assert OpenInterestSample.objects.latest("id").received_at <= timezone.now()
