"""Who takes webhooks? A small HTTP server on 127.0.0.1 that keeps every request, and answers as it is told."""

import asyncio
from dataclasses import dataclass, field

from aiohttp import web

from tests.fakes.server import Listener, LoopThread


@dataclass(frozen=True)
class Call:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class FakeReceiver:
    """`status` answers every request with `headers`; `hang_s` lets each wait before it is answered."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hang_s: float = 0.0
    calls: list[Call] = field(default_factory=list)

    def __enter__(self) -> "FakeReceiver":
        self._thread = LoopThread()
        self._listener = Listener(self._take)
        self._thread.start()
        self._thread.run(self._listener.open())
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.run(self._listener.close())
        self._thread.stop()

    @property
    def url(self) -> str:
        """An address that it takes requests at."""
        return f"http://127.0.0.1:{self._listener.port}/alerts"

    async def _take(self, request: web.Request) -> web.StreamResponse:
        self.calls.append(Call(request.path, dict(request.headers), await request.read()))
        status = self.status
        if self.hang_s:
            await asyncio.sleep(self.hang_s)
        return web.Response(status=status, headers=self.headers)
