"""How do liquidations on the wire become signals in the database? The long-lived process: sockets, one detection thread, writers.

Sockets put raw frames into a bounded queue; one thread detects; signals, rows and hints each have a writer of their own. A second
monitor on the same database does no harm: rows and signals are unique, so it only finds them written.
"""

import gc
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from alertsystem.celery import FIRST, LAST, enqueue
from alertsystem.heartbeats import touch_file
from monitors import selectors
from monitors.detection import Detection
from monitors.detectors.episode import PEAK_EVERY_MS
from monitors.feed import Feed, save_statuses
from monitors.mailbox import Mailbox
from monitors.market import Venue
from monitors.models import FeedStatus
from monitors.publisher import HintPublisher
from monitors.rebuild import rebuild
from monitors.recorder import SignalRecorder
from monitors.saver import RowSaver
from monitors.venues.registry import FeedSpec
from monitors.venues.topics import topics_of
from monitors.venues.wire import MalformedFrame, sample_of
from monitors.watch import Watch, WatchReader

log = logging.getLogger(__name__)

FRAMES_LIMIT = 20_000  # raw frames that wait at most: some seconds of the worst recorded flood
HOUSEKEEPING_EVERY_S = 2.0
REFRESH_EVERY_S = 60.0  # while a venue has no contracts
FLUSH_EVERY_S = 0.05  # how often held-back peaks are looked at
DRAIN_S, WRITE_S, SOCKETS_S = 0.5, 0.8, 0.5  # at the end; together under 3 s

GC_THRESHOLD = 50_000, 20, 100  # allocations; the usual 700 cost a fifth of the time under a flood


