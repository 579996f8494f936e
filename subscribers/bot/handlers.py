"""What happens on an update? Find what it asks, ask the database, send the answer."""

import logging
import time
from dataclasses import dataclass, field
from typing import Any

import telegram
from django.db import DatabaseError, InterfaceError
from telegram import ChatMemberUpdated, Update
from telegram.ext import Application, ChatMemberHandler, ContextTypes, MessageHandler, filters

from subscribers import services
from subscribers.bot import texts
from subscribers.bot.answers import Answers
from subscribers.bot.commands import BY_NAME, UNKNOWN, Chat, Command
from subscribers.bot.database import in_database
from subscribers.bot.requests import Move, move_of, question_of, title_of
from subscribers.bot.throttle import Throttle

ALLOWED_UPDATES = [Update.MESSAGE, Update.CHANNEL_POST, Update.MY_CHAT_MEMBER]  # edited messages are not asked for
KNOWN = frozenset(BY_NAME)

log = logging.getLogger(__name__)


@dataclass
class Handlers:
    """What the handlers share: who was answered when, and the answers under way."""

    answers: Answers = field(default_factory=Answers)
    throttle: Throttle = field(default_factory=Throttle)

    def register(self, app: "Application[Any, Any, Any, Any, Any, Any]") -> None:
        """Take the updates of `app`."""
        app.add_handler(ChatMemberHandler(self.on_membership, ChatMemberHandler.MY_CHAT_MEMBER))
        app.add_handler(MessageHandler(filters.StatusUpdate.MIGRATE, self.on_migration))
        app.add_handler(MessageHandler(filters.UpdateType.MESSAGE | filters.UpdateType.CHANNEL_POST, self.on_message))
        app.add_error_handler(on_error)

    async def on_message(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Answer a command, or help whoever wrote something else in private."""
        message = update.effective_message
        question = question_of(message, context.bot.username, KNOWN) if message else None
        if message is None or question is None:
            return
        command = BY_NAME.get(question.name, UNKNOWN)
        answered = self.throttle.allows(message.chat_id, time.monotonic())
        if not answered and not command.changes:
            return
        text = await _answer(command, message.chat)
        if answered:
            self.answers.say(context.bot, message.chat_id, text)

    async def on_membership(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Channels subscribe by adding the bot as admin; whoever removes or blocks it is deactivated."""
        change = update.my_chat_member
        move = move_of(change) if change else None
        if change is None or move is None:
            return
        if move is Move.LEFT:
            await in_database(services.unsubscribe_chat, change.chat.id, _left_reason(change))
            return
        text = texts.GROUP_HELLO
        if move is Move.JOINED_CHANNEL:
            text = await _answer(BY_NAME["start"], change.chat)
        if self.throttle.allows(change.chat.id, time.monotonic()):
            self.answers.say(context.bot, change.chat.id, text)

    async def on_migration(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """A group became a supergroup: its subscription moves to the new id. Told twice, once in each chat."""
        message = update.effective_message
        if message is None:
            return
        old = message.migrate_from_chat_id or message.chat_id
        await in_database(services.move_chat, old, message.migrate_to_chat_id or message.chat_id)


async def on_error(update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
    """One line, without the error's own words: they may hold an address with the token in it."""
    which = update.update_id if isinstance(update, Update) else "?"
    log.error("update %s failed: %s", which, type(context.error).__name__)


async def _answer(command: Command, chat: telegram.Chat) -> str:
    """The command's text, or a polite sentence while the database is away."""
    try:
        return await in_database(command.answer, Chat(chat.id, chat.type, title_of(chat)))
    except (DatabaseError, InterfaceError) as error:
        log.error("the database cannot answer /%s: %s", command.name, type(error).__name__)
        return texts.DATABASE_AWAY


def _left_reason(change: ChatMemberUpdated) -> str:
    return "the person blocked the bot" if change.chat.type == "private" else f"the bot was removed from the {change.chat.type}"
