"""Does a feed keep its connection, over real sockets, against venues that misbehave?"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from monitors.market import Venue
from monitors.venues import backoff
from monitors.venues.registry import FEEDS, FeedSpec, socket_url
from monitors.venues.socket import LIVE, STOPPED, WAITING, VenueSocket
from monitors.venues.topics import split
from tests.fakes.venue_frames import binance_force_order
from tests.fakes.venue_sockets import Timing
from tests.fakes.venues import FakeVenues
from tests.harness import wait_until

QUICK = Timing(binance_ping=0.2, binance_pong_wait=0.6, binance_marks=0.1, bybit_silence=0.6, okx_silence=0.6)


@pytest.fixture
def venues() -> Iterator[FakeVenues]:
    with FakeVenues(timing=QUICK) as fakes:
        yield fakes


@pytest.fixture(autouse=True)
def short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff.wait_s, "__defaults__", (0.05, 0.2))


@pytest.fixture
def connect(venues: FakeVenues) -> Iterator[Callable[..., tuple[VenueSocket, list[bytes]]]]:
    started: list[VenueSocket] = []

    def start(venue: Venue, *topics: str, prefix: str = "", url: str = "", **over: float) -> tuple[VenueSocket, list[bytes]]:
        frames: list[bytes] = []
        spec = quick(FEEDS[venue], **over)
        base = url or venues.env[f"{venue.upper()}_WS_URL"] + prefix
        feed = VenueSocket(venue, socket_url(venue, base), spec, lambda raws, at_ms: frames.extend(raws), topics)
        feed.start()
        started.append(feed)
        return feed, frames

    yield start
    for feed in started:
        feed.ask_to_stop()
    for feed in started:
        feed.join(1.0)
        assert feed.status.state == STOPPED


def quick(spec: FeedSpec, **over: float) -> FeedSpec:
    numbers = {"silent_limit_s": 0.8, "ping_every_s": 0.2, "handshake_timeout_s": 0.5}
    return replace(spec, **(numbers | over))  # type: ignore[arg-type]  # only its numbers


def live(feed: VenueSocket) -> Callable[[], bool]:
    return lambda: feed.status.state == LIVE


def test_the_wait_doubles_between_one_second_and_a_minute() -> None:
    assert [backoff.wait_s(failures, 0.0, 1, 60) for failures in (1, 5, 99)] == [1, 1, 1]
    assert [backoff.wait_s(failures, 1.0, 1, 60) for failures in (1, 2, 3, 5, 6, 99)] == [2, 4, 8, 32, 60, 60]


@pytest.mark.parametrize("venue", list(Venue))
def test_a_connection_outlives_many_keep_alive_times(venues: FakeVenues, connect: Callable[..., tuple[VenueSocket, list[bytes]]], venue: Venue) -> None:
    feed, _ = connect(venue, *(["allLiquidation.BTCUSDT"] if venue is Venue.BYBIT else []))
    wait_until(live(feed))
    first = venues.connects[venue][0]
    pings = {Venue.BINANCE: "<pong>", Venue.BYBIT: '{"op":"ping"}', Venue.OKX: "ping"}[venue]
    wait_until(lambda: sum(text == pings for _, text in first.received) >= 8)
    assert (len(venues.connects[venue]), first.dropped) == (1, "")


def test_a_path_prefix_stays_in_front_of_the_route(venues: FakeVenues, connect: Callable[..., tuple[VenueSocket, list[bytes]]]) -> None:
    feed, frames = connect(Venue.BINANCE, prefix="/proxy/binance/")
    wait_until(live(feed))
    venues.send("binance", binance_force_order("BTCUSDT", "SELL", 1, 60000, 1789672235690))
    wait_until(lambda: any(b"forceOrder" in raw for raw in frames))
    assert venues.connects["binance"][0].path == "/proxy/binance/market/stream"


def test_binance_s_dead_path_is_noticed_though_it_answers_pings(venues: FakeVenues, connect: Callable[..., tuple[VenueSocket, list[bytes]]]) -> None:
    dead = quick(FEEDS[Venue.BINANCE])
    feed = VenueSocket(Venue.BINANCE, venues.env["BINANCE_WS_URL"] + "/stream?streams=!forceOrder@arr/!markPrice@arr", dead, lambda raws, at_ms: None)
    feed.start()
    wait_until(lambda: len(venues.connects["binance"]) >= 2)
    assert all(client.dead for client in venues.connects["binance"])
    wait_until(lambda: "no mark prices" in feed.status.error)
    assert feed.status.last_data_ms is None
    feed.ask_to_stop()
    feed.join(1.0)


def test_silent_mark_prices_end_a_binance_connection_that_was_live(venues: FakeVenues, connect: Callable[..., tuple[VenueSocket, list[bytes]]]) -> None:
    feed, _ = connect(Venue.BINANCE)
    wait_until(live(feed))
    venues.silence_marks()
    wait_until(lambda: feed.status.state == WAITING)
    venues.silence_marks(False)
    wait_until(live(feed))


@pytest.mark.parametrize("venue", [Venue.BYBIT, Venue.OKX])
def test_a_frozen_venue_is_left_and_taken_up_again(venues: FakeVenues, connect: Callable[..., tuple[VenueSocket, list[bytes]]], venue: Venue) -> None:
    feed, _ = connect(venue)
    wait_until(live(feed))
    venues.freeze(venue)
    wait_until(lambda: feed.status.state == WAITING)
    venues.resume(venue)
    wait_until(live(feed))
    assert feed.status.connects >= 2


@pytest.mark.parametrize(("how", "said"), [("status", "HTTP 503"), ("hang", "no answer in time"), ("connection", "connection refused")])
def test_a_refused_handshake_is_named_and_tried_again(venues: FakeVenues, connect: Callable[..., tuple[VenueSocket, list[bytes]]], how: str, said: str) -> None:
    venues.refuse("okx", how)
    feed, _ = connect(Venue.OKX)
    wait_until(lambda: said in feed.status.error)
    assert feed.status.next_try_ms
    venues.accept("okx")
    wait_until(live(feed))
    assert feed.status.error == ""


def test_a_cut_connection_comes_back_and_subscribes_again(venues: FakeVenues, connect: Callable[..., tuple[VenueSocket, list[bytes]]]) -> None:
    feed, _ = connect(Venue.BYBIT, "allLiquidation.BTCUSDT")
    for expected in (1, 2, 3):
        wait_until(lambda expected=expected: feed.status.connects == expected and venues.connections("bybit") == 1)  # type: ignore[misc]  # bound in the loop
        venues.wait_for_subscribers(["bybit"])
        venues.drop("bybit")


def test_bybit_topics_follow_the_wanted_ones_and_one_bad_topic_costs_only_itself(
    venues: FakeVenues, connect: Callable[..., tuple[VenueSocket, list[bytes]]]
) -> None:
    feed, _ = connect(Venue.BYBIT, "allLiquidation.BTCUSDT", "allLiquidation.NONSENSEUSDT", "allLiquidation.ETHUSDT")
    wait_until(lambda: venues.connections("bybit") == 1)
    client = venues.connects["bybit"][0]
    wait_until(lambda: client.topics == {"allLiquidation.BTCUSDT", "allLiquidation.ETHUSDT"})
    wait_until(lambda: "NONSENSEUSDT" in feed.status.refused)
    feed.topics = ("allLiquidation.ETHUSDT", "allLiquidation.SOLUSDT")
    wait_until(lambda: client.topics == {"allLiquidation.ETHUSDT", "allLiquidation.SOLUSDT"})
    assert len(venues.connects["bybit"]) == 1


def test_topics_are_split_under_the_venue_s_limit_and_none_is_lost() -> None:
    topics = [f"allLiquidation.{number:06}USDT" for number in range(2000)]
    parts = split(topics)
    assert [topic for part in parts for topic in part] == topics
    assert max(len('["' + '","'.join(part) + '"]') for part in parts) <= 21_000 < len('["' + '","'.join(topics) + '"]')
    assert split([]) == [()]
