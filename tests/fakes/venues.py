"""What do the venues see of us? Binance USD-M, Bybit linear and OKX on 127.0.0.1, sockets and REST, with all their rules.

In a test: `with FakeVenues() as venues:` and the settings `venues.env`.
As a process: `python -m tests.fakes.venues --port N [--play FILE]` takes the ports N, N+1, N+2, prints the settings as
KEY=VALUE lines and `ready`; POST /_fake/<control> on any of the ports, with the control's arguments as JSON.
"""

import argparse
import asyncio
import concurrent.futures
import contextlib
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from aiohttp import web

from tests.fakes import venue_playback
from tests.fakes.server import HOST, LoopThread
from tests.fakes.venue_frames import Json
from tests.fakes.venue_markets import BINANCE, OKX, VENUES, Markets, Ohlc
from tests.fakes.venue_protocols import BinanceSockets, OkxSockets
from tests.fakes.venue_rest_common import CLOCK
from tests.fakes.venue_server import RestFault, RestRequest, VenueServer
from tests.fakes.venue_sockets import Client, Timing

SENDS = ("send", "send_raw", "play")
BREAKS = ("drop", "stall", "freeze", "resume", "refuse", "accept", "silence_marks", "rest_answers", "rest_hangs")
CONTROLS = frozenset({*SENDS, *BREAKS, "connections", "set_price", "set_open_interest", "push_volume", "set_mark_candle", "set_clock"})


