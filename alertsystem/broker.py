"""How does a process talk to Redis itself? One pooled client with short time-outs; keys start with `alertsystem:`."""

from functools import cache

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

KEY_PREFIX = "alertsystem:"
# Until when something waits, in microseconds of the server's clock: KEYS[1] for ARGV[1] ms from now on, never shortened by a smaller one.
PAUSE = """
local t = redis.call('TIME')
local till = t[1] * 1000000 + t[2] + ARGV[1] * 1000
if till > tonumber(redis.call('GET', KEYS[1]) or 0) then
  redis.call('SET', KEYS[1], string.format('%.0f', till), 'PX', ARGV[1])
end
"""
TIMEOUT_S = 1.0  # to connect, and for each answer: a frozen broker must not freeze us


def key(*parts: object) -> str:
    """The name of one of our keys: `key("flood", 42)` is `alertsystem:flood:42`."""
    return KEY_PREFIX + ":".join(map(str, parts))


@cache
def redis_client() -> "Redis":
    """This process's client, connecting at first use; answers are bytes. Threads may share it."""
    url = settings.BROKER_URL.replace("redis+socket://", "unix://").replace("?virtual_host=", "?db=")
    once_more = Retry(NoBackoff(), 1)  # a pooled connection may be from before the broker's restart
    client: Redis = Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=once_more)
    return client
