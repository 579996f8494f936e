"""Are the fake venues as picky, and as silent, as the real ones? Asked with websocket-client."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket

from tests.fakes.venue_frames import binance_force_order, bybit_liquidations, okx_liquidations, shifted
from tests.fakes.venue_sockets import Timing
from tests.fakes.venues import FakeVenues

ROUTE = "/market/stream?streams=!forceOrder@arr/!markPrice@arr"
NOW_MS = 1_800_000_000_000
CLOCK_MS = 20  # the clock that paces the frames is not the one that stamps them
OKX_TOPIC = {"op": "subscribe", "args": [{"channel": "liquidation-orders", "instType": "SWAP"}]}


@pytest.fixture
def venues() -> Iterator[FakeVenues]:
    """With the documented timing, but for frequent marks: a test that asks for a venue's impatience shortens its own."""
    with FakeVenues(timing=Timing(binance_marks=0.1)) as running:
        yield running


class Socket:
    """A plain client that answers protocol pings while it reads."""

    def __init__(self, venues: FakeVenues, venue: str, path: str, timeout: float = 5) -> None:
        self.socket = websocket.create_connection(venues.env[f"{venue.upper()}_WS_URL"] + path, timeout=timeout)

    def say(self, message: object) -> "Socket":
        self.socket.send(message if isinstance(message, str) else json.dumps(message))
        return self

    def hear(self) -> Any:
        """The next message, as JSON where it is some; fails when the venue has ended the connection."""
        text = self.socket.recv()
        assert self.socket.connected, "the venue has closed the connection"
        try:
            return json.loads(text)
        except ValueError:
            return text

    def is_cut(self, within_s: float = 10, pongs: bool = True) -> bool:
        """Whether the venue ends the connection in that time, whatever it sends before."""
        deadline = time.monotonic() + within_s
        self.socket.settimeout(within_s)
        while time.monotonic() < deadline:
            try:
                opcode, frame = self.socket.recv_data_frame(control_frame=True) if pongs else (0, self.socket.recv_frame())  # type: ignore[no-untyped-call]
            except websocket.WebSocketTimeoutException:
                return False
            except (websocket.WebSocketConnectionClosedException, ConnectionError):
                return True
            if (opcode or frame.opcode) == websocket.ABNF.OPCODE_CLOSE:
                return True
        return False


def test_binance_wraps_force_orders_in_their_stream(venues: FakeVenues) -> None:
    socket = Socket(venues, "binance", "/some/prefix/market/stream?streams=!forceOrder@arr")
    order = binance_force_order("BTCUSDT", "SELL", "0.5", "64000", NOW_MS)
    assert venues.send("binance", order) == 1
    assert socket.hear() == {"stream": "!forceOrder@arr", "data": order}
    assert (order["o"]["z"], order["o"]["l"], order["o"]["ap"]) == ("0.5", "0.15", "64000")


def test_binance_sends_the_bare_event_on_the_raw_route(venues: FakeVenues) -> None:
    socket = Socket(venues, "binance", "/market/ws/!forceOrder@arr")
    venues.send("binance", binance_force_order("ETHUSDT", "BUY", 2, 1800, NOW_MS))
    assert socket.hear()["o"]["s"] == "ETHUSDT"


@pytest.mark.parametrize("path", ["/ws/!forceOrder@arr", "/stream?streams=!forceOrder@arr/!markPrice@arr"])
def test_binances_old_paths_connect_and_say_nothing(venues: FakeVenues, path: str) -> None:
    venues.timing.binance_ping = 0.1
    socket = Socket(venues, "binance", path, timeout=0.5)
    assert venues.send("binance", binance_force_order("BTCUSDT", "SELL", 1, 64000, NOW_MS)) == 0
    socket.socket.ping("still there?")
    opcodes = set()
    with pytest.raises(websocket.WebSocketTimeoutException):
        for _ in range(50):
            opcode, _frame = socket.socket.recv_data_frame(control_frame=True)
            opcodes.add(opcode)
            if len(opcodes) == 2:
                break
        assert opcodes == {websocket.ABNF.OPCODE_PING, websocket.ABNF.OPCODE_PONG}
        venues.timing.binance_ping = 60
        socket.socket.recv()


