"""What can become of a message? What every channel takes, and the errors that say what to do next."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from alerts.rules.buttons import Row


@dataclass(frozen=True, slots=True)
class Message:
    """One message to show: `html` as Telegram's HTML, `plain` the same without markup; `silent` makes no sound; `keyboard`: buttons under it."""

    html: str
    plain: str
    silent: bool = False
    keyboard: Sequence[Row] = ()


@dataclass(frozen=True, slots=True)
class Photo:
    """One picture with a caption in plain text, as a silent answer to a message of the chat (None: to none).

    `file_id` names a picture that the server has already; without one `png` is uploaded.
    """

    caption: str
    file_id: str = ""
    png: bytes = b""
    answers: int | None = None


@dataclass(frozen=True, slots=True)
class SentPhoto:
    """The message's id, and by what name the server knows the picture from now on."""

    message_id: int
    file_id: str


class Channel(Protocol):
    """Sends at once and answers later: each future ends with a result or one of the errors below."""

    def send(self, chat_id: int, message: Message) -> "Future[int | None]":
        """Send; the future holds the message's id, None where there are no ids."""

    def edit(self, chat_id: int, message_id: int, message: Message) -> "Future[None]":
        """Replace the text and the buttons of a message."""


@runtime_checkable
class PhotoChannel(Protocol):
    """A channel that can show pictures, too."""

    def send_photo(self, chat_id: int, photo: Photo) -> "Future[SentPhoto]":
        """Send a picture; UnknownPhoto when the server does not know its `file_id`."""


class ChannelError(Exception):
    """Why a message was not sent, or may not have been."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RetryLater(ChannelError):
    """Surely not sent, and nothing else would be now; the channel may be tried again after `after_s` seconds."""

    def __init__(self, after_s: float, reason: str) -> None:
        super().__init__(reason)
        self.after_s = after_s


class FloodWait(RetryLater):
    """The server counts too many messages: every process waits."""


class Undeliverable(ChannelError):
    """Never deliverable. `gone`: nor will anything else be to this chat (blocked, deleted, removed)."""

    def __init__(self, reason: str, gone: bool = False) -> None:
        super().__init__(reason)
        self.gone = gone


class UnknownPhoto(ChannelError):
    """Not sent: the server does not know this picture by that name."""

    def __init__(self) -> None:
        super().__init__("the server does not know the picture any more")


class ChatMoved(ChannelError):
    """Not sent: the chat has another id now."""

    def __init__(self, new_id: int) -> None:
        super().__init__(f"the chat is {new_id} now")
        self.new_id = new_id


class OutcomeUnknown(ChannelError):
    """Perhaps sent, perhaps not: no answer came, or one that does not say."""


class NotModified(ChannelError):
    """The message shows this text already."""

    def __init__(self) -> None:
        super().__init__("the message shows this already")
