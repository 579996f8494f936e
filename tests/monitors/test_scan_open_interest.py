"""Does a venue's open interest become samples and signals, and does what goes wrong leave the rest alone?"""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from redis import Redis

from monitors.market import Venue
from monitors.models import EpisodeState, Lease, Market, OpenInterestSample, OwnHistory, ScanStatus, Signal
from monitors.scan_open_interest import scan_open_interest
from tests.fakes.venues import FakeVenues
from tests.monitors.scanning import past_samples, scanned_venues, status

pytestmark = pytest.mark.django_db


@pytest.fixture
def venues(settings: Any, valkey: "Redis") -> Iterator[FakeVenues]:
    with scanned_venues(settings) as fakes:
        yield fakes


def scan_all() -> int:
    return sum(scan_open_interest(venue) for venue in Venue)


def newest(asset: str, symbol: str = "/USDT:USDT") -> dict[str, tuple[Decimal, Decimal | None]]:
    rows = OpenInterestSample.objects.filter(market__asset=asset, market__symbol__endswith=symbol).order_by("occurred_at")
    return {row.market.venue: (row.oi_base, row.mark_price) for row in rows.select_related("market")}


def test_every_venue_counts_in_one_sided_coins_of_the_asset_with_its_mark(venues: FakeVenues) -> None:
    venues.set_open_interest("BTC", "100000")
    venues.set_open_interest("PEPE", "5000000000000")
    scan_all()
    assert newest("BTC") == {venue: (Decimal(100_000), Decimal(64_183)) for venue in Venue}
    assert newest("PEPE") == {venue: (Decimal(5_000_000_000_000), Decimal("0.0000031")) for venue in Venue}
    assert set(OpenInterestSample.objects.values_list("market__asset", flat=True)) == {"BTC", "ETH", "WIF", "PEPE"}


def test_a_scan_makes_as_few_requests_as_the_venue_allows(venues: FakeVenues) -> None:
    scan_all()
    asked = {venue: sorted(request.path.rsplit("/", 1)[-1] for request in venues.requests(venue) if not request.path.endswith("/time")) for venue in Venue}
    contracts = Market.objects.filter(venue="binance", asset__in=["BTC", "ETH", "WIF", "PEPE"]).count()
    assert asked == {"binance": ["openInterest"] * contracts + ["premiumIndex"], "bybit": ["tickers"], "okx": ["open-interest"]}
    assert status("okx").requests == 2  # with the venue's time, which is asked every ten minutes


def test_a_rise_on_three_venues_is_one_story_that_all_confirm(venues: FakeVenues) -> None:
    scan_all()
    past_samples(20, change="0.98")
    assert scan_all() >= 3
    last = Signal.objects.filter(asset="BTC").order_by("id").last()
    assert last is not None and (last.kind, last.direction, last.listed_on) == ("open_interest", "UP", 3)
    assert last.value == pytest.approx(Decimal("2.0408"), abs=Decimal("0.001"))
    assert {venue: round(float(part), 2) for venue, part in last.venues.items()} == dict.fromkeys(("binance", "bybit", "okx"), 2.04)
    assert last.details["missing"] == ""
    assert Signal.objects.filter(asset="BTC").values("episode").distinct().count() == 1


def test_a_signal_tells_the_funding_rate_of_the_venues_whose_answers_carry_it(venues: FakeVenues) -> None:
    scan_all()
    past_samples(20, change="0.98")
    scan_all()
    last = Signal.objects.filter(asset="BTC").order_by("id").last()
    assert last is not None and last.details["funding"] == "binance=0.0001 bybit=0.0001/8"


def test_signals_wake_the_trigger_engine_first_of_all(venues: FakeVenues, valkey: "Redis") -> None:
    scan_all()
    past_samples(20, change="0.98")
    scan_open_interest(Venue.OKX)
    assert valkey.llen("alertsystem:alerts") == Signal.objects.values("fingerprint").distinct().count() > 0


def test_a_price_move_alone_is_no_move_of_open_interest(venues: FakeVenues) -> None:
    scan_all()
    past_samples(20)
    venues.set_price("BTC", "70000")
    assert scan_all() == 0


def test_a_sample_of_the_same_venue_time_is_stored_once(venues: FakeVenues) -> None:
    scan_open_interest(Venue.OKX)
    before = OpenInterestSample.objects.count()
    row = OpenInterestSample.objects.first()
    assert row is not None
    OpenInterestSample.objects.bulk_create([row], ignore_conflicts=True)
    assert OpenInterestSample.objects.count() == before


def test_what_cannot_be_judged_is_counted_with_its_reason(venues: FakeVenues) -> None:
    Market.objects.filter(asset="WIF").update(listed_at=timezone.now() - timedelta(hours=23))
    scan_all()
    scan_all()
    assert status("okx").unjudged == {"no sample at the other end of the window": 3, "listed for less than 24 h": 1}


def test_a_halved_answer_for_one_scan_raises_nothing(venues: FakeVenues) -> None:
    scan_all()
    past_samples(20)
    right = newest("BTC")["okx"][0]
    venues.set_open_interest("BTC", right / 2, "okx")
    assert scan_all() == 0
    venues.set_open_interest("BTC", right, "okx")
    assert scan_all() == 0


def test_after_a_downtime_there_is_no_verdict_until_the_window_is_filled(venues: FakeVenues) -> None:
    scan_all()
    OpenInterestSample.objects.update(occurred_at=timezone.now() - timedelta(hours=3))
    venues.set_open_interest("BTC", "1")
    assert scan_all() == 0
    assert scan_all() == 0


