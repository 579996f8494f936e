"""How does a fake listen? An event loop in a thread of its own, and a port that can stop and resume listening."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

Result = TypeVar("Result")

HOST = "127.0.0.1"
CALL_TIMEOUT_S = 30.0
SHUTDOWN_S = 0.05  # handlers that hang on purpose are not waited for
MAX_BODY = 64 * 1024 * 1024


class LoopThread:
    """An event loop in a daemon thread, so that a test stays plain synchronous code."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="fake", daemon=True)

    def start(self) -> None:
        """Start the thread; once."""
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run `work` in the loop and wait for its result (from another thread only)."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(CALL_TIMEOUT_S)

    def stop(self) -> None:
        """Cancel what still runs and end the thread."""
        self.run(_cancel_others())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(CALL_TIMEOUT_S)
        self.loop.close()


class Listener:
    """One port on 127.0.0.1 for one handler; port 0 takes a free one and keeps it through `close` and `open`."""

    def __init__(self, handler: Handler, port: int = 0) -> None:
        self.port = port
        self._handler = handler
        self._runner: web.AppRunner | None = None

    async def open(self) -> None:
        """Listen; nothing happens when it listens already."""
        if self._runner is not None:
            return
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self._handler)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self.port, reuse_address=True).start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Stop listening and cut every connection: new ones are refused by the system."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()


async def _cancel_others() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
