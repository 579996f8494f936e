"""How do updates arrive without a webhook? One endless loop: ask Telegram, handle each update, confirm it with the next question."""

import asyncio
import logging
import warnings
from collections.abc import Sequence
from typing import Any, cast

from telegram.error import TelegramError

from subscribers.bot.connection import Connection
from subscribers.bot.handlers import ALLOWED_UPDATES

POLL_S = 10  # how long Telegram may hold a question; a dead connection is noticed `ANSWER_S` later
ANSWER_S = 5.0
CONFIRM_S = 0.5  # the farewell may not hold up the end of the process

log = logging.getLogger(__name__)
# `Bot.get_updates` gives none when it cannot read one of them, and logs all of them with a traceback: they are asked for as JSON, and read one by one
warnings.filterwarnings("ignore", r"Please use 'Bot\.getUpdates'")


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
            found = await self._connection.until_it_works(self._ask)
            if found:
                await self._connection.handle(update for update in map(self._connection.read, found) if update is not None)
                self._next = found[-1]["update_id"] + 1
                await self._connection.settle()

    async def farewell(self) -> None:
        """Tell Telegram what was done, so that a restart does not answer it again."""
        if not self._next:
            return
        try:
            await asyncio.wait_for(self._get_updates(limit=1), CONFIRM_S)
        except (TelegramError, TimeoutError):
            log.info("the last updates may be answered twice")

    async def _end_webhook(self) -> None:
        """Nothing can be polled while one is set, perhaps by this bot before its settings were changed; waiting updates are kept."""
        try:
            await self._connection.bot.delete_webhook()
        except TelegramError as error:
            log.info("a webhook that was set is still there: %s", type(error).__name__)

    async def _ask(self) -> Sequence[dict[str, Any]]:
        return await self._get_updates(timeout_s=POLL_S, allowed_updates=ALLOWED_UPDATES)

    async def _get_updates(self, timeout_s: int = 0, **words: object) -> Sequence[dict[str, Any]]:
        """What waits from `_next` on, oldest first, as Telegram writes it; all before is confirmed."""
        asked = {"offset": self._next, "timeout": timeout_s, **words}
        found = await self._connection.bot.do_api_request("getUpdates", api_kwargs=asked, read_timeout=ANSWER_S + timeout_s)
        return cast("list[dict[str, Any]]", found)