def test_a_venue_that_is_missing_since_the_start_is_named_though_nobody_knows_what_it_lists(venues: FakeVenues) -> None:
    scan_all()
    past_samples(20, change="0.98")
    for rows in (Market, ScanStatus):
        rows._default_manager.filter(venue="bybit").delete()
    scan_open_interest(Venue.BINANCE)
    last = Signal.objects.filter(asset="BTC").last()
    assert last is not None and (last.listed_on, last.details["missing"]) == (2, "bybit")


def test_a_blind_venue_is_named_and_counts_for_nothing(venues: FakeVenues) -> None:
    scan_all()
    past_samples(20, change="0.98")
    ScanStatus.objects.filter(venue="bybit").update(succeeded_at=timezone.now() - timedelta(minutes=3))
    scan_open_interest(Venue.BINANCE)
    last = Signal.objects.filter(asset="BTC").last()
    assert last is not None and (last.listed_on, last.details["missing"]) == (2, "bybit")
    assert set(last.venues) == {"binance", "okx"}


def test_its_return_after_an_outage_fakes_no_step(venues: FakeVenues) -> None:
    scan_all()
    past_samples(20)
    OpenInterestSample.objects.filter(market__venue="bybit").delete()
    venues.set_open_interest("BTC", "900000", "bybit")
    assert scan_all() == 0


def test_what_was_listed_less_than_a_day_ago_is_sampled_and_raises_nothing(venues: FakeVenues) -> None:
    Market.objects.filter(asset="WIF").update(listed_at=timezone.now() - timedelta(hours=23))
    scan_all()
    past_samples(20, change="0.5")
    scan_all()
    assert not Signal.objects.filter(asset="WIF").exists()
    assert len(newest("WIF")) == 3


def test_the_assets_own_history_may_raise_the_severity(venues: FakeVenues) -> None:
    OwnHistory.objects.create(asset="BTC", days=20, low=0.1, moderate=0.2, high=0.3, usual_price_move=0.2, updated_at=timezone.now())
    scan_all()
    past_samples(20, change="0.996")
    scan_all()
    last = Signal.objects.filter(asset="BTC").last()
    assert last is not None and (last.details["own_step"], last.details["own_days"]) == ("3", "20.0")


def set_last_scan(venue: str, seconds_ago: float, took_s: int = 0) -> None:
    ScanStatus.objects.filter(venue=venue).update(started_at=timezone.now() - timedelta(seconds=seconds_ago), duration_ms=took_s * 1000)


@pytest.mark.parametrize("took_s", [0, 28])
def test_an_asset_is_left_to_the_venue_whose_scan_is_about_to_come(venues: FakeVenues, took_s: int) -> None:
    """So that what all venues show at once is one confirmed message, and no unconfirmed one with its correction."""
    scan_all()
    past_samples(20, change="0.98")
    set_last_scan("okx", 60, took_s)
    assert scan_open_interest(Venue.BINANCE) == 0
    assert status("binance").unjudged == {"left to another venue's scan that is about to come": 4}
    assert scan_open_interest(Venue.OKX) > 0


@pytest.mark.parametrize("seconds_ago", [20, 100])
def test_who_has_just_scanned_or_missed_its_turn_is_not_waited_for(venues: FakeVenues, seconds_ago: float) -> None:
    scan_all()
    past_samples(20, change="0.98")
    set_last_scan("okx", seconds_ago)
    assert scan_open_interest(Venue.BINANCE) > 0


def test_a_scan_that_brings_nothing_judges_what_was_left_to_it(venues: FakeVenues) -> None:
    scan_all()
    past_samples(20, change="0.98")
    venues.rest_answers("okx", 500, path="open-interest")
    assert scan_open_interest(Venue.OKX) > 0
    assert Signal.objects.filter(listed_on=3).exists()


def test_another_worker_continues_the_episode(venues: FakeVenues) -> None:
    scan_all()
    past_samples(20, change="0.99")
    scan_all()
    state = EpisodeState.objects.get(asset="BTC", direction="UP")
    assert (state.running, state.index, state.number) == (True, 1, Signal.objects.filter(asset="BTC").count())
    scan_all()  # seconds later: the same value is no news
    assert EpisodeState.objects.get(asset="BTC", direction="UP").number == state.number


def test_while_another_worker_scans_nobody_else_does(venues: FakeVenues) -> None:
    Lease.objects.create(name="scan:open_interest:okx", holder="another", until=timezone.now() + timedelta(seconds=9))
    assert scan_open_interest(Venue.OKX) == 0
    assert not venues.requests("okx")


@pytest.mark.parametrize("ahead_s", [-200, 200])
def test_a_clock_that_is_off_by_minutes_breaks_nothing(venues: FakeVenues, ahead_s: int) -> None:
    venues.set_clock(ahead_s * 1000)
    scan_all()
    past_samples(20, change="0.98")
    assert scan_all() > 0
    arrival = Signal.objects.latest("id").received_at
    assert abs(arrival - timezone.now()) < timedelta(seconds=20)


def test_a_venue_that_is_not_watched_is_not_asked(venues: FakeVenues, settings: Any) -> None:
    settings.VENUES = [Venue.BINANCE]
    assert scan_open_interest(Venue.OKX) == 0
    assert not venues.requests("okx")
