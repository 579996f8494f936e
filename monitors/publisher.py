"""How are workers told to look now? By hints, from a thread of their own, so that a frozen broker delays nothing else."""

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

Hint = tuple[str, tuple[str, ...], int]  # task, arguments, priority
Enqueue = Callable[[Hint], None]
WARN_EVERY_S = 60.0
APART_S = 0.05  # between two alike: one task decides all that is there when it runs


class HintPublisher:
    """Publishes each waiting hint once, alike ones apart; one that cannot be published is dropped, because a sweep looks as well."""

    def __init__(self, enqueue: Enqueue) -> None:
        self._enqueue = enqueue
        self._waiting: dict[Hint, None] = {}
        self._recent: dict[Hint, float] = {}  # monotonic seconds when it was published
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._stopping = threading.Event()
        self._warned_at: float | None = None
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    def add(self, task: str, *args: str, priority: int) -> None:
        """Ask for `task`; one that already waits is not asked for twice."""
        hint = task, args, priority
        with self._lock:
            if hint in self._waiting:
                return
            self._waiting[hint] = None
        self._news.set()

    def stop(self, timeout_s: float) -> None:
        """Publish what waits, for as long as there is time."""
        self._stopping.set()
        self._news.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            self._news.wait(APART_S if self._waiting else None)
            self._news.clear()
            stopping = self._stopping.is_set()
            for hint in self._take(everything=stopping):
                self._publish(hint)
            if stopping and not self._waiting:
                return

    def _take(self, everything: bool) -> list[Hint]:
        """What may be published now, or `everything`."""
        now = time.monotonic()
        with self._lock:
            self._recent = {hint: at for hint, at in self._recent.items() if now - at < APART_S}
            due = [hint for hint in self._waiting if everything or hint not in self._recent]
            for hint in due:
                del self._waiting[hint]
            self._recent |= dict.fromkeys(due, now)
        return due

    def _publish(self, hint: Hint) -> None:
        try:
            self._enqueue(hint)
        except Exception as error:  # kombu, redis and sockets have many; all mean the same here
            now = time.monotonic()
            if self._warned_at is None or now - self._warned_at >= WARN_EVERY_S:
                self._warned_at = now
                log.warning("Workers cannot be told to look now (%s); the sweep will find what waits", type(error).__name__)
