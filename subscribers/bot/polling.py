"""How do updates arrive? One endless loop: ask Telegram, handle each update, confirm it with the next question."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar, cast

from telegram import BotCommand, Update
from telegram.error import TelegramError
from telegram.ext import Application

from subscribers.bot.answers import Answers
from subscribers.bot.commands import help_lines
from subscribers.bot.handlers import ALLOWED_UPDATES
from subscribers.bot.troubles import Troubles

POLL_S = 10  # how long Telegram may hold a question; a dead connection is noticed 5 s later
SETTLE_S = 0.3  # answers that need no longer are sent before their updates are confirmed, so that a kill between them loses none
CONFIRM_S = 0.5  # the farewell may not hold up the end of the process

log = logging.getLogger(__name__)

T = TypeVar("T")


class Poller:
    """The only process that may poll this token. An update counts as done when its handler has returned: one that a kill cuts off comes again."""

    def __init__(self, app: "Application[Any, Any, Any, Any, Any, Any]", answers: Answers) -> None:
        self._app, self._answers = app, answers
        self._troubles = Troubles()
        self._next = 0

    async def run(self) -> None:
        """Poll until cancelled, through every trouble."""
        await self._until_it_works(self._app.initialize)
        log.info("the bot @%s is listening", self._app.bot.username)
        await self._show_commands()
        while True:
            updates = await self._until_it_works(self._ask)
            if updates:
                await self._handle(updates)
                self._next = updates[-1].update_id + 1
                await self._answers.settle(SETTLE_S)

    async def confirm(self) -> None:
        """Tell Telegram what was done, so that a restart does not answer it again."""
        if not self._next:
            return
        try:
            await asyncio.wait_for(self._app.bot.get_updates(offset=self._next, limit=1, timeout=0), CONFIRM_S)
        except (TelegramError, TimeoutError):
            log.info("the last updates may be answered twice")

    async def _handle(self, updates: Iterable[Update]) -> None:
        """Those of one chat in their order; the chats do not wait for each other."""
        of_chat: dict[int | None, list[Update]] = {}
        for update in updates:
            of_chat.setdefault(update.effective_chat.id if update.effective_chat else None, []).append(update)
        await asyncio.gather(*map(self._handle_in_order, of_chat.values()))

    async def _handle_in_order(self, updates: Iterable[Update]) -> None:
        for update in updates:
            await self._app.process_update(update)

    async def _ask(self) -> Sequence[Update]:
        try:
            updates: Sequence[Update] = await self._app.bot.get_updates(offset=self._next, timeout=POLL_S, allowed_updates=ALLOWED_UPDATES)
        except TelegramError:
            raise
        except Exception as error:  # one update that the library cannot read must not hide all others for ever
            log.error("an update from Telegram cannot be read (%s); it is skipped", type(error).__name__)
            return await self._ask_for_readable()
        return updates

    async def _ask_for_readable(self) -> Sequence[Update]:
        """The waiting updates that can be read; when none can, they are confirmed unread."""
        found = cast("list[dict[str, Any]]", await self._app.bot.do_api_request("getUpdates", api_kwargs={"offset": self._next, "timeout": 0}))
        readable = [update for update in map(self._read, found) if update is not None]
        if found and not readable:
            self._next = found[-1]["update_id"] + 1
        return readable

    def _read(self, entry: dict[str, Any]) -> Update | None:
        try:
            return Update.de_json(entry, self._app.bot)
        except Exception:
            return None

    async def _until_it_works(self, call: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                result = await call()
            except TelegramError as error:
                await asyncio.sleep(self._troubles.wait_s(error))
            else:
                self._troubles.over()
                return result

    async def _show_commands(self) -> None:
        try:
            await self._app.bot.set_my_commands([BotCommand(name, line) for name, line in help_lines()])
        except TelegramError as error:
            log.info("Telegram's command menu stays as it was: %s", type(error).__name__)
