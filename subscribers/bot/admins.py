"""Who may change what a chat gets? In private the person, in a group or channel its admins, as Telegram says."""

import time
from dataclasses import dataclass, field

from telegram import Bot, ChatMember
from telegram.error import TelegramError

from subscribers.bot.screen import Chat

KNOWN_S = 60.0  # an admin who is dismissed may change things for so long
REFUSED_S = 10.0  # a new admin waits so long at most
MAX_KNOWN = 10_000
ASK_S = 3.0
ADMINS = (ChatMember.OWNER, ChatMember.ADMINISTRATOR)


@dataclass(slots=True)
class Admins:
    """Remembers for a short while who is an admin; of at most `MAX_KNOWN` people, the longest known are forgotten."""

    _known: dict[tuple[int, int], tuple[bool, float]] = field(default_factory=dict)

    async def may_change(self, bot: Bot, chat: Chat, person: int) -> bool | None:
        """Whether the person decides for the chat; None when Telegram does not say.

        A channel posts, and an anonymous admin writes, as the chat itself; who writes as another channel is nobody's admin.
        """
        if chat.private or person <= 0:
            return person == chat.id
        is_admin, until = self._known.pop((chat.id, person), (False, 0.0))
        if until <= time.monotonic():
            try:
                member = await bot.get_chat_member(chat.id, person, read_timeout=ASK_S)
            except TelegramError:
                return None
            is_admin = member.status in ADMINS
            until = time.monotonic() + (KNOWN_S if is_admin else REFUSED_S)
        self._known[chat.id, person] = (is_admin, until)
        if len(self._known) > MAX_KNOWN:
            del self._known[next(iter(self._known))]
        return is_admin
