"""How do many changes at once leave room for alerts? One after the other, and on SQLite, which has one writer at a time, with a rest between two."""

import asyncio
import time
from dataclasses import dataclass, field

from django.db import connection

from subscribers.bot.questions import Question

REST = 1.0  # times as long as the change took: whoever sends an alert has to write, too
MAX_REST_S = 0.2


@dataclass(slots=True)
class Pace:
    """Carries out what changes something; a single change waits for nothing."""

    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _rested_at: float = 0.0

    async def carry_out(self, question: Question) -> None:
        """Carry it out when its turn comes."""
        async with self._turn:
            await asyncio.sleep(max(0.0, self._rested_at - time.monotonic()))
            began = time.monotonic()
            await question.carry_out()
            ended = time.monotonic()
            if connection.vendor == "sqlite":
                self._rested_at = ended + min(MAX_REST_S, REST * (ended - began))
