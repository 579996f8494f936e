"""How does a reply become a message? The one place where replies meet Telegram's library: send, edit in place, file, toast."""

import logging
import re

from telegram import Bot, InlineKeyboardMarkup, InputFile
from telegram.constants import CallbackQueryLimit, ParseMode
from telegram.error import BadRequest, TelegramError

from alerts.channels.telegram import NO_PREVIEW, markup
from subscribers.bot.screen import Reply

MAX_TEXT = 4096  # Telegram; counted with the markup here, which is more than Telegram counts
MAX_CAPTION = 1024
CUT = "\n…"
TAG = re.compile(r"<(/?)([a-z]+)[^>]*>")
UNFINISHED = re.compile(r"&[a-z#0-9]*$")
GONE = ("message to edit not found", "message can't be edited", "message_id_invalid")  # a bare 400; the words are all it gives

log = logging.getLogger(__name__)


async def deliver(bot: Bot, chat_id: int, reply: Reply, message_id: int | None = None, topic: int | None = None) -> None:
    """Make the reply appear in the chat: on the message that was tapped, or as a new one in the topic. TelegramError when it cannot."""
    keyboard = markup(reply.keyboard)
    if reply.edit and message_id is not None and not reply.document:
        try:
            await _edit(bot, chat_id, message_id, reply.text, keyboard)
            return
        except BadRequest as error:
            words = error.message.lower()
            if "message is not modified" in words:
                return
            if not reply.text or not any(part in words for part in GONE):
                raise
    if reply.document:
        file = InputFile(reply.document.content, filename=reply.document.name)
        caption = fitting(reply.text, MAX_CAPTION)
        await bot.send_document(chat_id, file, caption=caption or None, parse_mode=ParseMode.HTML, reply_markup=keyboard, message_thread_id=topic)
    elif reply.text:
        text = fitting(reply.text)
        await bot.send_message(chat_id, text, parse_mode=ParseMode.HTML, link_preview_options=NO_PREVIEW, reply_markup=keyboard, message_thread_id=topic)


async def toast(bot: Bot, tap: str, text: str = "") -> None:
    """Answer a tap by its id, so that its button stops turning; one that waited too long is past answering."""
    try:
        await bot.answer_callback_query(tap, text[: CallbackQueryLimit.ANSWER_CALLBACK_QUERY_TEXT_LENGTH] or None)
    except TelegramError as error:
        log.debug("a tap is not answered: %s", type(error).__name__)


def fitting(html: str, limit: int = MAX_TEXT) -> str:
    """The text, cut off at the end of a line when it is longer than Telegram takes; open tags are closed."""
    if _length(html) <= limit:
        return html
    lines = html.split("\n")
    while len(lines) > 1:
        lines.pop()
        kept = "\n".join(lines)
        cut = kept + _closing(kept) + CUT
        if _length(cut) <= limit:
            return cut
    return UNFINISHED.sub("", TAG.sub("", html)[: limit // 2 - len(CUT)]) + CUT


async def _edit(bot: Bot, chat_id: int, message_id: int, text: str, keyboard: InlineKeyboardMarkup | None) -> None:
    if text:
        await bot.edit_message_text(fitting(text), chat_id, message_id, parse_mode=ParseMode.HTML, link_preview_options=NO_PREVIEW, reply_markup=keyboard)
    else:
        await bot.edit_message_reply_markup(chat_id, message_id, reply_markup=keyboard)


def _length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _closing(html: str) -> str:
    """The end tags that `html` lacks."""
    still_open: list[str] = []
    for end, name in TAG.findall(html):
        if end:
            still_open.pop()
        else:
            still_open.append(name)
    return "".join(f"</{name}>" for name in reversed(still_open))
