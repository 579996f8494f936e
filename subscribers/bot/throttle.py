"""May this chat have one more answer now? A limit of our own, so that one chat cannot use up the flood limits of all."""

from collections import deque
from dataclasses import dataclass, field

BURST, BURST_S = 5, 5.0
MINUTE_S = 60.0
PRIVATE_PER_MINUTE = 20
GROUP_PER_MINUTE = 10  # half of what Telegram lets us write to a group: the other half is for alerts
MAX_CHATS = 10_000


@dataclass(slots=True)
class Throttle:
    """Remembers when each chat was answered; at most `MAX_CHATS` chats, the longest quiet ones are forgotten."""

    _answers: dict[int, deque[float]] = field(default_factory=dict)

    def allows(self, chat_id: int, now_s: float) -> bool:
        """Whether one more answer is within the limits; if so it is counted. `now_s` is a monotonic clock."""
        answers = self._answers.pop(chat_id, deque())
        self._answers[chat_id] = answers  # newest last
        while answers and answers[0] <= now_s - MINUTE_S:
            answers.popleft()
        per_minute = PRIVATE_PER_MINUTE if chat_id > 0 else GROUP_PER_MINUTE
        in_burst = sum(at > now_s - BURST_S for at in answers)
        allowed = len(answers) < per_minute and in_burst < BURST
        if allowed:
            answers.append(now_s)
        if len(self._answers) > MAX_CHATS:
            self._answers.pop(next(iter(self._answers)))
        return allowed
