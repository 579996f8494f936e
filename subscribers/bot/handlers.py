"""What happens on an update? Find what it asks, ask the database, send the answer."""

import logging
import time
from dataclasses import dataclass, field
from typing import Any

import telegram
from django.db import DatabaseError, InterfaceError
from django.utils import timezone
from telegram import ChatMemberUpdated, Update
from telegram.ext import Application, CallbackQueryHandler, ChatMemberHandler, ContextTypes, MessageHandler, filters

from subscribers import services
from subscribers.bot import texts
from subscribers.bot.answers import Answers
from subscribers.bot.commands import BUTTON, COMMAND, TYPED
from subscribers.bot.database import in_database
from subscribers.bot.replies import toast
from subscribers.bot.requests import Move, move_of, person_of, question_of, title_of
from subscribers.bot.screen import Answer, Asked, Chat, Reply
from subscribers.bot.throttle import Throttle

ALLOWED_UPDATES = [Update.MESSAGE, Update.CHANNEL_POST, Update.MY_CHAT_MEMBER, Update.CALLBACK_QUERY]  # edited messages are not asked for
KNOWN = frozenset(COMMAND)

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
        app.add_handler(CallbackQueryHandler(self.on_tap))
        app.add_error_handler(on_error)

    async def on_message(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Answer a command, or help whoever wrote something else in private."""
        message = update.effective_message
        question = question_of(message, context.bot.username, KNOWN) if message else None
        if message is None or question is None:
            return
        command = COMMAND.get(question.name, TYPED)
        answered = self.throttle.allows(message.chat_id, time.monotonic())
        if not answered and not command.changes:
            return
        reply = await _answer(command.answer, _asked(message.chat, person_of(update), question.args))
        if answered and (reply.text or reply.document):
            self.answers.say(context.bot, message.chat_id, reply)

    async def on_tap(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Carry out what a button says, show it, and let the button stop turning."""
        query = update.callback_query
        if query is None:
            return
        name, _, args = (query.data or "").partition(":")
        button = BUTTON.get(name)
        if button is None or query.message is None:
            await toast(query, texts.OLD_BUTTON)
            return
        chat, message_id = query.message.chat, query.message.message_id
        reply = await _answer(button.answer, _asked(chat, query.from_user.id, args, message_id))
        await toast(query, reply.toast)
        if reply.text or reply.edit or reply.document:
            self.answers.say(context.bot, chat.id, reply, message_id)

    async def on_membership(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Channels subscribe by adding the bot as admin; whoever removes or blocks it is deactivated."""
        change = update.my_chat_member
        move = move_of(change) if change else None
        if change is None or move is None:
            return
        if move is Move.LEFT:
            await in_database(services.unsubscribe_chat, change.chat.id, _left_reason(change))
            return
        reply = Reply(texts.GROUP_HELLO)
        if move is Move.JOINED_CHANNEL:
            reply = await _answer(COMMAND["start"].answer, _asked(change.chat, change.from_user.id))
        if self.throttle.allows(change.chat.id, time.monotonic()):
            self.answers.say(context.bot, change.chat.id, reply)

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


async def _answer(answer: Answer, asked: Asked) -> Reply:
    """What is replied, or a polite sentence while the database is away."""
    try:
        return await in_database(answer, asked)
    except (DatabaseError, InterfaceError) as error:
        log.error("the database cannot answer %s: %s", answer.__name__, type(error).__name__)
        return Reply(texts.DATABASE_AWAY, toast=texts.DATABASE_AWAY)


def _asked(chat: telegram.Chat, person: int, args: str = "", message_id: int | None = None) -> Asked:
    return Asked(Chat(chat.id, chat.type, title_of(chat)), person, args, timezone.now(), message_id)


def _left_reason(change: ChatMemberUpdated) -> str:
    return "the person blocked the bot" if change.chat.type == "private" else f"the bot was removed from the {change.chat.type}"
