"""What can become of a message? What every channel takes, and the errors that say what to do next."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from alerts.rules.buttons import Row


@dataclass(frozen=True, slots=True)
class Message:
    """One message to show: `html` as Telegram's HTML, `plain` the same without markup; `silent` makes no sound; `keyboard`: buttons under it."""

    html: str
    plain: str
    silent: bool = False
    keyboard: Sequence[Row] = ()


class Channel(Protocol):
    """Sends at once and answers later: each future ends with a result or one of the errors below."""

    def send(self, chat_id: int, message: Message) -> "Future[int | None]":
        """Send; the future holds the message's id, None where there are no ids."""

    def edit(self, chat_id: int, message_id: int, message: Message) -> "Future[None]":
        """Replace the text and the buttons of a message."""


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
