"""How is a fault said once that strikes a thousand times? Each message at most once a minute."""

import logging
import time

EVERY_S = 60.0


class Seldom:
    """Warnings of one logger, each wording (before its arguments are filled in) and arguments at most once a minute."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._said_at: dict[str, float] = {}

    def warning(self, message: str, *args: object) -> None:
        """Log, unless the same was logged less than a minute ago."""
        said, now = message % args, time.monotonic()
        if now - self._said_at.get(said, -EVERY_S) >= EVERY_S:
            self._said_at = {text: at for text, at in self._said_at.items() if now - at < EVERY_S} | {said: now}
            self._log.warning("%s", said)
