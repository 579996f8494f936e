"""How are workers told to look now? By hints, from a thread of their own, so that a frozen broker delays nothing else."""

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

Hint = tuple[str, tuple[str, ...], int]  # task, arguments, priority
Enqueue = Callable[[Hint], None]
WARN_EVERY_S = 60.0


class HintPublisher:
    """Publishes each waiting hint once; one that cannot be published is dropped, because a sweep looks as well."""

    def __init__(self, enqueue: Enqueue) -> None:
        self._enqueue = enqueue
        self._waiting: dict[Hint, None] = {}
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
        with self._lock:
            self._waiting[task, args, priority] = None
        self._news.set()

    def stop(self, timeout_s: float) -> None:
        """Publish what waits, for as long as there is time."""
        self._stopping.set()
        self._news.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            self._news.wait()
            self._news.clear()
            with self._lock:
                hints, self._waiting = list(self._waiting), {}
            for hint in hints:
                self._publish(hint)
            if self._stopping.is_set() and not self._waiting:
                return

    def _publish(self, hint: Hint) -> None:
        try:
            self._enqueue(hint)
        except Exception as error:  # kombu, redis and sockets have many; all mean the same here
            now = time.monotonic()
            if self._warned_at is None or now - self._warned_at >= WARN_EVERY_S:
                self._warned_at = now
                log.warning("Workers cannot be told to look now (%s); the sweep will find what waits", type(error).__name__)
