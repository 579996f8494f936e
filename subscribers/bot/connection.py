"""What do polling and the webhook share? The way to Telegram through every trouble, the command menu, and updates handled chat by chat."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeDefault,
    Update,
)
from telegram.error import TelegramError
from telegram.ext import Application

from subscribers.bot.answers import Answers
from subscribers.bot.commands import menu
from subscribers.bot.troubles import Troubles

SETTLE_S = 0.3  # answers that need no longer are sent before their updates are confirmed, so that a kill between them loses none

AT_ONCE = 10  # updates in work: between so few there is room for an answer that has its slot

log = logging.getLogger(__name__)

T = TypeVar("T")


class Connection:
    """An update counts as done when `handle` has returned: one that a kill cuts off comes again."""

    def __init__(self, app: "Application[Any, Any, Any, Any, Any, Any]", answers: Answers) -> None:
        self._app, self._answers = app, answers
        self.bot: Bot = app.bot
        self._troubles = Troubles()
        self._unreadable = 0

    async def open(self) -> None:
        """Be known to Telegram; returns once it works."""
        await self.until_it_works(self._app.initialize)
        await self._show_menu()

    async def handle(self, updates: Iterable[Update]) -> None:
        """Those of one chat in their order; the chats do not wait for each other."""
        of_chat: dict[int | None, list[Update]] = {}
        for update in updates:
            of_chat.setdefault(update.effective_chat.id if update.effective_chat else None, []).append(update)
        at_once = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(self._handle_in_order(updates, at_once) for updates in of_chat.values()))

    async def settle(self) -> None:
        """Let the answers go out that can now."""
        await self._answers.settle(SETTLE_S)

    async def until_it_works(self, call: Callable[[], Awaitable[T]]) -> T:
        """The result of `call`, which is tried again until there is one; a new trouble is logged."""
        while True:
            try:
                result = await call()
            except TelegramError as error:
                await asyncio.sleep(self._troubles.wait_s(error))
            else:
                self._troubles.over()
                return result

    def read(self, entry: dict[str, Any]) -> Update | None:
        """An update from its JSON; None for one that the library cannot read: counted and logged, and skipped, else it would come again for ever."""
        try:
            return Update.de_json(entry, self._app.bot)
        except Exception as error:
            self._unreadable += 1
            log.error("an update from Telegram cannot be read (%s) and is skipped; %d since the start", type(error).__name__, self._unreadable)
            return None

    async def _handle_in_order(self, updates: Iterable[Update], at_once: asyncio.Semaphore) -> None:
        for update in updates:
            async with at_once:
                await self._app.process_update(update)

    async def _show_menu(self) -> None:
        """Telegram's own list of commands; in groups the members see what they may use."""
        scopes: tuple[tuple[BotCommandScope, bool], ...]
        scopes = ((BotCommandScopeAllGroupChats(), False), (BotCommandScopeAllChatAdministrators(), True), (BotCommandScopeDefault(), True))
        try:
            for scope, for_all in scopes:
                await self.bot.set_my_commands([BotCommand(name, line) for name, line in menu(for_all=for_all)], scope=scope)
        except TelegramError as error:
            log.info("Telegram's command menu stays as it was: %s", type(error).__name__)
