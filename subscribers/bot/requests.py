"""What does an update ask of the bot? Pure: from Telegram's update to a question of a chat, or nothing."""

import re
from dataclasses import dataclass
from enum import Enum

from telegram import Chat, ChatMember, ChatMemberAdministrator, ChatMemberUpdated, Message, Update

COMMAND = re.compile(r"/(?P<name>[A-Za-z0-9_]{1,32})(?:@(?P<bot>\w{1,64}))?(?=\s|$)", re.ASCII)
UNSEEN = dict.fromkeys([0x00, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF])
HERE = frozenset({ChatMember.OWNER, ChatMember.ADMINISTRATOR, ChatMember.MEMBER, ChatMember.RESTRICTED})


@dataclass(frozen=True, slots=True)
class Question:
    """A command by its name and the text after it; an empty name is what was typed without one, and we have to answer."""

    name: str
    args: str = ""


class Move(Enum):
    """What the bot's own coming and going in a chat means."""

    JOINED_CHANNEL = "joined_channel"
    JOINED_GROUP = "joined_group"
    LEFT = "left"


def question_of(message: Message, bot_name: str, known: frozenset[str]) -> Question | None:
    """What a message asks; None for what is not meant for us.

    In private everything a person writes is meant for us; elsewhere commands, unknown ones only when they name the bot, and
    replies to the bot's own messages (in a channel: to any). Other bots are never answered; an anonymous admin or a channel writes as a chat.
    """
    if message.from_user is not None and message.from_user.is_bot and message.sender_chat is None:
        return None
    if message.is_automatic_forward:  # a channel's post, as its discussion group shows it
        return None
    private = message.chat.type == Chat.PRIVATE
    text = clean(message.text or "")
    found = COMMAND.match(text)
    if found is None:
        return Question("", text.strip()) if (private or _is_reply_to(message, bot_name)) and _is_said(message) else None
    name, to = found["name"].lower(), (found["bot"] or "").lower()
    if to and to != bot_name.lower():
        return None
    if name in known:
        return Question(name, text[found.end() :].strip())
    command, _, number = name.rpartition("_")
    if command in known and number.isdecimal():  # /alert_17 can be tapped, /alert 17 cannot
        return Question(command, number)
    return Question("", text) if private or to else None


def clean(text: str) -> str:
    """Without what no database takes, NUL and halves of characters, and without what cannot be seen but turns the text around it."""
    return text.translate(UNSEEN).encode(errors="ignore").decode()


def person_of(update: Update) -> int:
    """Who asks: a user, or the chat as which an anonymous admin or a channel writes; 0 when nobody is named."""
    message = update.message or update.channel_post
    if message is not None and message.sender_chat is not None:
        return message.sender_chat.id
    return update.effective_user.id if update.effective_user else 0


def move_of(change: ChatMemberUpdated) -> Move | None:
    """What a change of the bot's own membership means; None when nothing changes for us."""
    was, is_ = _can_write(change.old_chat_member, change.chat), _can_write(change.new_chat_member, change.chat)
    if was and not is_ or change.new_chat_member.status not in HERE:
        return Move.LEFT
    if not is_ or was or change.chat.type == Chat.PRIVATE:
        return None
    return Move.JOINED_CHANNEL if change.chat.type == Chat.CHANNEL else Move.JOINED_GROUP


def topic_of(message: Message) -> int | None:
    """The topic of a group with topics in which it was written; None in the general one and in all other chats."""
    return message.message_thread_id if message.is_topic_message else None


def title_of(chat: Chat) -> str:
    """The chat's title, or the person's name and handle."""
    if chat.title:
        return chat.title
    name = " ".join(part for part in (chat.first_name, chat.last_name) if part)
    return f"{name} @{chat.username}".strip() if chat.username else name


def _is_said(message: Message) -> bool:
    """Whether a person said something (not: a service message such as a pinned post)."""
    return bool(message.text or message.effective_attachment)


def _is_reply_to(message: Message, bot_name: str) -> bool:
    before = message.reply_to_message
    if before is None or message.chat.type == Chat.CHANNEL:
        return before is not None  # whose a channel's posts are, nobody says
    return before.from_user is not None and (before.from_user.username or "").lower() == bot_name.lower()


def _can_write(member: ChatMember, chat: Chat) -> bool:
    if chat.type == Chat.CHANNEL:
        return member.status == ChatMember.OWNER or (isinstance(member, ChatMemberAdministrator) and member.can_post_messages is not False)
    if member.status == ChatMember.RESTRICTED:
        return bool(getattr(member, "can_send_messages", False)) and bool(getattr(member, "is_member", False))
    return member.status in HERE
