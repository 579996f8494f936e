"""How is the past filled in? Pages of candles and open interest, newest first, from where each contract's cursor stands; a slice at a time."""

import logging
import time
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from django.utils import timezone

from alertsystem import ending
from monitors import backfill_store
from monitors.backfill_store import OPEN_INTEREST, Brought, Lane, Line
from monitors.budget import SPARE
from monitors.lease import Held
from monitors.market import epoch_ms, from_epoch_ms
from monitors.models import BackfillCursor
from monitors.venues.candles import MOST, fetch_candles
from monitors.venues.clients import client
from monitors.venues.oi_history import fetch_oi_history
from monitors.venues.troubles import PASSING, MarketDataError, NoTime

log = logging.getLogger(__name__)

LEASE = "backfill"
SLICE_S = 26.0  # no request begins later; one takes 10 s at most, so that a slice stays under 40 s
LEASE_S = 30.0
RENEW_S = 5.0
Flight = tuple[Lane, BackfillCursor]


def backfill(slice_s: float = SLICE_S) -> int:
    """Fill in a slice of what is missing, unless another worker is at it; returns how many rows came."""
    lease = Held(LEASE, LEASE_S)
    last_run_at = backfill_store.last_run_at(LEASE)
    if not lease.acquire():
        return 0
    try:
        backfill_store.prepare(timezone.now(), last_run_at)
        lines = backfill_store.waiting(timezone.now())
        return _Run(lines, lease, slice_s).run() if lines else 0
    finally:
        lease.release()


class _Run:
    """One slice: requests in threads, one for each lane; the database in this one alone."""

    def __init__(self, lines: Mapping[Lane, Line], lease: Held, slice_s: float) -> None:
        self._lines, self._lease = lines, lease
        self._until = time.monotonic() + slice_s
        self._renew_at = time.monotonic() + RENEW_S
        self._rows = 0

    def run(self) -> int:
        """Ask until time, work or the lease ends; returns how many rows came."""
        with ThreadPoolExecutor(len(self._lines)) as pool:
            flights: dict[Future[Brought], Flight] = {}
            lanes = list(self._lines)
            while True:
                for lane in lanes:
                    if self._may_ask() and (cursor := self._lines[lane].take()):
                        flights[pool.submit(_fetch, cursor, self._until)] = (lane, cursor)
                if not flights:
                    break
                landed = [(done, flights.pop(done)) for done in wait(flights, RENEW_S / 2, FIRST_COMPLETED).done]
                lanes = [lane for done, (lane, cursor) in landed if self._land(done, lane, cursor)]
        log.info("Backfill: %s", backfill_store.progress())
        return self._rows

    def _land(self, done: "Future[Brought]", lane: Lane, cursor: BackfillCursor) -> bool:
        """Store what came; False when nothing more is to be asked in this lane for now."""
        try:
            brought = done.result()
        except NoTime:
            return False
        except MarketDataError as error:
            backfill_store.trouble(cursor, error, timezone.now())
            return error.trouble in PASSING
        self._rows += backfill_store.keep(cursor, brought, timezone.now())
        if not cursor.done:
            self._lines[lane].put(cursor)
        return True

    def _may_ask(self) -> bool:
        now = time.monotonic()
        if now >= self._renew_at:
            self._renew_at = now + RENEW_S
            if not self._lease.renew():
                self._until = now
        return now < self._until and not ending.is_ending()


def _fetch(cursor: BackfillCursor, until: float) -> Brought:
    """One page before the cursor; in a thread, so nothing here touches the database."""
    contract = cursor.market.as_contract()
    venue, before_ms = contract.venue, epoch_ms(cursor.reached_at)
    patience_s = max(0.0, until - time.monotonic())
    if cursor.feed == OPEN_INTEREST:
        page = fetch_oi_history(client(venue), contract, before_ms, epoch_ms(cursor.from_at), SPARE[venue], patience_s)
        return Brought(samples=page.samples, reached_at=None if page.reached_ms is None else from_epoch_ms(page.reached_ms))
    candles = fetch_candles(client(venue), contract, MOST, before_ms, SPARE[venue], patience_s)
    return Brought(candles=candles, reached_at=from_epoch_ms(candles[0].opened_at_ms) if candles else None)
