"""How do signals get into the database, whatever happens to it? In order, at once, and again until they are written."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import DatabaseError, DataError, InterfaceError, connection
from django.utils import timezone

from alertsystem.bulk import BulkInsert
from monitors import models, selectors
from monitors.market import Signal, from_epoch_ms

log = logging.getLogger(__name__)

BATCH = 200
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 5.0  # between tries while the database is away
LOOK_EVERY_S = 0.5

ROWS = BulkInsert(
    models.Signal, "kind", "asset", "direction", "fingerprint", "value", "count", "venues", "window_s", "episode",
    "number", "listed_on", "price", "details", "occurred_at", "received_at", "detected_at",
)  # fmt: skip
Dated = tuple[Signal, datetime]  # the signal and when it was detected


class SignalRecorder:
    """A thread of its own. `announce(fingerprint)` is called after a signal's row is there."""

    def __init__(self, announce: Callable[[str], None]) -> None:
        self._announce = announce
        self._waiting: deque[Dated] = deque()
        self._news = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def add(self, signals: Sequence[Signal]) -> None:
        """Keep the signals until they are written."""
        now = timezone.now()
        self._waiting.extend((signal, now) for signal in signals)
        self._news.set()

    def stop(self, timeout_s: float) -> int:
        """Write what waits, for as long as there is time; returns how many signals are left."""
        self._stopping.set()
        self._news.set()
        self._thread.join(timeout_s)
        return len(self._waiting)

    def _run(self) -> None:
        wait_s = FIRST_WAIT_S
        while self._waiting or not self._stopping.is_set():
            self._news.wait(LOOK_EVERY_S)
            self._news.clear()
            try:
                self._write_waiting()
                wait_s = FIRST_WAIT_S
            except (DatabaseError, InterfaceError) as error:
                connection.close()
                log.warning("%d signals wait for the database (%s); next try in %.1f s", len(self._waiting), type(error).__name__, wait_s)
                self._stopping.wait(wait_s)
                wait_s = min(wait_s * 2, LONGEST_WAIT_S)
        connection.close()

    def _write_waiting(self) -> None:
        while self._waiting:
            batch = [self._waiting[index] for index in range(min(BATCH, len(self._waiting)))]
            write(batch)
            for signal, _ in batch:
                self._waiting.popleft()
                self._announce(signal.fingerprint)


def write(signals: Sequence[Dated]) -> None:
    """Store the signals, once: the key is kind, fingerprint and arrival. One that the database cannot hold is logged and left out."""
    rows = [_row(signal, detected_at) for signal, detected_at in signals]
    try:
        ROWS.write(rows)
    except DataError as error:
        if len(signals) == 1:
            log.error("A signal cannot be stored: %s: %s", signals[0][0], error)
            return
        for signal in signals:
            write([signal])


def _row(signal: Signal, detected_at: datetime) -> tuple[object, ...]:
    venues = {venue.value: f"{part:f}" for venue, part in signal.venues.items()}
    details = {**_mark_of(signal, detected_at), **signal.details}
    occurred_at, received_at = from_epoch_ms(signal.occurred_at_ms), from_epoch_ms(signal.received_at_ms)
    return (
        signal.kind, signal.asset, signal.direction, signal.fingerprint, signal.value, signal.count, venues, signal.window_s, signal.episode,
        signal.number, signal.listed_on, signal.price, details, occurred_at, received_at, detected_at,
    )  # fmt: skip


def _mark_of(signal: Signal, detected_at: datetime) -> dict[str, str]:
    """Another venue's last mark, where Binance's did not come with the signal; without a change, for scans are a minute apart."""
    if "mark_price" in signal.details:
        return {}
    mark = selectors.last_mark(signal.asset, detected_at)
    return {} if mark is None else {"mark_price": f"{mark.normalize():f}"}
