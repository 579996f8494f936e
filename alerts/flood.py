"""May one more message go out now? Telegram's flood limits, kept in Redis for all processes together."""

from dataclasses import dataclass
from functools import cache
from typing import Any

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

# What answers to people may use: they share the limits, and whatever waits as an alert goes first.
ANSWERS_PART = 2  # every second slot at most, so that an alert never finds more than one taken
ANSWERS_SPARE = 10  # of a group's minute: the other half is for alerts
ANSWERS_BURST, ANSWERS_INTERVAL_MS = 20, 2_000  # to one chat: a walk through the menus, then 30 a minute, so that few alerts find their chat just used
URGENT_ONLY, ANY_ALERT = 2, 1
TRICKLE_MS = 1_000  # while alerts below HIGH wait, one answer a second: a long queue may take an hour
WAITS_MS = 500  # so much longer than its wait an alert that was refused is taken to be waiting: it asks again at once

# All limits or none, on the server's clock, so that every process sees the same. Overall: GCRA with a burst of one.
# A chat: one key that lives for the interval. A group: its last sends, because a burst of one here would hold an
# escalation back for 3 s. Answers how long to wait in microseconds, and whether for this chat only.
LIMITS = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local function limits()
  local pause = tonumber(redis.call('GET', KEYS[1]) or 0)
  if pause > now then return pause - now, 0 end
  local wait = redis.call('PTTL', KEYS[3]) * 1000
  local allowed = tonumber(ARGV[3])
  if allowed >= 0 then
    local oldest = allowed == 0 and now or tonumber(redis.call('LINDEX', KEYS[4], allowed - 1) or 0)
    wait = math.max(wait, oldest + ARGV[4] * 1000 - now)
  end
  if wait > 0 then return wait, 1 end
  local due = tonumber(redis.call('GET', KEYS[2]) or 0)
  if due > now then return due - now, 0 end
  return 0, 0
end
local function use()
  local due = tonumber(redis.call('GET', KEYS[2]) or 0)
  redis.call('SET', KEYS[2], string.format('%.0f', math.max(due, now - ARGV[5]) + ARGV[1]), 'PX', 60000)
  redis.call('SET', KEYS[3], 1, 'PX', ARGV[2])
  if tonumber(ARGV[3]) >= 0 then
    redis.call('LPUSH', KEYS[4], string.format('%.0f', now))
    redis.call('LTRIM', KEYS[4], 0, 19)
    redis.call('PEXPIRE', KEYS[4], ARGV[4])
  end
end
"""
# ARGV[6]: how urgent the alert is (0: an edit, which may wait), ARGV[7]: ms after its wait in which it is taken to wait.
# After an urgent one others of it are taken to wait, too: the sender may be slower than the limits.
TAKE = (
    LIMITS
    + """
local wait, chat_only = limits()
if wait <= 0 then use() end
local urgent = tonumber(ARGV[6])
if urgent > 1 or (urgent > 0 and wait > 0) then
  local waits = KEYS[5 + chat_only]
  urgent = math.max(urgent, tonumber(redis.call('GET', waits) or 0))
  redis.call('SET', waits, urgent, 'PX', math.ceil(wait / 1000) + ARGV[7])
end
return {wait, chat_only}
"""
)
# ARGV[6], ARGV[7]: microseconds between two answers, also while alerts wait; ARGV[8], ARGV[9]: ms between answers to a chat, and how many may come at once;
# ARGV[10]: 1 to take the slot, 0 to look only.
ANSWER = (
    LIMITS
    + """
local waits = tonumber(redis.call('GET', KEYS[5]) or 0)
if waits > 1 then return {math.max(1, redis.call('PTTL', KEYS[5])) * 1000, 0} end
local at_chat = redis.call('PTTL', KEYS[6])
if at_chat > 0 then return {at_chat * 1000, 1} end
local paced = math.max(tonumber(redis.call('GET', KEYS[8]) or 0), now / 1000)
local early = paced - now / 1000 - (ARGV[9] - 1) * ARGV[8]
if early > 0 then return {math.ceil(early * 1000), 1} end
local wait, chat_only = limits()
if wait > 0 then return {wait, chat_only} end
local last = tonumber(redis.call('GET', KEYS[7]) or 0)
local due = last + (waits > 0 and ARGV[7] or ARGV[6])
if due > now then return {due - now, 0} end
if ARGV[10] == '0' then return {0, 0} end
use()
redis.call('SET', KEYS[7], string.format('%.0f', now), 'PX', 60000)
redis.call('SET', KEYS[8], string.format('%.0f', paced + ARGV[8]), 'PX', math.ceil(paced - now / 1000 + ARGV[8]))
return {0, 0}
"""
)


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
        self._client = client
        self._interval_us = round(1_000_000 / per_second)
        self._take, self._answer, self._pause = (client.register_script(script) for script in (TAKE, ANSWER, PAUSE))

    def take(self, chat_id: int | str, spare: int = 0, urgent: bool = True) -> Turn:
        """Take a slot for an alert to `chat_id` if there is one now; when there is none, answers wait until this alert has had its turn.

        An edit may wait: it leaves `spare` messages of a group's minute to others, and no answer waits for it. `urgent`: HIGH or more.
        """
        waits = 0 if spare else URGENT_ONLY if urgent else ANY_ALERT
        return self._turn(self._take(keys=self._keys(chat_id), args=[*self._limits(chat_id, spare), waits, WAITS_MS]))

    def take_for_answer(self, chat_id: int | str, *, only_look: bool = False) -> Turn:
        """Take a slot for an answer to a person; those to one chat keep a pace, and none is given while an urgent alert waits.

        `only_look`: say whether there would be one. What is sent long after its slot was taken collides with others.
        """
        keys = [*self._keys(chat_id), key("flood", "answers"), key("flood", f"asked:{chat_id}")]
        paces = [self._interval_us * ANSWERS_PART, TRICKLE_MS * 1000, ANSWERS_INTERVAL_MS, ANSWERS_BURST]
        return self._turn(self._answer(keys=keys, args=[*self._limits(chat_id, ANSWERS_SPARE), *paces, 0 if only_look else 1]))

    def _keys(self, chat_id: int | str) -> list[str]:
        return [key("flood", name) for name in ("pause", "all", f"chat:{chat_id}", f"group:{chat_id}", "waiting", f"waiting:{chat_id}")]

    def _limits(self, chat_id: int | str, spare: int) -> list[int]:
        allowed = GROUP_LIMIT - spare if _is_group(chat_id) else -1
        return [self._interval_us, CHAT_INTERVAL_MS, allowed, GROUP_WINDOW_MS, LATE_US]

    @staticmethod
    def _turn(answer: Any) -> Turn:
        wait_us, chat_only = answer
        return Turn(wait_us / 1_000_000, bool(chat_only))

    def arrived(self, chat_id: int | str) -> None:
        """A picture is there, which Telegram counts only now: the chat's next message is as far from here as from any other."""
        self._client.set(key("flood", f"chat:{chat_id}"), 1, px=CHAT_INTERVAL_MS)

    def pause(self, seconds: float) -> None:
        """Nobody sends for `seconds`: Telegram's `retry_after`. A longer pause in force stays."""
        self._pause(keys=[key("flood", "pause")], args=[max(1, round(seconds * 1000))])


@cache
def limiter() -> FloodLimiter:
    """This process's limiter, by the settings."""
    return FloodLimiter(redis_client(), settings.TELEGRAM_MESSAGES_PER_SECOND)


def _is_group(chat_id: int | str) -> bool:
    return isinstance(chat_id, str) or chat_id < 0  # "@name" is a channel or a group
