"""How do frames get from the sockets to detection? A bounded queue: when it is full, the sockets wait, and the venue with them."""

import queue
import threading
from collections.abc import Sequence

from monitors.market import Venue

LOOK_AGAIN_S = 0.005  # while waiting for room

Frames = tuple[Venue, Sequence[bytes], int]  # venue, raw frames that were received together, their arrival in epoch ms


class Mailbox:
    """Many senders, one receiver. `limit`: so many frames inside, and nobody adds to them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: queue.SimpleQueue[Frames] = queue.SimpleQueue()
        self._inside, self._counting = 0, threading.Lock()
        self._closed = threading.Event()

    def put(self, venue: Venue, frames: Sequence[bytes], at_ms: int) -> None:
        """Hand over what arrived together, waiting while the box is full; after `close` nothing waits and nothing is taken in."""
        while self._inside >= self._limit and not self._closed.wait(LOOK_AGAIN_S):
            pass
        if not self._closed.is_set():
            with self._counting:
                self._inside += len(frames)
            self._items.put((venue, frames, at_ms))

    def take(self, timeout_s: float) -> Frames | None:
        """The oldest frames; None when none came in time."""
        try:
            found = self._items.get(timeout=timeout_s)
        except queue.Empty:
            return None
        with self._counting:
            self._inside -= len(found[1])
        return found

    def close(self) -> None:
        """Take in nothing more; what is inside can still be taken."""
        self._closed.set()

    @property
    def crowded(self) -> bool:
        """Over half full: the receiver does not keep up."""
        return self._inside * 2 > self._limit
