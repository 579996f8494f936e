"""How do the bot's answers share the flood limits with the alerts? A rate limiter for python-telegram-bot over the same budget."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from telegram.error import NetworkError, RetryAfter
from telegram.ext import BaseRateLimiter

from alerts.channels.telegram import seconds_of
from alerts.flood import FloodLimiter, RedisAway

log = logging.getLogger(__name__)
WRITES = ("send", "edit", "copy", "forward", "stop")  # methods that Telegram counts; getMe, answerCallbackQuery... are free
TRIES = 3  # of one request that is answered with 429
PATIENCE_S = 60.0  # an answer older than this is not worth sending
REDIS_RETRY_S = 1.0


class SharedRateLimiter(BaseRateLimiter[int]):
    """Takes a slot of the shared budget for every message and edit, and makes every process obey a `retry_after`.

    Alerts have no way past the answers yet: where they shall, the answers leave `spare` in `FloodLimiter.take`.
    """

    def __init__(self, limiter: FloodLimiter) -> None:
        self._limiter = limiter

    async def initialize(self) -> None:
        """Nothing to prepare: the limits live in Redis."""

    async def shutdown(self) -> None:
        """Nothing to release."""

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,
    ) -> Any:
        """Wait for a slot, then make the request; after a 429 once more, when its pause is over."""
        for tries_left in reversed(range(TRIES)):
            if endpoint.startswith(WRITES) and data.get("chat_id"):
                await self._slot(data["chat_id"])
            try:
                return await callback(*args, **kwargs)
            except RetryAfter as error:
                await self._pause(seconds_of(error))
                if not tries_left:
                    raise
        raise AssertionError("the last try returns or raises")

    async def _slot(self, chat_id: int | str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                turn = await asyncio.to_thread(self._limiter.take, chat_id)
            except RedisAway as error:
                log.warning("Redis cannot be reached, an answer waits: %s", error)
                await asyncio.sleep(REDIS_RETRY_S)
                continue
            if turn.granted:
                return
            await asyncio.sleep(turn.wait_s)
        raise NetworkError("no slot of the flood limits in time")

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.to_thread(self._limiter.pause, seconds)
        except RedisAway:
            await asyncio.sleep(seconds)