def test_an_unknown_path_is_no_socket(venues: FakeVenues) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException):
        Socket(venues, "binance", "/public/nothing")


def test_binance_sends_every_mark_until_it_is_silenced(venues: FakeVenues) -> None:
    socket = Socket(venues, "binance", ROUTE)
    venues.set_price("BTC", "60000")
    frame = socket.hear()
    assert frame["stream"] == "!markPrice@arr"
    assert {mark["s"]: mark["p"] for mark in frame["data"]}["BTCUSDT"] == "60000"
    assert {mark["s"]: mark["p"] for mark in frame["data"]}["1000PEPEUSDT"] == "0.0031"
    venues.silence_marks()
    venues.send("binance", binance_force_order("BTCUSDT", "SELL", 1, 60000, NOW_MS))
    heard = socket.hear()
    while heard["stream"] == "!markPrice@arr":
        heard = socket.hear()
    socket.socket.settimeout(0.4)
    with pytest.raises(websocket.WebSocketTimeoutException):
        socket.hear()


def test_binance_drops_who_never_pongs(venues: FakeVenues) -> None:
    venues.timing.binance_ping, venues.timing.binance_pong_wait = 0.1, 1.5
    silent, polite = Socket(venues, "binance", ROUTE), Socket(venues, "binance", ROUTE)
    assert not polite.is_cut(within_s=2)
    assert silent.is_cut(pongs=False)


def test_binance_takes_ten_messages_a_second(venues: FakeVenues) -> None:
    socket = Socket(venues, "binance", "/market/ws")
    for number in range(10):
        assert socket.say({"method": "SUBSCRIBE", "params": ["!forceOrder@arr"], "id": number}).hear() == {"result": None, "id": number}
    assert socket.say({"method": "LIST_SUBSCRIPTIONS", "id": 99}).is_cut()


def test_bybit_answers_as_documented(venues: FakeVenues) -> None:
    socket = Socket(venues, "bybit", "/v5/public/linear")
    assert socket.say({"op": "ping", "req_id": "7"}).hear() | {"conn_id": ""} == {
        "success": True,
        "ret_msg": "pong",
        "conn_id": "",
        "req_id": "7",
        "op": "ping",
    }
    assert socket.say({"op": "subscribe", "args": ["allLiquidation.BTCUSDT"]}).hear()["success"] is True
    refused = socket.say({"op": "subscribe", "args": ["allLiquidation.ETHUSDT", "allLiquidation.NOSUCHUSDT"]}).hear()
    assert (refused["success"], refused["ret_msg"]) == (False, "error:handler not found,topic:allLiquidation.NOSUCHUSDT")
    for symbol in ("ETHUSDT", "BTCUSDT"):
        venues.send("bybit", bybit_liquidations([("Buy", "0.1", "63000", NOW_MS)], symbol))
    assert socket.hear() == {
        "topic": "allLiquidation.BTCUSDT",
        "type": "snapshot",
        "ts": NOW_MS + 100,
        "data": [{"T": NOW_MS, "s": "BTCUSDT", "S": "Buy", "v": "0.1", "p": "63000"}],
    }


def test_bybit_limits_the_args_of_a_connection(venues: FakeVenues) -> None:
    socket = Socket(venues, "bybit", "/v5/public/linear")
    topic = "allLiquidation.BTCUSDT"
    assert socket.say({"op": "subscribe", "args": [topic] * 800}).hear()["success"] is True
    assert socket.say({"op": "subscribe", "args": [topic] * 900}).hear()["success"] is False


def test_bybit_and_okx_drop_who_is_silent(venues: FakeVenues) -> None:
    venues.timing.bybit_silence = venues.timing.okx_silence = 0.3
    assert Socket(venues, "bybit", "/v5/public/linear").is_cut()
    assert Socket(venues, "okx", "/ws/v5/public").is_cut()
    assert [client.dropped for client in venues.connects["bybit"] + venues.connects["okx"]] == ["no heartbeat", "no data for 30 s"]


