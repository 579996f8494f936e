"""What is a screen made of? What was asked, what is replied, and the entries of the tables; pure values, nothing of Telegram's library."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from alerts.rules.buttons import Row as Row

MAX_DIGITS = 18  # of a number that a database takes


@dataclass(frozen=True, slots=True)
class Chat:
    """The chat that asks, as Telegram names it; `type` is private, group, supergroup or channel."""

    id: int
    type: str
    title: str

    @property
    def private(self) -> bool:
        """Whether it is one person's own chat with the bot."""
        return self.type == "private"


@dataclass(frozen=True, slots=True)
class Asked:
    """One question. `args`: a command's text after its name, a button's data after its name and colon, or what was typed in a dialogue."""

    chat: Chat
    person: int  # user id; the chat's own id for a channel and for admins who write anonymously
    args: str
    now: datetime
    message_id: int | None = None  # the message that the tapped button sits on, or that the dialogue edits; None for a command
    data: Mapping[str, Any] = field(default_factory=dict)  # what the dialogue has kept so far
    topic: int | None = None  # of a group with topics: the one in which it was asked, and where the answer goes
    update: int = field(default=0, compare=False)  # Telegram's number of it, the same when it is told again

    @property
    def parts(self) -> list[str]:
        """A button's arguments: "17:8" is ["17", "8"]."""
        return self.args.split(":") if self.args else []

    def number(self, index: int) -> int | None:
        """A button's argument as a number from 0 on; None when it is none, or too large for any row's."""
        text = self.parts[index] if index < len(self.parts) else ""
        return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else None


@dataclass(frozen=True, slots=True)
class Document:
    """A file to send."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What the chat gets.

    `text` is Telegram's HTML; what is over 4096 characters is cut off at the end of a line. `keyboard`: rows of (label, data),
    data of at most 64 bytes. `edit`: the message `asked.message_id` is changed in place, without `text` only its keyboard; when
    it is gone the reply is sent as a new one. `toast`: a few words over the chat for whoever tapped a button, at most 200
    characters. Without text, document or edit only the toast is shown.
    """

    text: str = ""
    keyboard: Sequence[Row] = ()
    edit: bool = False
    toast: str = ""
    document: Document | None = None


Answer = Callable[[Asked], Reply]


@dataclass(frozen=True, slots=True)
class Command:
    """A command, what it does, its line in /help. `changes`: it is carried out even when a newer question takes its answer's place.

    `admins`: in a group or channel it is for the admins only.
    """

    name: str
    answer: Answer
    help: str
    changes: bool = False
    admins: bool = False


@dataclass(frozen=True, slots=True)
class Button:
    """What a tap on a button with the data `name` or `name:arg:arg` does; `changes` as for a command. `anyone`: in a group not for admins only."""

    name: str
    answer: Answer
    changes: bool = True
    anyone: bool = False
