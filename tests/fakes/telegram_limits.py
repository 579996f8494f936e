"""Would Telegram accept one more message now? The flood limits of the Bot API, and the pause after a 429."""

import math
from collections import defaultdict, deque
from dataclasses import dataclass, field

GROUP_WINDOW_S = 60.0
JITTER_S = 0.1  # two requests sent a second apart may arrive a little closer; the average stays strict


@dataclass
class FloodLimits:
    """Limits in messages; 0 switches one off.

    `per_second` is strict over any second. `chat_interval_s` holds on average with bursts of
    `chat_burst` (Telegram: "short bursts pass"; 1 is the strict mode). `group_per_minute` is for
    negative chat ids.
    """

    per_second: int = 30
    chat_interval_s: float = 1.0
    chat_burst: int = 1
    group_per_minute: int = 20
    _all: deque[float] = field(default_factory=deque)
    _groups: defaultdict[object, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _next_in_chat: dict[object, float] = field(default_factory=dict)
    _paused_until: float = 0.0
    _chat_paused_until: dict[object, float] = field(default_factory=dict)

    def paused(self, chat_id: object, now: float) -> int | None:
        """Seconds of the 429 that is still in force for everybody or for the chat; None when there is none."""
        left = max(self._paused_until, self._chat_paused_until.get(chat_id, 0.0)) - now
        return math.ceil(left) if left > 0 else None

    def pause(self, seconds: float, now: float) -> None:
        """Refuse everything for `seconds`, as Telegram does after its 429."""
        self._paused_until = max(self._paused_until, now + seconds)

    def admit(self, chat_id: object, now: float) -> int | None:
        """Count one message and return None, or refuse it: the `retry_after` in seconds, in force from now on."""
        overall, in_chat = (self._overall_wait(now), max(self._chat_wait(chat_id, now), self._group_wait(chat_id, now)))
        if overall > 0:
            self.pause(math.ceil(overall), now)
            return math.ceil(overall)
        if in_chat > 0:
            self._chat_paused_until[chat_id] = now + math.ceil(in_chat)
            return math.ceil(in_chat)
        self._count(chat_id, now)
        return None

    def _overall_wait(self, now: float) -> float:
        while self._all and self._all[0] <= now - 1.0:
            self._all.popleft()
        return self._all[0] + 1.0 - now if self.per_second and len(self._all) >= self.per_second else 0.0

    def _group_wait(self, chat_id: object, now: float) -> float:
        sent = self._groups[chat_id]
        while sent and sent[0] <= now - GROUP_WINDOW_S + JITTER_S:
            sent.popleft()
        full = is_group(chat_id) and self.group_per_minute and len(sent) >= self.group_per_minute
        return sent[0] + GROUP_WINDOW_S - now if full else 0.0

    def _chat_wait(self, chat_id: object, now: float) -> float:
        tolerance = (self.chat_burst - 1) * self.chat_interval_s + JITTER_S
        wait = self._next_in_chat.get(chat_id, now) - now
        return wait if self.chat_interval_s and wait > tolerance else 0.0

    def _count(self, chat_id: object, now: float) -> None:
        self._all.append(now)
        self._groups[chat_id].append(now)
        self._next_in_chat[chat_id] = max(self._next_in_chat.get(chat_id, now), now) + self.chat_interval_s


def is_group(chat_id: object) -> bool:
    """Groups, supergroups and channels have negative ids."""
    return isinstance(chat_id, int) and chat_id < 0