def test_protocol_pings_do_not_keep_okx_alive_and_its_own_do(venues: FakeVenues) -> None:
    venues.timing.okx_silence = 1.0
    wrong, right = Socket(venues, "okx", "/ws/v5/public"), Socket(venues, "okx", "/ws/v5/public")

    def dropped_in_spite_of_pings() -> bool:
        assert right.say("ping").hear() == "pong"
        with contextlib.suppress(OSError):
            wrong.socket.ping()
        return bool(venues.connects["okx"][0].dropped)

    wait_until(dropped_in_spite_of_pings)
    assert [client.dropped for client in venues.connects["okx"]] == ["no data for 30 s", ""]


def test_okx_acknowledges_and_sends_its_backlog_first(venues: FakeVenues) -> None:
    old, new = (okx_liquidations([("sell", "long", size, "64000", NOW_MS)]) for size in (1, 2))
    venues.okx_backlog(old)
    socket = Socket(venues, "okx", "/ws/v5/public").say(OKX_TOPIC)
    acknowledged = socket.hear()
    assert (acknowledged["event"], acknowledged["arg"]) == ("subscribe", OKX_TOPIC["args"][0])
    assert socket.hear() == old
    venues.send("okx", new)
    assert socket.hear() == new


def test_okx_refuses_what_it_does_not_know(venues: FakeVenues) -> None:
    socket = Socket(venues, "okx", "/ws/v5/public")
    wrong = {"op": "subscribe", "args": [{"channel": "liquidations", "instType": "SWAP"}]}
    assert [socket.say(message).hear()["code"] for message in (wrong, {"op": "dance"}, "{")] == ["60018", "60012", "60012"]


def test_a_stalled_venue_pongs_without_data_and_a_frozen_one_is_mute(venues: FakeVenues) -> None:
    socket = Socket(venues, "okx", "/ws/v5/public").say(OKX_TOPIC)
    socket.hear()
    venues.stall("okx")
    assert venues.send("okx", okx_liquidations([("sell", "long", 1, 1, NOW_MS)])) == 0
    assert socket.say("ping").hear() == "pong"
    venues.freeze("okx")
    socket.say("ping").socket.settimeout(0.3)
    with pytest.raises(websocket.WebSocketTimeoutException):
        socket.hear()
    venues.resume("okx")
    assert socket.say("ping").hear() == "pong"


def test_dropped_connections_are_counted_and_garbage_arrives_as_it_is(venues: FakeVenues) -> None:
    socket = Socket(venues, "bybit", "/v5/public/linear")
    assert venues.send_raw("bybit", '{"topic": "allLiq') == 1
    assert venues.send_raw("bybit", b"\xff\xfe") == 1
    assert socket.hear() == '{"topic": "allLiq'
    assert socket.socket.recv() == b"\xff\xfe"
    assert (venues.connections("bybit"), venues.drop("bybit")) == (1, 1)
    assert socket.is_cut()
    wait_until(lambda: venues.connections("bybit") == 0)
    assert len(venues.connects["bybit"]) == 1


def test_a_venue_refuses_in_three_ways_and_accepts_again(venues: FakeVenues) -> None:
    venues.refuse("okx")
    with pytest.raises(ConnectionRefusedError):
        Socket(venues, "okx", "/ws/v5/public")
    venues.accept("okx")
    venues.refuse("okx", how="status")
    with pytest.raises(websocket.WebSocketBadStatusException, match="503"):
        Socket(venues, "okx", "/ws/v5/public")
    venues.refuse("okx", how="hang")
    with pytest.raises(websocket.WebSocketTimeoutException):
        Socket(venues, "okx", "/ws/v5/public", timeout=0.3)
    venues.accept("okx")
    assert Socket(venues, "okx", "/ws/v5/public").say("ping").hear() == "pong"


def test_times_are_shifted_wherever_they_stand() -> None:
    okx = shifted(okx_liquidations([("buy", "short", 1, 2, NOW_MS)]), 500)
    assert okx["data"][0]["details"][0]["ts"] == str(NOW_MS + 500)
    binance = shifted(binance_force_order("BTCUSDT", "BUY", 1, 2, NOW_MS), -500)
    assert (binance["E"], binance["o"]["T"]) == (NOW_MS - 495, NOW_MS - 500)


