"""How does an answer reach its chat? In the background, in order within a chat, under the flood limits that alerts share."""

import asyncio
import logging
from weakref import WeakValueDictionary

from telegram import Bot
from telegram.error import TelegramError

from alerts.channels.base import ChannelError, ChatMoved, OutcomeUnknown, RetryLater, Undeliverable
from alerts.channels.telegram import meaning
from subscribers import services
from subscribers.bot.database import in_database
from subscribers.bot.replies import deliver
from subscribers.bot.screen import Reply

TRIES, RETRY_S = 3, 1.0
LAST_SECOND_S = 1.0  # how long answers under way may take when the bot is stopped

log = logging.getLogger(__name__)


class Answers:
    """The answers under way; a chat that waits for its limit does not hold up the others."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def say(self, bot: Bot, chat_id: int, reply: Reply, message_id: int | None = None) -> None:
        """Send the reply to the chat soon; `message_id` is the message that was tapped."""
        turn = self._turns.setdefault(chat_id, asyncio.Lock())
        task = asyncio.create_task(self._in_turn(turn, bot, chat_id, reply, message_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Give the answers under way a last second, then drop them."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=LAST_SECOND_S)
            for task in late:
                task.cancel()

    async def _in_turn(self, turn: asyncio.Lock, bot: Bot, chat_id: int, reply: Reply, message_id: int | None) -> None:
        async with turn:
            try:
                await _send(bot, chat_id, reply, message_id)
            except ChannelError as error:
                log.warning("an answer to chat %s was not sent: %s", chat_id, error.reason)
            except Exception as error:  # one answer of an endless loop: the others go on
                log.error("an answer to chat %s failed: %s", chat_id, type(error).__name__)


async def _send(bot: Bot, chat_id: int, reply: Reply, message_id: int | None) -> None:
    """Send, follow a chat that moved, try again what was not sent; ChannelError when it cannot be sent."""
    for tries_left in reversed(range(TRIES)):
        try:
            await deliver(bot, chat_id, reply, message_id)
            return
        except TelegramError as error:
            problem = meaning(error)
        if isinstance(problem, Undeliverable) and problem.gone:
            await in_database(services.unsubscribe_chat, chat_id, problem.reason)
        if not tries_left or isinstance(problem, Undeliverable):
            raise problem
        if isinstance(problem, ChatMoved):
            await in_database(services.move_chat, chat_id, problem.new_id)
            chat_id = problem.new_id
        elif isinstance(problem, RetryLater | OutcomeUnknown):
            await asyncio.sleep(problem.after_s if isinstance(problem, RetryLater) else RETRY_S)