class LiquidationMonitor:
    """The threads of one process; `specs` replaces the venues' timing (tests)."""

    def __init__(self, specs: Mapping[Venue, FeedSpec] | None = None) -> None:
        self._frames = Mailbox(FRAMES_LIMIT)
        urls = {Venue.BINANCE: settings.BINANCE_WS_URL, Venue.BYBIT: settings.BYBIT_WS_URL, Venue.OKX: settings.OKX_WS_URL}
        self.feeds = {venue: Feed(venue, urls[venue], partial(self._frames.put, venue), (specs or {}).get(venue)) for venue in settings.VENUES}
        self._reader = WatchReader()
        self._stopping = threading.Event()
        self._publisher = HintPublisher(lambda hint: enqueue(hint[0], *hint[1], priority=hint[2]))
        self._recorder = SignalRecorder(lambda fingerprint: self._publisher.add("alerts.evaluate_signal", fingerprint, priority=FIRST))
        self._saver = RowSaver(self._count_unsaved, lambda: self._frames.crowded)
        self._detection: Detection
        self._refresh_asked_at: float | None = None
        self._drained = threading.Event()
        self._housekeeper = threading.Thread(target=self._keep_house, name="housekeeping", daemon=True)

    def start(self) -> None:
        """Read what is in force, fill the windows from the database and open the sockets; waits while the database is away."""
        if not self._prepare():
            return
        for writer in (self._publisher, self._recorder, self._saver):
            writer.start()
        self._subscribe(self._detection.watch)
        gc.freeze()  # what is loaded by now stays; frames make no cycles, so looking for some is rarely worth it
        gc.set_threshold(*GC_THRESHOLD)
        threading.Thread(target=self._detect, name="detection", daemon=True).start()
        self._housekeeper.start()

    def ask_to_stop(self) -> None:
        """End soon; returns at once (for signal handlers)."""
        self._stopping.set()

    def wait(self) -> None:
        """Return when told to stop."""
        self._stopping.wait()

    def stop(self) -> None:
        """End the sockets, detect and write what is waiting, as far as there is time."""
        self._stopping.set()
        if self._housekeeper.ident is None:
            return  # never started: the database was away all the time
        for feed in self.feeds.values():
            feed.ask_to_stop()
        until = time.monotonic() + SOCKETS_S
        for feed in self.feeds.values():
            feed.join(max(0.0, until - time.monotonic()))
        self._frames.close()
        self._drained.wait(DRAIN_S)
        unwritten, unsaved = self._recorder.stop(WRITE_S), self._saver.stop(WRITE_S)
        self._publisher.stop(SOCKETS_S)
        self._housekeeper.join(SOCKETS_S)
        if unwritten or unsaved:
            log.warning("Ended with %d signals not written and %d liquidations not saved", unwritten, unsaved)

    def _prepare(self) -> bool:
        wait_s = 1.0
        while not self._stopping.is_set():
            try:
                self._detection = Detection(self._reader.read(), live=list(self.feeds))
                lost = rebuild(self._detection, timezone.now())
                FeedStatus.objects.exclude(venue__in=list(self.feeds)).delete()
                self._recorder.add(lost)
                return True
            except (DatabaseError, InterfaceError) as error:
                connection.close()
                reason = (str(error).strip() or type(error).__name__).splitlines()[0]
                log.warning("The database cannot be used (%s); a new one needs `manage.py migrate`; next try in %.0f s", reason, wait_s)
                self._stopping.wait(wait_s)
                wait_s = min(wait_s * 2, 30.0)
        return False

    def _count_unsaved(self, venue: Venue) -> None:
        self.feeds[venue].unsaved += 1

    # The detection thread

    def _detect(self) -> None:
        look_at = 0.0
        while True:
            found = self._frames.take(FLUSH_EVERY_S)
            if found is not None:
                self._detect_frames(*found)
            elif self._stopping.is_set():
                break
            if time.monotonic() >= look_at:
                self._flush_until(int(time.time() * 1000))
                look_at = time.monotonic() + FLUSH_EVERY_S
        self._flush_until(int(time.time() * 1000) + PEAK_EVERY_MS)  # the last peaks, though not due yet
        self._drained.set()

    def _detect_frames(self, venue: Venue, frames: Sequence[bytes], received_at_ms: int) -> None:
        """Judge what was received together, frame by frame."""
        feed, take = self.feeds[venue], self._detection.take
        for raw in frames:
            try:
                outcome = take(venue, raw, received_at_ms)
            except MalformedFrame as error:
                feed.count_malformed(1, error.sample)
                continue
            except Exception:  # one frame must not end detection
                log.exception("%s: a frame could not be judged", venue.title)
                feed.count_malformed(1, sample_of(raw))
                continue
            if outcome.signals:
                self._recorder.add(outcome.signals)
            feed.count(outcome)
            if outcome.frame.liquidations:
                self._saver.add(outcome.admission, outcome.at_ms)

    def _flush_until(self, now_ms: int) -> None:
        next_flush_ms = self._detection.detector.next_flush_ms
        if next_flush_ms is not None and next_flush_ms <= now_ms:
            self._recorder.add(self._detection.flush(now_ms))

    # The housekeeping thread

    def _keep_house(self) -> None:
        warned = False
        while not self._stopping.wait(HOUSEKEEPING_EVERY_S):
            try:
                watch = self._reader.read()
                self._detection.follow(watch, [venue for venue, feed in self.feeds.items() if feed.live])
                self._subscribe(watch)
                save_statuses(list(self.feeds.values()))
                touch_file()
                self._ask_for_contracts()
                warned = False
            except (DatabaseError, InterfaceError) as error:
                connection.close()
                if not warned:
                    log.warning("The database does not answer (%s); rules stay as they are, signals wait", type(error).__name__)
                warned = True
        self._say_stopped()
        connection.close()

    def _say_stopped(self) -> None:
        for feed in self.feeds.values():
            feed.join(SOCKETS_S)
        try:
            save_statuses(list(self.feeds.values()))
        except (DatabaseError, InterfaceError):
            log.debug("The feeds' last status could not be saved")

    def _subscribe(self, watch: Watch) -> None:
        """Open the sockets, and let Bybit's topics follow the watched assets."""
        for venue, feed in self.feeds.items():
            feed.follow(topics_of(watch.assets, watch.contracts[venue]) if venue is Venue.BYBIT else ())

    def _ask_for_contracts(self) -> None:
        now = time.monotonic()
        if self._refresh_asked_at is None or (now - self._refresh_asked_at >= REFRESH_EVERY_S and selectors.venues_without_contracts()):
            self._refresh_asked_at = now
            self._publisher.add("monitors.refresh_markets", priority=LAST)