def write_recording(folder: Path) -> Path:
    """Three frames, 0.2 s and 0.2 s apart, one of each venue."""
    frames: list[tuple[str, Any]] = [
        ("binance", binance_force_order("BTCUSDT", "SELL", 1, 50000, NOW_MS - 1000)),
        ("bybit", bybit_liquidations([("Buy", 1, 49000, NOW_MS)])),
        ("okx", okx_liquidations([("sell", "long", 1, 48000, NOW_MS)])),
    ]
    header = {"format": "alertsystem.recording", "version": 1, "markets": {}}
    lines = [{"at": NOW_MS + 200 * n, "venue": venue, "feed": "liquidations", "payload": payload} for n, (venue, payload) in enumerate(frames)]
    path = folder / "three.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in [header, *lines]))
    return path


def test_a_recording_is_played_at_its_pace_and_stamped_as_of_now(venues: FakeVenues, tmp_path: Path) -> None:
    venues.silence_marks()
    binance = Socket(venues, "binance", ROUTE)
    bybit = Socket(venues, "bybit", "/v5/public/linear").say({"op": "subscribe", "args": ["allLiquidation.BTCUSDT"]})
    okx = Socket(venues, "okx", "/ws/v5/public").say(OKX_TOPIC)
    for subscribed in (bybit, okx):
        subscribed.hear()
    began_ms = int(time.time() * 1000)
    assert venues.play(write_recording(tmp_path)) == 3
    ended_ms = int(time.time() * 1000)
    times = [binance.hear()["data"]["o"]["T"], bybit.hear()["ts"], int(okx.hear()["data"][0]["details"][0]["ts"])]
    sent = [at + before_ms for at, before_ms in zip(times, (1000, 100, 400), strict=True)]  # so long before its arrival each is stamped
    assert began_ms <= sent[0] and sent[2] <= ended_ms
    assert [at - began_ms >= due_ms - CLOCK_MS for at, due_ms in zip(sent, (0, 200, 400), strict=True)] == [True] * 3
    listing = venues.markets.find("binance", "BTCUSDT")
    assert listing is not None
    assert listing.price == Decimal(48000)


def test_a_recording_waits_for_its_subscribers(venues: FakeVenues, tmp_path: Path) -> None:
    Socket(venues, "binance", ROUTE)
    with pytest.raises(TimeoutError, match="bybit, okx"):
        venues.play(write_recording(tmp_path), wait_s=0.1)


def test_a_shared_recording_can_be_played(venues: FakeVenues, tmp_path: Path) -> None:
    folder = os.environ.get("RECORDINGS_DIR")
    if not folder:
        pytest.skip("RECORDINGS_DIR is not set")
    socket = Socket(venues, "binance", "/market/stream?streams=!forceOrder@arr")
    assert venues.play(Path(folder) / "binance_force_orders_2025-06.jsonl.gz", speed=1e9) == 702
    assert socket.hear()["data"]["o"]["s"] == "FLUXUSDT"


def test_they_run_as_a_process_with_controls_over_http(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-m", "tests.fakes.venues"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        lines = list(iter(process.stdout.readline, "ready\n"))
        env = dict(line.strip().split("=", 1) for line in lines)
        socket = websocket.create_connection(env["BINANCE_WS_URL"] + "/market/ws/!forceOrder@arr", timeout=5)
        control = f"{env['OKX_REST_URL']}/_fake"
        order = binance_force_order("BTCUSDT", "SELL", 1, 64000, NOW_MS)
        assert requests.post(f"{control}/send", json={"venue": "binance", "payload": order}, timeout=5).json() == 1
        assert json.loads(socket.recv()) == order
        assert requests.post(f"{control}/connections", json={"venue": "binance"}, timeout=5).json() == 1
    finally:
        process.terminate()
        assert process.wait(5) == 0


def wait_until(true: Callable[[], bool], seconds: float = 10) -> None:
    """Poll until `true()`; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
