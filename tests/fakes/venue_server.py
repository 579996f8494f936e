"""How does one fake venue serve its port? Sockets and REST side by side, a journal, and faults on request."""

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes import venue_rest
from tests.fakes.server import Handler, Listener
from tests.fakes.venue_markets import Markets
from tests.fakes.venue_protocols import PROTOCOLS
from tests.fakes.venue_sockets import Timing


@dataclass
class RestRequest:
    """One REST request: `at` in epoch seconds, `answered` the status, 0 for none."""

    path: str
    query: Mapping[str, str]
    at: float
    answered: int = 0


@dataclass
class RestFault:
    """What the next requests get instead of their answer."""

    times: int
    path: str = ""
    status: int = 0
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    hang_s: float = 0.0


class VenueServer:
    """One venue on one port."""

    def __init__(self, venue: str, markets: Markets, timing: Timing, port: int, control: Handler) -> None:
        self.venue = venue
        self.markets = markets
        self.sockets = PROTOCOLS[venue](markets, timing)
        self.requests: list[RestRequest] = []
        self.faults: deque[RestFault] = deque()
        self.listener = Listener(self._handle, port)
        self._control = control

    async def _handle(self, http: web.Request) -> web.StreamResponse:
        if http.path.startswith("/_fake/"):
            return await self._control(http)
        if http.headers.get("Upgrade", "").lower() == "websocket":
            return await self.sockets.handle(http)
        return await self._rest(http)

    async def _rest(self, http: web.Request) -> web.Response:
        request = RestRequest(http.path, dict(http.query), time.time())
        self.requests.append(request)
        fault = self._take_fault(http.path)
        if fault is not None and fault.hang_s:
            await asyncio.sleep(fault.hang_s)
            if http.transport is not None:
                http.transport.abort()
            return web.Response()
        found = (fault.status, fault.body) if fault else venue_rest.answer(self.venue, self.markets, http.path, request.query)
        request.answered, body = found or (404, {"msg": "Not Found"})
        headers = dict(fault.headers) if fault else {}
        if isinstance(body, str):
            return web.Response(text=body, status=request.answered, headers=headers)
        return web.json_response(body, status=request.answered, headers=headers)

    def _take_fault(self, path: str) -> RestFault | None:
        fault = next((fault for fault in self.faults if fault.path in path), None)
        if fault is not None:
            fault.times -= 1
            if not fault.times:
                self.faults.remove(fault)
        return fault
