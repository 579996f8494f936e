"""Which processes are alive? Workers and beat write keys to Redis that outlive them only for a moment."""

import logging

from redis import RedisError

from alertsystem.broker import key, redis_client

ALIVE_S = 15  # a heartbeat comes every two seconds

log = logging.getLogger(__name__)


def say_alive(*names: str) -> None:
    """Write the heartbeat of each name ("beat", "worker:alerts"); without Redis it goes unsaid, and /readyz says so."""
    try:
        with redis_client().pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.set(key("alive", name), 1, ex=ALIVE_S)
            pipeline.execute()
    except RedisError as error:
        log.debug("no heartbeat: %s", error)


def alive(*names: str) -> dict[str, bool]:
    """Whether each name has had a heartbeat within ALIVE_S; RedisError when the broker does not answer."""
    found = redis_client().mget([key("alive", name) for name in names])
    return {name: value is not None for name, value in zip(names, found, strict=True)}
