"""Do a venue's candles become volume signals, closed and still open, against their own baseline?"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from redis import Redis

from monitors import selectors
from monitors.market import TIMEFRAME_MS, Venue, epoch_ms, from_epoch_ms
from monitors.models import CandleRow, EpisodeState, ScanStatus, Signal, ThresholdRule
from monitors.scan_volume import scan_volume, too_early_s
from monitors.venues.candles import MOST
from monitors.venues.clients import client
from tests.fakes.venues import FakeVenues
from tests.monitors.scanning import ended_ms, past_candles, scanned_venues, status

pytestmark = pytest.mark.django_db
USUAL_USD = 12.5e9 / 288  # of BTC on Binance in 5 minutes


@pytest.fixture
def venues(settings: Any, valkey: "Redis") -> Iterator[FakeVenues]:
    """The venues' clock stands 10 s after the end of a candle, whenever the test runs."""
    with scanned_venues(settings, ["BTC", "WIF"]) as fakes:
        ThresholdRule.objects.filter(kind="volume").update(min_usd=1_000_000)
        set_clock(fakes, 10_000)
        yield fakes


def set_clock(venues: FakeVenues, since_end_ms: int) -> None:
    """Let the venues' clock stand so long after the end of the candle that has just ended by ours."""
    venues.set_clock(since_end_ms - epoch_ms(timezone.now()) % TIMEFRAME_MS)
    for venue in Venue:
        client(venue)._clock_at = None  # it would ask again in ten minutes only


def scan_all() -> int:
    return sum(scan_volume(venue) for venue in Venue)


def fill(asset: str, usd: float = USUAL_USD) -> None:
    """All venues are live and have a week of candles, without the one that has just ended."""
    assert scan_all() == 0
    CandleRow.objects.all().delete()
    past_candles(usd=usd, asset=asset)
    forget_the_ended()


def forget_the_ended(venue: str = "") -> None:
    """Remove the candle that has just ended, and what is newer."""
    rows = CandleRow.objects.filter(opened_at__gte=from_epoch_ms(ended_ms()))
    (rows.filter(market__venue=venue) if venue else rows).delete()


def test_candles_are_stored_in_dollars_and_closed_by_the_venues_clock(venues: FakeVenues) -> None:
    assert scan_all() == 0
    rows = CandleRow.objects.filter(market__symbol="BTC/USDT:USDT").order_by("opened_at")
    assert {row.market.venue for row in rows} == set(Venue)
    assert rows.filter(market__venue="okx").count() == MOST
    for venue, part in (("binance", 1), ("bybit", 1 / 2), ("okx", 1 / 3)):
        closed = rows.filter(market__venue=venue, closed=True).last()
        assert closed is not None and closed.volume_usd == pytest.approx(USUAL_USD * part, rel=0.21)
        assert closed.open == 64_183
    assert [row.closed for row in rows.filter(market__venue="okx")] == [True] * (MOST - 1) + [False]


def test_the_next_scan_asks_for_what_is_new_only(venues: FakeVenues) -> None:
    scan_volume(Venue.OKX)
    scan_volume(Venue.OKX)
    assert [request.query["limit"] for request in venues.requests("okx", "/candles")][-1] == "2"
    assert CandleRow.objects.filter(market__venue="okx", market__symbol="BTC/USDT:USDT").count() == MOST


def test_a_spike_is_judged_once_when_all_venues_have_its_candle(venues: FakeVenues) -> None:
    fill("WIF", 500_000)
    venues.push_volume("WIF", "20", ended_ms())
    assert [scan_volume(venue) for venue in Venue][:2] == [0, 0]
    (signal,) = Signal.objects.all()
    assert (signal.kind, signal.asset, signal.direction, signal.listed_on, sorted(signal.venues)) == ("volume", "WIF", "", 3, sorted(Venue))
    assert signal.value > 400
    assert signal.details["open_for_s"] == ""
    assert scan_all() == 0