class FakeVenues:
    """All three venues, each on a port of its own (`port`, +1, +2; 0: free ones)."""

    def __init__(self, port: int = 0, timing: Timing | None = None, markets: Markets | None = None) -> None:
        self.markets = markets or Markets()
        self.timing = timing or Timing()
        self._thread = LoopThread()
        self.servers = {
            venue: VenueServer(venue, self.markets, self.timing, port + number if port else 0, self._control) for number, venue in enumerate(VENUES)
        }

    def __enter__(self) -> Self:
        self._thread.start()
        for server in self.servers.values():
            self._thread.run(server.listener.open())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for server in self.servers.values():
            self._thread.run(server.listener.close())
        self._thread.stop()
        CLOCK.ahead_ms = 0

    @property
    def env(self) -> dict[str, str]:
        """The settings that lead the product here."""
        ports = {venue.upper(): server.listener.port for venue, server in self.servers.items()}
        sockets = {f"{venue}_WS_URL": f"ws://{HOST}:{port}" for venue, port in ports.items()}
        return sockets | {f"{venue}_REST_URL": f"http://{HOST}:{port}" for venue, port in ports.items()}

    # What is sent

    def send(self, venue: str, payload: Any) -> int:
        """Send a wire frame (Binance: the inner object) to every client that subscribed to it; returns to how many."""
        return self._thread.run(self.servers[venue].sockets.broadcast(payload))

    def send_raw(self, venue: str, message: str | bytes) -> int:
        """Send text or bytes as they are to every connection."""
        return self._thread.run(self.servers[venue].sockets.broadcast_raw(message))

    def play(self, recording: str | Path, speed: float = 1.0, wait_s: float = 60.0) -> int:
        """Send a recording when every venue in it has a subscriber (TimeoutError after `wait_s`); returns the frames sent."""
        path = Path(recording)
        wanted = {line["venue"] for line in venue_playback.lines(path) if line["feed"] == "liquidations"}
        self.wait_for_subscribers(wanted, wait_s)
        work = venue_playback.play(path, lambda venue, frame: self.servers[venue].sockets.broadcast(frame), self.markets, speed)
        return asyncio.run_coroutine_threadsafe(work, self._thread.loop).result()

    def set_price(self, asset: str, price: Decimal | str, venue: str = "") -> None:
        """Move the price (dollars per coin of the asset) on one venue, or on all; marks and tickers follow."""
        self.markets.set_price(asset, Decimal(price), venue)

    def set_open_interest(self, asset: str, coins: Decimal | str, venue: str = "") -> None:
        """Set the open interest, one side, in coins of the asset."""
        self.markets.set_open_interest(asset, Decimal(coins), venue)

    def push_volume(self, asset: str, times: Decimal | str | int, opened_at_ms: int, venue: str = "") -> None:
        """Let one 5-minute candle have so many times its usual dollars."""
        self.markets.push_volume(asset, Decimal(times), opened_at_ms, venue)

    def set_mark_candle(self, asset: str, opened_at_ms: int, ohlc: Sequence[Decimal | str | float] | None, venue: str = "") -> None:
        """Let the mark price candle of a minute be this (open, high, low, close; dollars per coin of the asset), None: missing."""
        prices = None if ohlc is None else tuple(Decimal(str(price)) for price in ohlc)
        self.markets.set_mark_candle(asset, opened_at_ms, cast("Ohlc | None", prices), venue)

    def set_clock(self, ahead_ms: int) -> None:
        """Set the clock of all venues ahead of ours (negative: behind); over REST only."""
        CLOCK.ahead_ms = ahead_ms

    def okx_backlog(self, frame: Json | None) -> None:
        """The frame OKX sends first to whoever subscribes; None for none."""
        cast(OkxSockets, self.servers[OKX].sockets).backlog = frame

    # What goes wrong

    def drop(self, venue: str) -> int:
        """Cut every connection of the venue; returns how many."""
        return self._thread.run(self.servers[venue].sockets.drop_all())

    def stall(self, venue: str) -> None:
        """Answer pings and subscriptions, and send no data."""
        self.servers[venue].sockets.stalled = True

    def freeze(self, venue: str) -> None:
        """Keep the connections and answer nothing at all."""
        self.servers[venue].sockets.frozen = True

    def resume(self, venue: str) -> None:
        """End `stall` and `freeze`."""
        self.servers[venue].sockets.stalled = self.servers[venue].sockets.frozen = False

    def silence_marks(self, silent: bool = True) -> None:
        """Let Binance send no mark prices."""
        cast(BinanceSockets, self.servers[BINANCE].sockets).marks = not silent

    def refuse(self, venue: str, how: str = "connection") -> None:
        """Refuse new sockets: `connection` closes the port (REST too, and cuts what is open), `status` answers 503, `hang` never answers."""
        if how == "connection":
            self._thread.run(self.servers[venue].listener.close())
        else:
            self.servers[venue].sockets.refusing = how

    def accept(self, venue: str) -> None:
        """End `refuse`, on the same port."""
        self.servers[venue].sockets.refusing = ""
        self._thread.run(self.servers[venue].listener.open())

    def rest_answers(self, venue: str, status: int, body: Any = "", headers: Mapping[str, str] | None = None, times: int = 1, path: str = "") -> None:
        """Answer the next REST requests (whose path contains `path`) with this."""
        self.servers[venue].faults.append(RestFault(times, path, status, body, headers or {}))

    def rest_hangs(self, venue: str, seconds: float, times: int = 1, path: str = "") -> None:
        """Leave the next REST requests without an answer for so long, then cut them."""
        self.servers[venue].faults.append(RestFault(times, path, hang_s=seconds))

    # What was seen

    def connections(self, venue: str) -> int:
        """How many sockets are open now."""
        return len(self.servers[venue].sockets.clients)

    @property
    def connects(self) -> dict[str, list[Client]]:
        """Every connection there ever was, with its time and what it sent."""
        return {venue: server.sockets.connects for venue, server in self.servers.items()}

    def requests(self, venue: str, path: str = "") -> list[RestRequest]:
        """The REST requests whose path contains `path`."""
        return [request for request in self.servers[venue].requests if path in request.path]

    def wait_for_subscribers(self, venues: Sequence[str] | set[str] = VENUES, wait_s: float = 10.0) -> None:
        """Return when each of the venues has a client with a subscription; TimeoutError names those that have none."""
        deadline = time.monotonic() + wait_s
        while missing := sorted(venue for venue in venues if not any(c.topics and not c.dead for c in self.servers[venue].sockets.clients)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"nobody subscribed at {', '.join(missing)}")
            time.sleep(0.02)

    async def _control(self, http: web.Request) -> web.Response:
        name = http.path.rsplit("/", 1)[-1]
        if name not in CONTROLS:
            return web.json_response({"error": f"no such control; there are: {', '.join(sorted(CONTROLS))}"}, status=404)
        arguments = await http.json() if http.can_read_body else {}
        work = asyncio.to_thread(getattr(self, name), **arguments)
        if name in ("refuse", "play"):  # answered first: the one cuts this connection, the other takes long
            self._later = asyncio.ensure_future(work)
            return web.json_response(None)
        return web.json_response(await work)


def main() -> None:
    """Run as a process until SIGTERM or SIGINT; with --play until then too, after the last frame."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--play", type=Path, help="a recording to send once all its venues are subscribed")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--more-assets", type=int, default=0, help="so many assets beside the usual ones")
    options = parser.parse_args()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    with FakeVenues(options.port) as venues:
        venues.markets.add_assets(options.more_assets)
        for name, value in venues.env.items():
            print(f"{name}={value}")
        print("ready", flush=True)
        if options.play:
            threading.Thread(target=_play, args=(venues, options.play, options.speed), daemon=True).start()
        signal.sigwait({signal.SIGTERM, signal.SIGINT})


def _play(venues: FakeVenues, recording: Path, speed: float) -> None:
    with contextlib.suppress(concurrent.futures.CancelledError):
        print(f"played {venues.play(recording, speed, wait_s=600.0)} frames", flush=True)


if __name__ == "__main__":
    main()
