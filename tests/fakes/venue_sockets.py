"""How does a fake venue keep its sockets? Connections, keep-alive and the ways to misbehave; the protocols are beside."""

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from tests.fakes.venue_markets import Markets

CHECK_S = 0.02
CLOSE_S = 0.3  # a client that does not answer the closing handshake is cut
FOREVER_S = 3600.0


@dataclass
class Timing:
    """Intervals in seconds, as documented; tests shorten them."""

    binance_ping: float = 180.0
    binance_pong_wait: float = 600.0
    binance_marks: float = 3.0
    bybit_silence: float = 30.0
    okx_silence: float = 30.0


@dataclass(eq=False)
class Client:
    """One connection: when it came (monotonic), what it asked for, and everything it sent, with the time."""

    socket: web.WebSocketResponse
    path: str
    connected_at: float = field(default_factory=time.monotonic)
    topics: set[str] = field(default_factory=set)
    received: list[tuple[float, str]] = field(default_factory=list)
    heard_at: float = field(default_factory=time.monotonic)
    ponged_at: float = field(default_factory=time.monotonic)
    done_at: dict[str, float] = field(default_factory=dict)
    dead: bool = False
    dropped: str = ""

    async def say(self, message: Any) -> None:
        """Send an answer or a frame: text and bytes as they are, the rest as JSON."""
        if self.socket.closed:
            return
        try:
            if isinstance(message, bytes):
                await self.socket.send_bytes(message)
            else:
                await self.socket.send_str(message if isinstance(message, str) else json.dumps(message, separators=(",", ":")))
        except ConnectionError:
            return


class VenueSockets:
    """What the sockets of all venues share. A venue says how it greets, hears and frames."""

    paths: tuple[str, ...] = ()

    def __init__(self, markets: Markets, timing: Timing) -> None:
        self.markets = markets
        self.timing = timing
        self.clients: list[Client] = []
        self.connects: list[Client] = []
        self.refusing = ""
        self.stalled = False
        self.frozen = False

    async def handle(self, http: web.Request) -> web.StreamResponse:
        """Serve one connection until either side ends it."""
        if self.refusing == "hang":
            await asyncio.sleep(FOREVER_S)
        if self.refusing:
            return web.Response(status=503, text="Service Unavailable")
        client = Client(web.WebSocketResponse(timeout=CLOSE_S, autoping=False, compress=False, max_msg_size=0), http.path)
        if not self.greet(client, http):
            return web.Response(status=404, text="Not Found")
        await client.socket.prepare(http)
        self.clients.append(client)
        self.connects.append(client)
        chores = asyncio.ensure_future(self._keep(client))
        try:
            await self._listen(client)
        finally:
            chores.cancel()
            self.clients.remove(client)
        return client.socket

    def greet(self, client: Client, http: web.Request) -> bool:
        """Whether there is something at this path."""
        return http.path.endswith(self.paths)

    async def hear(self, client: Client, text: str) -> None:
        """Answer a message of the client."""

    def overdue(self, client: Client, now: float) -> str:
        """Why the client has to be dropped now; empty while it is welcome."""
        return ""

    def frame_for(self, client: Client, payload: Any) -> Any:
        """The payload as this client receives it; None when it did not subscribe to it."""
        return payload

    async def chore(self, client: Client, now: float) -> None:
        """What the venue sends by itself; called often."""

    async def broadcast(self, payload: Any) -> int:
        """Send a wire payload to everyone who subscribed to it; returns to how many."""
        reached = 0
        for client in list(self.clients):
            frame = None if client.dead or self.stalled or self.frozen else self.frame_for(client, payload)
            if frame is not None:
                await client.say(frame)
                reached += 1
        return reached

    async def broadcast_raw(self, message: str | bytes) -> int:
        """Send text or bytes as they are to every living connection."""
        living = [client for client in self.clients if not client.dead]
        for client in living:
            await client.say(message)
        return len(living)

    async def drop_all(self) -> int:
        """Cut every connection without a word; returns how many."""
        clients = list(self.clients)
        for client in clients:
            client.dropped = "dropped by the test"
            self._cut(client)
        return len(clients)

    async def drop(self, client: Client, why: str) -> None:
        """Close one connection and remember why."""
        client.dropped = why
        await client.socket.close(code=WSCloseCode.POLICY_VIOLATION, message=why.encode()[:120], drain=False)

    def _cut(self, client: Client) -> None:
        transport = client.socket._req.transport if client.socket._req else None
        if transport is not None:
            transport.abort()

    async def _listen(self, client: Client) -> None:
        async for message in client.socket:
            client.heard_at = time.monotonic()
            text = message.data if message.type is WSMsgType.TEXT else f"<{message.type.name.lower()}>"
            client.received.append((client.heard_at, text))
            if message.type is WSMsgType.PONG:
                client.ponged_at = client.heard_at
            if self.frozen or not await self.admit(client):
                continue
            if message.type is WSMsgType.PING:
                await client.socket.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                await self.hear(client, text)

    async def admit(self, client: Client) -> bool:
        """Whether the newest message is within the venue's rate; drops the client otherwise."""
        return True

    async def _keep(self, client: Client) -> None:
        while not client.socket.closed:
            now = time.monotonic()
            if why := self.overdue(client, now):
                await self.drop(client, why)
                self._cut(client)
                return
            await self.chore(client, now)
            await asyncio.sleep(CHECK_S)
