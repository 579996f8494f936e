"""How is a fault said once that strikes a thousand times? Each message at most once a minute, or as seldom as is wished."""

import logging
import time

EVERY_S = 60.0


class Seldom:
    """Warnings of one logger, each at most once in `every_s` seconds."""

    def __init__(self, log: logging.Logger, every_s: float = EVERY_S) -> None:
        self._log, self._every_s = log, every_s
        self._said_at: dict[object, float] = {}

    def warning(self, message: str, *args: object, about: object = None) -> None:
        """Log, unless the same text was logged a short while ago, or any text `about` the same."""
        said, now = message % args, time.monotonic()
        key = said if about is None else about
        if now - self._said_at.get(key, -self._every_s) >= self._every_s:
            self._said_at = {other: at for other, at in self._said_at.items() if now - at < self._every_s} | {key: now}
            self._log.warning("%s", said)
