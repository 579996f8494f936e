"""How do liquidations get into the database? In batches, at most a second late; under overload rows are dropped and counted."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from django.db import DatabaseError, InterfaceError, connection

from alertsystem.bulk import BulkInsert
from monitors import models
from monitors.detectors.intake import Admission
from monitors.market import Liquidation, Venue, from_epoch_ms

log = logging.getLogger(__name__)

ROWS_LIMIT = 20_000  # rows that wait at most; about 10 MB
BATCH = 1_000
SAVE_EVERY_S = 0.4  # with the time of one batch well under the promised second
LONGEST_WAIT_S = 5.0  # between tries while the database is away

ROWS = BulkInsert(
    models.Liquidation, "venue", "symbol", "asset", "position_side", "price", "quantity_base", "notional_usd",
    "occurred_at", "received_at", "occurrence", "kept_out",
)  # fmt: skip
Row = tuple[Liquidation, int, str]  # event, arrival in epoch ms, why detection did not count it ("" when it did)


class RowSaver:
    """A thread of its own. `overloaded` says that detection does not keep up: saving pauses then, it is the first to give way."""

    def __init__(self, count_unsaved: Callable[[Venue], None], overloaded: Callable[[], bool] = lambda: False) -> None:
        self._rows: deque[Row] = deque()
        self._count_unsaved, self._overloaded = count_unsaved, overloaded
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="saver", daemon=True)

    def start(self) -> None:
        """Begin to save."""
        self._thread.start()

    def add(self, admission: Admission, at_ms: int) -> None:
        """Take the rows of one frame (all of them or none), or count them as unsaved when too many wait."""
        saved = admission.saved
        if len(self._rows) + len(saved) > ROWS_LIMIT:
            for event, _ in saved:
                self._count_unsaved(event.venue)
        else:
            self._rows.extend((event, at_ms, kept_out) for event, kept_out in saved)

    def stop(self, timeout_s: float) -> int:
        """Save what waits, for as long as there is time; returns how many rows are left."""
        self._stopping.set()
        self._thread.join(timeout_s)
        return len(self._rows)

    def _run(self) -> None:
        wait_s = SAVE_EVERY_S
        while not self._stopping.wait(wait_s) or self._rows:
            try:
                if not self._overloaded() or self._stopping.is_set():
                    self._save_waiting()
                wait_s = SAVE_EVERY_S
            except (DatabaseError, InterfaceError) as error:
                connection.close()
                if self._stopping.is_set():
                    break
                wait_s = min(wait_s * 2, LONGEST_WAIT_S)
                log.warning("%d liquidations wait to be saved (%s); next try in %.0f s", len(self._rows), type(error).__name__, wait_s)
        connection.close()

    def _save_waiting(self) -> None:
        until = time.monotonic() + SAVE_EVERY_S
        while self._rows and time.monotonic() < until:
            batch = [self._rows[index] for index in range(min(BATCH, len(self._rows)))]
            ROWS.write([_stored(row) for row in batch])
            for _ in batch:
                self._rows.popleft()


def _stored(row: Row) -> tuple[object, ...]:
    event, at_ms, kept_out = row
    occurred_at, received_at = from_epoch_ms(event.occurred_at_ms), from_epoch_ms(at_ms)
    return (
        event.venue, event.symbol, event.asset, event.position_side, event.price, event.quantity_base, event.notional_usd,
        occurred_at, received_at, event.occurrence, kept_out,
    )  # fmt: skip
