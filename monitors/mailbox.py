"""How do frames get from the sockets to detection? A bounded queue: when it is full, the sockets wait, and the venue with them."""

import queue
import threading
from typing import Generic, TypeVar

T = TypeVar("T")
LOOK_AGAIN_S = 0.005  # while waiting for room


class Mailbox(Generic[T]):
    """Many senders, one receiver."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: queue.SimpleQueue[T] = queue.SimpleQueue()
        self._closed = threading.Event()

    def put(self, item: T) -> None:
        """Hand over an item, waiting while the box is full; after `close` nothing waits and nothing is taken in."""
        while self._items.qsize() >= self._limit and not self._closed.wait(LOOK_AGAIN_S):
            pass
        if not self._closed.is_set():
            self._items.put(item)

    def take(self, timeout_s: float) -> T | None:
        """The oldest item; None when none came in time."""
        try:
            return self._items.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def close(self) -> None:
        """Take in nothing more; what is inside can still be taken."""
        self._closed.set()

    @property
    def crowded(self) -> bool:
        """Over half full: the receiver does not keep up."""
        return self._items.qsize() * 2 > self._limit
