"""How does a message reach Telegram? One Bot and one event loop a process, and what each of Telegram's errors means to us."""

import asyncio
import ipaddress
import os
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from datetime import timedelta
from functools import cache
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, InputFile, LinkPreviewOptions, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError
from telegram.request import HTTPXRequest, RequestData

from alerts.channels.base import (
    ChannelError,
    ChatMoved,
    FloodWait,
    Message,
    NotModified,
    OutcomeUnknown,
    Photo,
    RetryLater,
    SentPhoto,
    Undeliverable,
    UnknownPhoto,
)
from alerts.rules.buttons import Row

os.environ.setdefault("PTB_TIMEDELTA", "1")  # python-telegram-bot: `retry_after` as it will be in its next version, without a warning
T = TypeVar("T")
CONNECTIONS = 32
IDLE_CONNECTION_S = 30.0  # keep it open between alerts: a new one costs a TLS handshake
TIMEOUTS = httpx.Timeout(connect=3.0, write=5.0, read=8.0, pool=1.0)
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
RECONNECT_S = 1.0
NO_TOKEN_S = 10.0  # how soon a missing or refused token is looked at again
# Telegram answers all of these with a bare 400; the words are all it gives.
CHAT_GONE = ("chat not found", "deactivated", "kicked", "blocked", "not a member", "rights to send", "administrator", "peer_id_invalid", "write_forbidden")
PHOTO_UNKNOWN = ("wrong file identifier", "wrong remote file identifier", "file_reference")
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class Request(HTTPXRequest):
    """python-telegram-bot's HTTP client; a 429 without `retry_after` still means: wait."""

    async def do_request(self, url: str, method: str, request_data: RequestData | None = None, *timeouts: Any, **more: Any) -> tuple[int, bytes]:
        """Send one request; the status and body of the answer."""
        status, body = await super().do_request(url, method, request_data, *timeouts, **more)
        if status == 429 and b"retry_after" not in body:
            raise RetryAfter(1)
        return status, body


class TelegramChannel:
    """Sends from any thread; all requests run on one event loop in a thread of its own."""

    def __init__(self, token: str, api_url: str) -> None:
        self._bot = open_bot(token, api_url) if token else None
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="telegram", daemon=True).start()

    def send(self, chat_id: int, message: Message) -> "Future[int | None]":
        """Send with HTML, without link previews; the future holds the message id."""
        return self._submit(self._send(chat_id, message))

    def edit(self, chat_id: int, message_id: int, message: Message) -> "Future[None]":
        """Replace the text and the buttons; NotModified when they stand there already."""
        return self._submit(self._edit(chat_id, message_id, message))

    def send_photo(self, chat_id: int, photo: Photo) -> "Future[SentPhoto]":
        """Send a picture without a sound, as an answer where the message is still there."""
        return self._submit(self._send_photo(chat_id, photo))

    def close(self) -> None:
        """End the connections and the loop."""
        if self._bot is not None:
            self._submit(self._bot.request.shutdown()).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _send(self, chat_id: int, message: Message) -> int | None:
        sent = await self._ready().send_message(
            chat_id,
            message.html,
            parse_mode=ParseMode.HTML,
            link_preview_options=NO_PREVIEW,
            disable_notification=message.silent,
            reply_markup=markup(message.keyboard),
        )
        return sent.message_id

    async def _edit(self, chat_id: int, message_id: int, message: Message) -> None:
        await self._ready().edit_message_text(
            message.html, chat_id, message_id, parse_mode=ParseMode.HTML, link_preview_options=NO_PREVIEW, reply_markup=markup(message.keyboard)
        )

    async def _send_photo(self, chat_id: int, photo: Photo) -> SentPhoto:
        answers = None if photo.answers is None else ReplyParameters(photo.answers, allow_sending_without_reply=True)
        picture = photo.file_id or InputFile(photo.png, filename="chart.png")
        sent = await self._ready().send_photo(
            chat_id, picture, photo.caption, disable_notification=True, reply_parameters=answers, write_timeout=TIMEOUTS.write
        )
        return SentPhoto(sent.message_id, sent.photo[-1].file_id if sent.photo else "")

    def _ready(self) -> Bot:
        if self._bot is None:
            raise RetryLater(NO_TOKEN_S, "TELEGRAM_BOT_TOKEN is not set")
        return self._bot

    def _submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        return asyncio.run_coroutine_threadsafe(_translated(work), self._loop)


def open_bot(token: str, api_url: str) -> Bot:
    """A Bot at `api_url`; no request is made yet."""
    options = {"timeout": TIMEOUTS, "limits": httpx.Limits(max_connections=CONNECTIONS, keepalive_expiry=IDLE_CONNECTION_S)}
    request = Request(httpx_kwargs={**options, "trust_env": not is_loopback(api_url)})
    return Bot(token, base_url=f"{api_url.rstrip('/')}/bot", request=request, get_updates_request=request)


def markup(keyboard: Sequence[Row]) -> InlineKeyboardMarkup | None:
    """Telegram's keyboard; None when there are no buttons."""
    rows = [[InlineKeyboardButton(label, callback_data=data) for label, data in row] for row in keyboard if row]
    return InlineKeyboardMarkup(rows) if rows else None


def is_loopback(url: str) -> bool:
    """Whether the host is this machine: the environment's proxies are not for it."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def meaning(error: TelegramError) -> ChannelError:
    """What an error of python-telegram-bot means for the message; never holds the token."""
    match error:
        case RetryAfter():
            return FloodWait(seconds_of(error), "too many messages")
        case ChatMigrated():
            return ChatMoved(error.new_chat_id)
        case Forbidden():
            return Undeliverable(error.message, gone=True)
        case InvalidToken():
            return RetryLater(NO_TOKEN_S, "Telegram refuses the token: see TELEGRAM_BOT_TOKEN and TELEGRAM_API_URL")
        case BadRequest():  # a NetworkError too, so it comes first
            words = error.message.lower()
            if "message is not modified" in words:
                return NotModified()
            if any(part in words for part in PHOTO_UNKNOWN):
                return UnknownPhoto()
            return Undeliverable(error.message, gone=any(part in words for part in CHAT_GONE))
        case NetworkError() if isinstance(error.__cause__, NOT_SENT):
            return RetryLater(RECONNECT_S, f"Telegram cannot be reached ({type(error.__cause__).__name__})")
        case _:
            return OutcomeUnknown(f"no clear answer ({type(error.__cause__ or error).__name__}: {error.message})")


async def _translated(work: Coroutine[Any, Any, T]) -> T:
    try:
        return await work
    except TelegramError as error:
        raise meaning(error) from error


def seconds_of(error: RetryAfter) -> float:
    """How long Telegram wants no messages."""
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


@cache
def telegram_channel() -> TelegramChannel:
    """This process's channel, by the settings; made after a fork, never before."""
    return TelegramChannel(settings.TELEGRAM_BOT_TOKEN.get_secret_value(), settings.TELEGRAM_API_URL)
