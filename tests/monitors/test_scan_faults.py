"""What does a venue that fails cost? Its own scan; a limit keeps everybody from it until it ends. Over real sockets."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from redis import Redis

from alertsystem.broker import redis_client
from monitors import budget as budgets
from monitors.budget import budget
from monitors.lease import Held
from monitors.market import Kind, Venue
from monitors.models import OpenInterestSample, ScanStatus
from monitors.scan import Slice
from monitors.scan_open_interest import scan_open_interest
from monitors.scan_volume import scan_volume
from monitors.sight import blindness, scan_troubles
from monitors.venues import clients
from monitors.venues.troubles import LimitReached
from tests.fakes.venues import FakeVenues
from tests.monitors.scanning import scanned_venues, status

pytestmark = pytest.mark.django_db
SCANS: dict[str, Callable[[Venue], int]] = {"open_interest": scan_open_interest, "volume": scan_volume}
PATHS = {"binance": ("openInterest", "klines"), "bybit": ("tickers", "kline"), "okx": ("open-interest", "candles")}


@pytest.fixture
def venues(settings: Any, valkey: "Redis") -> Iterator[FakeVenues]:
    with scanned_venues(settings, ["BTC"]) as fakes:
        yield fakes


def is_paused_for(seconds: float, began: datetime, venue: str, kind: str = "open_interest") -> bool:
    """Whether the venue is left alone so long from a moment between `began` and now on."""
    until, span = status(venue, kind).paused_until, timedelta(seconds=seconds)
    return until is not None and began + span - timedelta(seconds=1) <= until <= timezone.now() + span


@pytest.mark.parametrize(
    ("venue", "code", "headers", "seconds"),
    [
        ("binance", 429, {"Retry-After": "70"}, 70), ("binance", 429, {}, 60), ("binance", 418, {"Retry-After": "300"}, 300), ("binance", 418, {}, 120),
        ("bybit", 403, {}, 600), ("bybit", 429, {"Retry-After": "3"}, 3), ("okx", 429, {}, 10), ("okx", 503, {"Retry-After": "20"}, 20),
        ("okx", 429, {"Retry-After": "soon"}, 10), ("binance", 403, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 1),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", list(SCANS))
def test_a_limit_pauses_the_venue_for_every_scan_until_it_ends(
    venues: FakeVenues, venue: str, code: int, headers: dict[str, str], seconds: float, kind: str
) -> None:
    venues.rest_answers(venue, code, "slow down", headers, path=PATHS[venue][kind == "volume"])
    began = timezone.now()
    SCANS[kind](Venue(venue))
    ScanStatus.objects.get_or_create(venue=venue, kind="volume" if kind == "open_interest" else "open_interest")
    assert is_paused_for(seconds, began, venue, kind)
    assert str(code) in status(venue, kind).note
    assert status(venue, kind).failed == {"limit reached": 1}
    if seconds > 30:  # shorter ones may be over by now
        assert "paused until" in blindness(status(venue, kind), timezone.now())
        asked = len(venues.requests(venue))
        for scan in SCANS.values():
            scan(Venue(venue))
        assert len(venues.requests(venue)) == asked
        turn = budget().take(Venue(venue))
        assert turn.paused and seconds - (timezone.now() - began).total_seconds() - 1 <= turn.wait_s <= seconds


@pytest.mark.parametrize("kind", list(SCANS))
def test_the_feed_status_of_every_scan_says_why_a_venue_is_paused(venues: FakeVenues, kind: str) -> None:
    """Also those that were well, or had a trouble of their own just before; and a scan under way that hears of it, or ends without."""
    for scan in SCANS.values():
        scan(Venue.OKX)
    other = "volume" if kind == "open_interest" else "open_interest"
    ScanStatus.objects.filter(venue="okx", kind=other).update(note="a trouble of its own")
    under_way = Slice(Venue.OKX, Kind(other), Held("test"), 10)
    venues.rest_answers("okx", 429, "slow down", {"Retry-After": "60"}, path=PATHS["okx"][kind == "volume"])
    SCANS[kind](Venue.OKX)

    def said() -> list[str]:
        return [text for text in scan_troubles(timezone.now())[Venue.OKX].split("; ") if "OKX over REST" in text]

    assert said() == ["OKX over REST: status 429 Too Many Requests"] * 2
    under_way.finish()
    assert said() == ["OKX over REST: status 429 Too Many Requests"] * 2
    with pytest.raises(LimitReached) as heard:
        under_way.client.call("fetch_time")
    under_way.trouble(heard.value)
    under_way.finish()
    assert said() == ["OKX over REST: status 429 Too Many Requests"] * 2


def test_a_pause_ends(venues: FakeVenues) -> None:
    venues.rest_answers("okx", 429, "", {"Retry-After": "1"}, path="open-interest")
    scan_open_interest(Venue.OKX)
    ScanStatus.objects.update(paused_until=timezone.now() - timedelta(seconds=1))
    redis_client().delete("alertsystem:pause:okx")
    scan_open_interest(Venue.OKX)
    assert (status("okx").contracts, status("okx").note) == (2, "")


@pytest.mark.parametrize(
    ("venue", "body"),
    [
        ("bybit", {"retCode": 10006, "retMsg": "Too many visits!", "result": {}}),
        ("bybit", {"retCode": 10018, "retMsg": "Exceeded the IP Rate Limit", "result": {}}),
        ("okx", {"code": "50011", "msg": "Too Many Requests", "data": []}),
        ("binance", {"code": -1003, "msg": "Too many requests"}),
    ],
)  # fmt: skip
def test_a_limit_in_the_body_pauses_as_well(venues: FakeVenues, venue: str, body: dict[str, Any]) -> None:
    venues.rest_answers(venue, 200, body, path=PATHS[venue][0])
    began = timezone.now()
    scan_open_interest(Venue(venue))
    assert is_paused_for(clients.PAUSE_S[Venue(venue)], began, venue)


@pytest.mark.parametrize("venue", list(Venue))
@pytest.mark.parametrize("kind", list(SCANS))
@pytest.mark.parametrize(
    ("code", "body", "reason"),
    [
        (500, "oops", "network error"), (502, "<html>", "network error"), (503, "", "network error"), (504, "", "time-out"),
        (200, "<html>busy</html>", "malformed answer"), (200, "{", "malformed answer"), (200, [], "malformed answer"),
        (200, {"result": None, "data": None}, "malformed answer"),
    ],
)  # fmt: skip
def test_what_is_no_answer_skips_the_scan_and_is_counted(venues: FakeVenues, venue: Venue, kind: str, code: int, body: Any, reason: str) -> None:
    venues.rest_answers(venue, code, body, path=PATHS[venue][kind == "volume"], times=9)
    SCANS[kind](venue)
    row = status(venue, kind)
    assert row.contracts == 0 and row.note and row.paused_until is None
    if (venue, kind, body) != (Venue.BINANCE, "volume", []):  # Binance answers so when there are no candles
        assert reason in row.failed or "refused" in row.failed, row.failed
    assert not OpenInterestSample.objects.exists()
    venues.servers[venue].faults.clear()
    SCANS[kind](venue)
    assert status(venue, kind).contracts == 2


def test_maintenance_is_told_apart(venues: FakeVenues) -> None:
    venues.rest_answers("okx", 503, {"code": "50001", "msg": "Service temporarily unavailable. Try again later", "data": []}, path="open-interest")
    scan_open_interest(Venue.OKX)
    assert status("okx").failed == {"maintenance": 1}


@pytest.mark.parametrize("venue", list(Venue))
def test_a_venue_that_does_not_answer_in_time_costs_one_scan(venues: FakeVenues, venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients.client(venue)._exchange, "timeout", 300)
    venues.rest_hangs(venue, 2, path=PATHS[venue][0], times=4)
    scan_open_interest(venue)
    assert "time-out" in status(venue).failed
    assert status(venue).duration_ms < 2_000


def test_a_venue_that_is_missing_at_the_start_leaves_the_others(venues: FakeVenues) -> None:
    venues.refuse("bybit")
    for scan in SCANS.values():
        for venue in Venue:
            scan(venue)
    assert {row.venue: row.contracts for row in ScanStatus.objects.filter(kind="open_interest")} == {"binance": 2, "bybit": 0, "okx": 2}
    assert status("bybit").failed == {"network error": 1}
    venues.accept("bybit")
    scan_open_interest(Venue.BYBIT)
    assert status("bybit").contracts == 2


def test_one_contract_that_is_gone_leaves_the_others(venues: FakeVenues) -> None:
    venues.rest_answers("binance", 400, {"code": -1121, "msg": "Invalid symbol."}, path="openInterest")
    scan_open_interest(Venue.BINANCE)
    assert (status("binance").contracts, status("binance").failed) == (1, {"refused": 1})


def test_without_redis_scans_skip_with_the_reason(venues: FakeVenues, settings: Any) -> None:
    url, settings.BROKER_URL = settings.BROKER_URL, "redis+socket:///nowhere/at/all?virtual_host=0"
    for cached in (redis_client, budgets.budget):
        cached.cache_clear()
    try:
        assert scan_open_interest(Venue.OKX) == 0
    finally:
        settings.BROKER_URL = url
        for cached in (redis_client, budgets.budget):
            cached.cache_clear()
    assert status("okx").failed == {"no budget: Redis is away": 1}
    assert not venues.requests("okx")
