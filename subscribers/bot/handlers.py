"""What happens on an update? Find what it asks and whether that person may, carry out what it changes, and let it be answered."""

import logging
from dataclasses import dataclass, field
from typing import Any

import telegram
from django.utils import timezone
from telegram import Bot, ChatMemberUpdated, Message, Update
from telegram.ext import Application, CallbackQueryHandler, ChatMemberHandler, ContextTypes, MessageHandler, filters

from subscribers import services
from subscribers.bot import texts
from subscribers.bot.admins import Admins
from subscribers.bot.answers import Answers
from subscribers.bot.commands import BUTTON, COMMAND, TYPED, hello
from subscribers.bot.database import in_database
from subscribers.bot.pace import Pace
from subscribers.bot.questions import Question
from subscribers.bot.replies import toast
from subscribers.bot.requests import Move, clean, move_of, person_of, question_of, title_of, topic_of
from subscribers.bot.screen import Asked, Chat, Reply

ALLOWED_UPDATES = [Update.MESSAGE, Update.CHANNEL_POST, Update.MY_CHAT_MEMBER, Update.CALLBACK_QUERY]  # edited messages are not asked for
KNOWN = frozenset(COMMAND)
GREETED_AFTER_S = 0.8  # a supergroup is joined a moment before Telegram tells which group became it

log = logging.getLogger(__name__)


@dataclass
class Handlers:
    """What the handlers share: the answers under way, who is an admin, and the pace of changes."""

    answers: Answers
    admins: Admins = field(default_factory=Admins)
    pace: Pace = field(default_factory=Pace)

    def register(self, app: "Application[Any, Any, Any, Any, Any, Any]") -> None:
        """Take the updates of `app`."""
        app.add_handler(ChatMemberHandler(self.on_membership, ChatMemberHandler.MY_CHAT_MEMBER))
        app.add_handler(MessageHandler(filters.StatusUpdate.MIGRATE, self.on_migration))
        app.add_handler(MessageHandler(filters.UpdateType.MESSAGE | filters.UpdateType.CHANNEL_POST, self.on_message))
        app.add_handler(CallbackQueryHandler(self.on_tap))
        app.add_error_handler(on_error)

    async def on_message(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A command, an answer that was waited for, or something else that somebody wrote in private."""
        message = update.effective_message
        found = question_of(message, context.bot.username, KNOWN) if message else None
        if message is None or found is None:
            return
        command = COMMAND.get(found.name, TYPED)
        question = Question(_asked(message.chat, person_of(update), found.args, topic=topic_of(message), update=update.update_id), command.answer)
        if command.admins and (refusal := await self._refusal(context.bot, question)):
            if command is not TYPED:
                question.reply = Reply(refusal)
                self.answers.put(question)
            return
        await self._take(question, command.changes)

    async def on_tap(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A button."""
        query = update.callback_query
        if query is None or query.from_user.is_bot:
            return
        name, _, args = clean(query.data or "").partition(":")
        button = BUTTON.get(name)
        if button is None or query.message is None:
            await toast(context.bot, query.id, texts.OLD_BUTTON)
            return
        message = query.message
        topic = topic_of(message) if isinstance(message, Message) else None
        question = Question(_asked(message.chat, query.from_user.id, args, message.message_id, topic), button.answer, query.id)
        if not button.anyone and (refusal := await self._refusal(context.bot, question)):
            question.reply = Reply(toast=refusal)
            self.answers.put(question)
            return
        await self._take(question, button.changes)

    async def on_membership(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """Channels subscribe by adding the bot as admin; whoever removes or blocks it is deactivated."""
        change = update.my_chat_member
        move = move_of(change) if change else None
        if change is None or move is None:
            return
        if move is Move.LEFT:
            await in_database(services.unsubscribe_chat, change.chat.id, _left_reason(change))
            return
        asked = _asked(change.chat, change.from_user.id)
        if move is Move.JOINED_CHANNEL:
            await self._take(Question(asked, COMMAND["start"].answer), changes=True)
        else:
            self.answers.put(Question(asked, hello), GREETED_AFTER_S)

    async def on_migration(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """A group became a supergroup: its subscription moves to the new id. Told twice, once in each chat."""
        message = update.effective_message
        if message is None:
            return
        old = message.migrate_from_chat_id or message.chat_id
        await in_database(services.move_chat, old, message.migrate_to_chat_id or message.chat_id)

    async def _take(self, question: Question, changes: bool) -> None:
        """Carry out what changes something, once; the rest when its answer's turn comes, unless the chat asks something newer before."""
        if self.answers.is_repeated(question):
            return
        if changes:
            await self.pace.carry_out(question)
        self.answers.put(question)

    async def _refusal(self, bot: Bot, question: Question) -> str:
        """Why this person may not change what the chat gets; "" for those who may."""
        may = await self.admins.may_change(bot, question.asked.chat, question.asked.person)
        return texts.ADMINS_UNKNOWN if may is None else "" if may else texts.ADMINS_ONLY


async def on_error(update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
    """One line, without the error's own words: they may hold an address with the token in it."""
    which = update.update_id if isinstance(update, Update) else "?"
    log.error("update %s failed: %s", which, type(context.error).__name__)


def _asked(chat: telegram.Chat, person: int, args: str = "", message_id: int | None = None, topic: int | None = None, update: int = 0) -> Asked:
    return Asked(Chat(chat.id, chat.type, clean(title_of(chat))), person, args, timezone.now(), message_id, topic=topic, update=update)


def _left_reason(change: ChatMemberUpdated) -> str:
    return "the person blocked the bot" if change.chat.type == "private" else f"the bot was removed from the {change.chat.type}"
