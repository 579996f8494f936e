"""May one more message go out now? Telegram's flood limits, kept in Redis for all processes together."""

from dataclasses import dataclass
from functools import cache

from django.conf import settings
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from alertsystem.broker import PAUSE, key, redis_client

RedisAway = (RedisConnectionError, RedisTimeoutError)
CHAT_INTERVAL_MS = 1_050  # Telegram: about one a second to a chat; a request may travel a little faster than the one before
GROUP_LIMIT = 20  # Telegram: 20 a minute to a group or channel (negative ids)
GROUP_WINDOW_MS = 60_500
LATE_US = 5_000  # a slot taken so much late does not delay the next one, else 28/s would be 27/s in practice

# All limits or none, on the server's clock, so that every process sees the same. Overall: GCRA with a burst of one.
# A chat: one key that lives for the interval. A group: its last sends, because a burst of one here would hold an
# escalation back for 3 s. Answers how long to wait in microseconds, and whether for this chat only.
TAKE = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local pause = tonumber(redis.call('GET', KEYS[1]) or 0)
if pause > now then return {pause - now, 0} end
local wait = redis.call('PTTL', KEYS[3]) * 1000
local allowed = tonumber(ARGV[3])
if allowed >= 0 then
  local oldest = allowed == 0 and now or tonumber(redis.call('LINDEX', KEYS[4], allowed - 1) or 0)
  wait = math.max(wait, oldest + ARGV[4] * 1000 - now)
end
if wait > 0 then return {wait, 1} end
local due = tonumber(redis.call('GET', KEYS[2]) or 0)
if due > now then return {due - now, 0} end
redis.call('SET', KEYS[2], string.format('%.0f', math.max(due, now - ARGV[5]) + ARGV[1]), 'PX', 60000)
redis.call('SET', KEYS[3], 1, 'PX', ARGV[2])
if allowed >= 0 then
  redis.call('LPUSH', KEYS[4], string.format('%.0f', now))
  redis.call('LTRIM', KEYS[4], 0, 19)
  redis.call('PEXPIRE', KEYS[4], ARGV[4])
end
return {0, 0}
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """The limiter's answer: a slot was taken when `wait_s` is 0; else when to ask again, and whether only this chat waits."""

    wait_s: float
    chat_only: bool

    @property
    def granted(self) -> bool:
        """Whether the message may go out, right now."""
        return self.wait_s <= 0


class FloodLimiter:
    """One budget for alerts, edits and the bot's answers. Every method raises one of `RedisAway` without a server."""

    def __init__(self, client: "Redis", per_second: float) -> None:
        self._interval_us = round(1_000_000 / per_second)
        self._take, self._pause = client.register_script(TAKE), client.register_script(PAUSE)

    def take(self, chat_id: int | str, spare: int = 0) -> Turn:
        """Take a slot for one message to `chat_id` if there is one now; of a group's minute, leave `spare` messages to others.

        Whoever may wait (an edit, later an answer of the bot) leaves spare what an alert could need.
        """
        keys = [key("flood", name) for name in ("pause", "all", f"chat:{chat_id}", f"group:{chat_id}")]
        allowed = GROUP_LIMIT - spare if _is_group(chat_id) else -1
        wait_us, chat_only = self._take(keys=keys, args=[self._interval_us, CHAT_INTERVAL_MS, allowed, GROUP_WINDOW_MS, LATE_US])
        return Turn(wait_us / 1_000_000, bool(chat_only))

    def pause(self, seconds: float) -> None:
        """Nobody sends for `seconds`: Telegram's `retry_after`. A longer pause in force stays."""
        self._pause(keys=[key("flood", "pause")], args=[max(1, round(seconds * 1000))])


@cache
def limiter() -> FloodLimiter:
    """This process's limiter, by the settings."""
    return FloodLimiter(redis_client(), settings.TELEGRAM_MESSAGES_PER_SECOND)


def _is_group(chat_id: int | str) -> bool:
    return isinstance(chat_id, str) or chat_id < 0  # "@name" is a channel or a group
