"""How is one venue's socket kept alive? One connection in its own thread: connect, subscribe, ping, watch, come back."""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from monitors.market import Venue
from monitors.venues import backoff
from monitors.venues.connection import OWN_TIMEOUT_S, BufferedWebSocket, ConnectionEnded, close, describe, open_socket, read_frames
from monitors.venues.contracts import Contracts
from monitors.venues.registry import FeedSpec, parser_for
from monitors.venues.subscriptions import Subscriptions
from monitors.venues.wire import MalformedFrame

log = logging.getLogger(__name__)

CONNECTING, LIVE, WAITING, STOPPED = "connecting", "live", "waiting", "stopped"
_NO_CONTRACTS = Contracts()

Deliver = Callable[[Sequence[bytes], int], None]  # (raw frames, their arrival in epoch ms); may wait while the queue is full


@dataclass(slots=True)
class SocketState:
    """How the connection is doing; written by its thread, read by others. Times in epoch ms, None for never.

    `live` only once a frame has proved that the route delivers. `refused`: topics that the venue does not give, with its words.
    """

    state: str = CONNECTING
    connected_at_ms: int | None = None
    last_data_ms: int | None = None
    next_try_ms: int | None = None
    error: str = ""
    refused: str = ""
    connects: int = 0


class VenueSocket:
    """One connection that comes back by itself. `topics` may be exchanged at any time (Bybit)."""

    def __init__(self, venue: Venue, url: str, spec: FeedSpec, deliver: Deliver, topics: tuple[str, ...] = ()) -> None:
        self.topics = topics
        self.status = SocketState()
        self._venue, self._url, self._spec, self._deliver = venue, url, spec, deliver
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"socket-{venue}", daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """End soon; returns at once."""
        self._stopping.set()

    def join(self, timeout_s: float) -> None:
        """Wait for the end; a connect that hangs is left behind (the thread is a daemon)."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            since = time.monotonic()
            try:
                self._live_once()
            except Exception as error:  # whatever it was, this thread must come back: one venue's feed hangs on it
                failures = 1 if time.monotonic() - since >= backoff.STABLE_S else failures + 1
                self._wait_after(describe(error), backoff.wait_s(failures, random.random()))
        self.status.state = STOPPED

    def _wait_after(self, what: str, wait_s: float) -> None:
        status = self.status
        next_try_ms = _now_ms() + int(wait_s * 1000)
        status.state, status.error, status.next_try_ms, status.connected_at_ms = WAITING, what, next_try_ms, None
        at = datetime.fromtimestamp(next_try_ms / 1000, UTC)
        log.warning("%s: %s; next try in %.0f s, at %s UTC", self._venue.title, what, wait_s, f"{at:%H:%M:%S}")
        self._stopping.wait(wait_s)

    def _live_once(self) -> None:
        """One connection from the first byte to the last; raises when it ends, returns when asked to stop."""
        self.status.state, self.status.next_try_ms = CONNECTING, None
        connection = open_socket(self._url, self._spec.handshake_timeout_s)
        self.status.connects += 1
        self.status.connected_at_ms = _now_ms()
        try:
            Session(self, connection).read_until(self._stopping)
        finally:
            close(connection)


class Session:
    """What is known of one living connection; times are monotonic seconds."""

    def __init__(self, owner: VenueSocket, connection: BufferedWebSocket) -> None:
        self._owner, self._connection, self._spec = owner, connection, owner._spec
        self._status, self._venue, self._deliver = owner.status, owner._venue, owner._deliver
        self._subscriptions = Subscriptions()
        self._status.refused = ""
        now = time.monotonic()
        self._heard = self._proved = now
        self._pinged: float | None = None

    def read_until(self, stopping: threading.Event) -> None:
        """Hand on frames until told to stop; raises when the connection ends or falls silent."""
        connection, next_chores = self._connection, 0.0
        if self._spec.subscribe:
            connection.send(self._spec.subscribe)
        while not stopping.is_set():
            now = time.monotonic()
            if now >= next_chores:
                self._do_chores(now)
                next_chores = now + OWN_TIMEOUT_S
            frames = read_frames(connection)
            if frames:
                self._take(frames)

    def _take(self, frames: Sequence[bytes]) -> None:
        """Hand on what was received together, but for the answers to what we said."""
        received_at_ms, before = _now_ms(), time.monotonic()
        is_control = self._spec.is_control
        data = [raw for raw in frames if not (is_control(raw) and self._is_answer(raw))]
        if data:
            self._deliver(data, received_at_ms)
        self._heard = time.monotonic()
        self._proved += self._heard - before  # waiting for a full queue is no silence of the venue
        if any(map(self._spec.proves, frames)):
            self._proved, self._status.last_data_ms = self._heard, received_at_ms
            if self._status.state != LIVE:
                self._status.state, self._status.error = LIVE, ""
                log.info("%s: connected, data flows", self._venue.title)

    def _is_answer(self, raw: bytes) -> bool:
        try:
            answer = parser_for(self._venue).parse(raw, _NO_CONTRACTS)
        except MalformedFrame:
            return False
        if answer.is_control:
            self._hear_answer(answer.request_id, answer.refused)
        return answer.is_control

    def _hear_answer(self, request_id: str, refused: str) -> None:
        if refused and self._spec.subscribe:
            raise ConnectionEnded(f"subscription refused: {refused}")  # without its only subscription the feed gives nothing
        for request in self._subscriptions.answered(request_id, refused):
            self._connection.send(request)
        if refused:
            self._status.refused = "; ".join(f"{topic}: {why}" for topic, why in self._subscriptions.refused.items()) or refused

    def _do_chores(self, now: float) -> None:
        silent_s = now - self._proved
        if silent_s > self._spec.silent_limit_s:
            raise ConnectionEnded(f"{self._spec.silence} for {silent_s:.0f} s")
        if self._spec.ping and self._ping_is_due(now):
            self._connection.send(self._spec.ping)
            self._pinged = now
        for request in self._subscriptions.follow(self._owner.topics):
            self._connection.send(request)

    def _ping_is_due(self, now: float) -> bool:
        return self._pinged is None or now - self._pinged >= self._spec.ping_every_s


def _now_ms() -> int:
    return int(time.time() * 1000)
