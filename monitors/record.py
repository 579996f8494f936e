"""What do the live feeds send just now? Liquidations from sockets of our own, open interest and candles as the scans save them."""

import logging
import time
from datetime import datetime, timedelta
from functools import partial
from threading import Event

import orjson
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from monitors.feed import Feed
from monitors.mailbox import Mailbox
from monitors.market import Venue
from monitors.record_rows import Key, arrived_since, past
from monitors.recording_writer import RecordingWriter
from monitors.venues.socket import Deliver
from monitors.venues.topics import topics_of
from monitors.watch import WatchReader

log = logging.getLogger(__name__)

HOLD_MS = 3_000  # a scan's rows are seen a moment after they were received: they still get into their place
LOOK_EVERY_S = 1.0
LOOK_BACK = timedelta(seconds=30)  # before the last look: a scan's transaction may end so long after its rows were received
FRAMES_LIMIT = 20_000
TAKE_S = 0.1
NOTE = "open interest and candles as the scans saved them; a candle's high and low are those of open and close, its coins are dollars at the typical price"


class Recorder:
    """Writes into an open recording until told to stop; `skipped` counts frames that are not JSON as the venue documents it."""

    def __init__(self, writer: RecordingWriter, stopping: Event) -> None:
        self.skipped = 0
        self._writer, self._stopping = writer, stopping
        self._frames = Mailbox(FRAMES_LIMIT)
        self.feeds = {venue: Feed(venue, getattr(settings, f"{venue.upper()}_WS_URL"), self._receiver(venue)) for venue in settings.VENUES}
        self._reader = WatchReader()
        self._started_at = self._looked_at = timezone.now()
        self._written: dict[Key, datetime] = {}  # of the half minute before the last look

    def run(self, seconds: float | None = None, with_past: bool = False) -> None:
        """Record until told to stop, or for so long; first what is stored of the past that detection looks back on, while live frames wait."""
        self._follow()
        if with_past:
            self._write_past()
        until, look_at = time.monotonic() + (float("inf") if seconds is None else seconds), 0.0
        while not self._stopping.is_set() and time.monotonic() < until:
            if time.monotonic() >= look_at:
                self._follow()
                self._look()
                look_at = time.monotonic() + LOOK_EVERY_S
            self._take(TAKE_S)
            self._writer.write_due(int(time.time() * 1000))
        self._frames.close()
        for feed in self.feeds.values():
            feed.ask_to_stop()
        for feed in self.feeds.values():
            feed.join(1.0)
        self._take(0)
        self._look()

    def _write_past(self) -> None:
        for line in past(self._started_at):
            self._writer.add(*line)
            self._writer.write_due(line[0])
            if self._stopping.is_set():
                return

    def _receiver(self, venue: Venue) -> Deliver:
        if venue is Venue.BINANCE:  # without its mark prices: megabytes a minute that no replay reads
            return lambda frames, at_ms: self._frames.put(venue, [raw for raw in frames if b'"!forceOrder' in raw[:60]], at_ms)
        return partial(self._frames.put, venue)

    def _take(self, wait_s: float) -> None:
        """Every frame that is there, after waiting for the first."""
        found = self._frames.take(wait_s)
        while found is not None:
            venue, frames, at_ms = found
            for raw in frames:
                try:
                    payload = orjson.loads(raw)
                    self._writer.add(at_ms, venue, "liquidations", payload["data"] if venue is Venue.BINANCE else payload)
                except (orjson.JSONDecodeError, LookupError, TypeError):
                    self.skipped += 1
            found = self._frames.take(0)

    def _follow(self) -> None:
        """Bybit's topics follow the watched assets."""
        try:
            watch = self._reader.read()
        except (DatabaseError, InterfaceError):
            connection.close()
            return
        for venue, feed in self.feeds.items():
            feed.follow(topics_of(watch.assets, watch.contracts[venue]) if venue is Venue.BYBIT else ())

    def _look(self) -> None:
        """Write what the scans have saved since the last look; while the database is away, later."""
        now, since = timezone.now(), max(self._started_at, self._looked_at - LOOK_BACK)
        try:
            found = [(key, line) for key, line in arrived_since(since) if key not in self._written]
        except (DatabaseError, InterfaceError) as error:
            connection.close()
            log.warning("The database does not answer (%s); what the scans save meanwhile is written later", type(error).__name__)
            return
        self._looked_at = now
        self._written = {key: at for key, at in self._written.items() if at >= since} | {key: key[2] for key, _ in found}
        for _, line in found:
            self._writer.add(*line)
