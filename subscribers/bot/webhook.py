"""How do updates arrive with a webhook? Telegram posts each to this process, again and again until it is answered with 200."""

import asyncio
import hashlib
import hmac
import logging
from collections import OrderedDict
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from aiohttp import web

from alerts.channels.telegram import is_loopback
from subscribers.bot.connection import Connection
from subscribers.bot.handlers import ALLOWED_UPDATES

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
MAX_CONNECTIONS = 20  # that Telegram may open
AT_ONCE = 100  # requests in work; more are told to come again
MAX_BODY = 1 << 20  # bytes; an update is a few thousand
DONE_KEPT = 1_000  # update ids
USUAL_LISTEN = ("127.0.0.1", 8081)
END_S = 0.2  # requests in work when the bot is stopped are cut off, and come again

log = logging.getLogger(__name__)


class Webhook:
    """An HTTP server for one path. 200 means: handled, what it changed is in the database."""

    def __init__(self, connection: Connection, url: str, listen: str, secret: str) -> None:
        self._connection, self._url, self._secret = connection, url, secret
        self._listen = where_to_listen(url, listen)
        self._working = 0
        self._turns: WeakValueDictionary[object, asyncio.Lock] = WeakValueDictionary()
        self._done: OrderedDict[int, None] = OrderedDict()

    async def run(self) -> None:
        """Listen, tell Telegram where, and serve until cancelled."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_post(urlsplit(self._url).path or "/", self._receive)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=END_S)
        await self._connection.open()  # before anything arrives: without its name the bot cannot tell what is meant for it
        await runner.setup()
        try:
            await web.TCPSite(runner, *self._listen).start()
            await self._connection.until_it_works(self._tell_telegram)
            log.info("the bot @%s is listening on %s:%s for what Telegram sends to its webhook", self._connection.bot.username, *self._listen)
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def farewell(self) -> None:
        """Nothing to say: what was not answered with 200 comes again."""

    async def _tell_telegram(self) -> bool:
        return await self._connection.bot.set_webhook(self._url, secret_token=self._secret, max_connections=MAX_CONNECTIONS, allowed_updates=ALLOWED_UPDATES)

    async def _receive(self, request: web.Request) -> web.Response:
        if not hmac.compare_digest(request.headers.get(SECRET_HEADER, "").encode(), self._secret.encode()):
            return web.Response(status=403)
        if self._working >= AT_ONCE:
            return web.Response(status=503)
        self._working += 1
        try:
            return await self._take(request)
        finally:
            self._working -= 1

    async def _take(self, request: web.Request) -> web.Response:
        try:
            entry = await request.json()
        except (ValueError, RecursionError):  # no JSON, no text, a number or a nesting without end
            return web.Response(status=400)
        update = self._connection.read(entry) if isinstance(entry, dict) else None
        if update is None:
            return web.Response()  # else it would come again for ever
        chat = update.effective_chat.id if update.effective_chat else None
        async with self._turns.setdefault(chat, asyncio.Lock()):
            if update.update_id not in self._done:  # Telegram repeats what it got no answer to in time
                await self._connection.handle([update])
                self._done[update.update_id] = None
                if len(self._done) > DONE_KEPT:
                    self._done.popitem(last=False)
        await self._connection.settle()
        return web.Response()


def secret_for(token: str, key: str) -> str:
    """What Telegram has to say with each update: made from the product's secret key, so that it is the same after a restart and on every server."""
    return hmac.new(key.encode(), f"telegram webhook {token}".encode(), hashlib.sha256).hexdigest()


def where_to_listen(url: str, listen: str) -> tuple[str, int]:
    """Address and port: as the setting says, else where the URL points on this machine, else the usual ones."""
    if listen:
        host, _, port = listen.rpartition(":")
        return host.strip("[]"), int(port)
    parts = urlsplit(url)
    if is_loopback(url) and parts.hostname and parts.port:
        return parts.hostname, parts.port
    return USUAL_LISTEN
