"""Who taps and who may? Taps that wait for their answer, and what everybody is in a chat."""

import time
from dataclasses import dataclass, field

from tests.fakes.telegram_refusal import Refused
from tests.fakes.telegram_updates import Json, member, user

MAX_TOAST = 200
TOO_OLD = "Bad Request: query is too old and response timeout expired or query ID is invalid"
MEMBERS = ("creator", "administrator", "member", "restricted", "left", "kicked")


@dataclass
class Taps:
    """The callback queries: each may be answered once, within `patience_s`."""

    patience_s: float = 15.0
    answered: list[Json] = field(default_factory=list)
    _waiting: dict[str, float] = field(default_factory=dict)

    def tap(self, query_id: str) -> None:
        """Somebody tapped a button."""
        self._waiting[query_id] = time.monotonic()

    def answer(self, params: Json) -> bool:
        """The bot answers a tap."""
        if len(str(params.get("text", ""))) > MAX_TOAST:
            raise Refused(400, "Bad Request: MESSAGE_TOO_LONG")
        tapped = self._waiting.pop(str(params.get("callback_query_id", "")), None)
        if tapped is None or time.monotonic() - tapped > self.patience_s:
            raise Refused(400, TOO_OLD)
        self.answered.append(params)
        return True


@dataclass
class Members:
    """What people are in chats; whoever is not named is a member."""

    bot: Json
    _status: dict[tuple[int | str, int], str] = field(default_factory=dict)

    def set(self, chat_id: int | str, user_id: int, status: str) -> None:
        """`status`: creator, administrator, member, restricted, left or kicked."""
        if status not in MEMBERS:
            raise ValueError(f"no such status: {status}")
        self._status[chat_id, user_id] = status

    def get(self, chat_id: int | str, user_id: int) -> Json:
        """The member as the Bot API shows it; the bot itself is an administrator."""
        if user_id == self.bot["id"]:
            return member(self.bot, self._status.get((chat_id, user_id), "administrator"))
        return member(user(user_id), self._status.get((chat_id, user_id), "member"))

    def administrators(self, chat_id: int | str) -> list[Json]:
        """The administrators but for other bots; a private chat has none."""
        if isinstance(chat_id, int) and chat_id > 0:
            raise Refused(400, "Bad Request: there are no administrators in the private chat")
        found = [self.get(chat_id, user_id) for (chat, user_id), status in self._status.items() if chat == chat_id and status in MEMBERS[:2]]
        return [member(self.bot, "administrator"), *found]
