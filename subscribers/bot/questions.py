"""What waits for an answer? One question of a chat, and how it is carried out: in the database, with a polite word when that fails."""

import logging
import time
from dataclasses import dataclass, field, replace

from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from subscribers.bot import texts
from subscribers.bot.database import in_database
from subscribers.bot.screen import Answer, Asked, Reply

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Question:
    """`tap` is the id of Telegram's callback query, "" for what was written. `reply` is None until it was carried out. `since` is monotonic."""

    asked: Asked
    answer: Answer
    tap: str = ""
    reply: Reply | None = None
    tries: int = 0  # how often the reply was sent in vain
    since: float = field(default_factory=time.monotonic)

    @property
    def chat_id(self) -> int:
        """Where the answer goes."""
        return self.asked.chat.id

    def repeats(self, other: "Question | None") -> bool:
        """Whether the same person asks the same thing once more."""
        return other is not None and self.answer is other.answer and replace(self.asked, now=other.asked.now) == other.asked

    async def carry_out(self) -> Reply:
        """The reply, made now unless it was made before."""
        if self.reply is None:
            self.reply = await self._replied()
        return self.reply

    async def _replied(self) -> Reply:
        try:
            return await in_database(self.answer, replace(self.asked, now=timezone.now()))
        except (DatabaseError, InterfaceError) as error:
            log.error("the database cannot answer %s: %s", self.answer.__name__, type(error).__name__)
            return self._apology(texts.DATABASE_AWAY)
        except Exception:  # one question of an endless loop: the others go on
            log.exception("%s failed", self.answer.__name__)
            return self._apology(texts.WENT_WRONG)

    def _apology(self, text: str) -> Reply:
        return Reply(toast=text) if self.tap else Reply(text)
