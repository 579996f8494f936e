"""How do updates arrive without a webhook? One endless loop: ask Telegram, handle each update, confirm it with the next question."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, cast

from telegram import Update
from telegram.error import TelegramError

from subscribers.bot.connection import Connection
from subscribers.bot.handlers import ALLOWED_UPDATES

POLL_S = 10  # how long Telegram may hold a question; a dead connection is noticed 5 s later
CONFIRM_S = 0.5  # the farewell may not hold up the end of the process

log = logging.getLogger(__name__)


class Poller:
    """The only process that may poll this token."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._next = 0

    async def run(self) -> None:
        """Poll until cancelled, through every trouble."""
        await self._connection.open()
        await self._end_webhook()
        log.info("the bot @%s is listening", self._connection.bot.username)
        while True:
            updates = await self._connection.until_it_works(self._ask)
            if updates:
                await self._connection.handle(updates)
                self._next = updates[-1].update_id + 1
                await self._connection.settle()

    async def farewell(self) -> None:
        """Tell Telegram what was done, so that a restart does not answer it again."""
        if not self._next:
            return
        try:
            await asyncio.wait_for(self._connection.bot.get_updates(offset=self._next, limit=1, timeout=0), CONFIRM_S)
        except (TelegramError, TimeoutError):
            log.info("the last updates may be answered twice")

    async def _end_webhook(self) -> None:
        """Nothing can be polled while one is set, perhaps by this bot before its settings were changed; waiting updates are kept."""
        try:
            await self._connection.bot.delete_webhook()
        except TelegramError as error:
            log.info("a webhook that was set is still there: %s", type(error).__name__)

    async def _ask(self) -> Sequence[Update]:
        try:
            updates: Sequence[Update] = await self._connection.bot.get_updates(offset=self._next, timeout=POLL_S, allowed_updates=ALLOWED_UPDATES)
        except TelegramError:
            raise
        except Exception as error:  # one update that the library cannot read must not hide all others for ever
            log.error("an update from Telegram cannot be read (%s); it is skipped", type(error).__name__)
            return await self._ask_for_readable()
        return updates

    async def _ask_for_readable(self) -> Sequence[Update]:
        """The waiting updates that can be read; when none can, they are confirmed unread."""
        found = cast("list[dict[str, Any]]", await self._connection.bot.do_api_request("getUpdates", api_kwargs={"offset": self._next, "timeout": 0}))
        readable = [update for update in map(self._connection.read, found) if update is not None]
        if found and not readable:
            self._next = found[-1]["update_id"] + 1
        return readable