def test_a_venue_that_does_not_come_is_waited_for_only_so_long(venues: FakeVenues) -> None:
    fill("WIF", 500_000)
    venues.push_volume("WIF", "20", ended_ms())
    scan_all()
    forget_the_ended("okx")
    EpisodeState.objects.all().delete()
    Signal.objects.all().delete()
    assert scan_volume(Venue.BINANCE) == 0
    set_clock(venues, 50_000)
    venues.rest_answers("okx", 500, path="candles")
    assert scan_volume(Venue.BINANCE) == 1
    assert sorted(Signal.objects.get().venues) == ["binance", "bybit"]


def test_the_open_candle_is_told_once_it_exceeds_a_rung(venues: FakeVenues) -> None:
    set_clock(venues, 190_000)
    fill("WIF", 500_000)
    scan_all()
    assert not Signal.objects.exists()
    venues.push_volume("WIF", "40", ended_ms() + TIMEFRAME_MS)
    assert scan_all() > 0
    signal = Signal.objects.latest("id")
    assert 185 <= int(signal.details["open_for_s"]) <= 250


def test_after_a_downtime_the_first_scan_only_looks(venues: FakeVenues) -> None:
    fill("WIF", 500_000)
    ScanStatus.objects.update(succeeded_at=timezone.now() - timedelta(hours=2))
    venues.push_volume("WIF", "20", ended_ms())
    assert scan_all() == 0
    set_clock(venues, 60_000)
    assert scan_all() == 1
    assert Signal.objects.get().listed_on == 3


def test_under_the_minimum_in_dollars_nothing_is_raised(venues: FakeVenues) -> None:
    ThresholdRule.objects.filter(kind="volume").update(min_usd=1_000_000_000)
    fill("WIF", 500_000)
    venues.push_volume("WIF", "20", ended_ms())
    assert scan_all() == 0


def test_an_asset_under_the_minimum_is_still_judged_while_its_episode_runs(venues: FakeVenues) -> None:
    fill("WIF", 500_000)
    venues.push_volume("WIF", "20", ended_ms())
    assert scan_all() == 1
    assert EpisodeState.objects.get(asset="WIF", kind="volume").running
    ThresholdRule.objects.filter(kind="volume").update(min_usd=1_000_000_000)
    EpisodeState.objects.update(judged_ms=ended_ms() - TIMEFRAME_MS)
    assert scan_all() == 0
    assert not EpisodeState.objects.get(asset="WIF", kind="volume").running


def test_without_a_week_of_candles_there_is_no_verdict(venues: FakeVenues) -> None:
    venues.push_volume("WIF", "50", ended_ms())
    assert scan_all() == 0


def test_a_paused_venue_is_missing_in_the_signal(venues: FakeVenues) -> None:
    fill("WIF", 500_000)
    ScanStatus.objects.update_or_create(venue="okx", kind="volume", defaults={"paused_until": timezone.now() + timedelta(minutes=1)})
    venues.push_volume("WIF", "20", ended_ms())
    asked = len(venues.requests("okx"))
    scan_all()
    assert len(venues.requests("okx")) == asked
    signal = Signal.objects.latest("id")
    assert (signal.listed_on, signal.details["missing"]) == (2, "okx")


def test_the_closing_scan_waits_until_the_candle_is_settled(venues: FakeVenues) -> None:
    set_clock(venues, 2_000)
    client(Venue.OKX).now_ms()
    assert 2 < too_early_s(Venue.OKX) <= 3
    set_clock(venues, 20_000)
    client(Venue.OKX).now_ms()
    assert too_early_s(Venue.OKX) == 0


def test_slices_that_end_early_reach_every_contract_in_turn(venues: FakeVenues, settings: Any) -> None:
    settings.MAX_ASSETS = 12
    wanted, asked = set(selectors.scanned_markets(Venue.OKX)), list[str]()
    for _ in range(20):
        scan_volume(Venue.OKX, slice_s=0.5)
        assert status("okx", "volume").resume_from
        asked = [request.query["instId"] for request in venues.requests("okx", "/candles")]
        if set(asked) == wanted:
            break
    assert set(asked) == wanted
    assert len(asked) < 1.5 * len(wanted)
