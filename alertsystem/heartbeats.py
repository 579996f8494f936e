"""Which processes are alive? Workers and beat write keys to Redis that outlive them only for a moment; each process a file of its own."""

import logging
import time
from datetime import UTC, datetime

from django.conf import settings
from redis import RedisError

from alertsystem.alive import ALIVE_S as ALIVE_S
from alertsystem.alive import touch
from alertsystem.broker import key, redis_client

EVERY_S = 2.0

log = logging.getLogger(__name__)


def touch_file() -> None:
    """Write the file that this process's health check looks at, when there is one; a full disk is no reason to die."""
    if settings.ALIVE_FILE is not None:
        try:
            touch(settings.ALIVE_FILE)
        except OSError as error:
            log.warning("ALIVE_FILE cannot be written: %s", error)


def say_alive(*names: str) -> None:
    """Write the heartbeat of each name ("beat", "worker:alerts"); without Redis it goes unsaid, and /readyz says so."""
    touch_file()
    try:
        with redis_client().pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.set(key("alive", name), 1, ex=ALIVE_S)
                pipeline.set(key("alive_since", name), int(time.time()), nx=True)
                pipeline.expire(key("alive_since", name), ALIVE_S)
            pipeline.execute()
    except RedisError as error:
        log.debug("no heartbeat: %s", error)


def alive(*names: str) -> dict[str, bool]:
    """Whether each name has had a heartbeat within ALIVE_S; RedisError when the broker does not answer."""
    found = redis_client().mget([key("alive", name) for name in names])
    return {name: value is not None for name, value in zip(names, found, strict=True)}


def alive_since(name: str) -> datetime | None:
    """Since when the name has had its heartbeats without a gap of ALIVE_S; None when it has none now. RedisError when the broker does not answer."""
    found = redis_client().get(key("alive_since", name))
    return None if found is None else datetime.fromtimestamp(int(found), UTC)
