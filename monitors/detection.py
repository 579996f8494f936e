"""What does one frame lead to? Parse, admit, detect: everything between the queue and the database, without either."""

from collections.abc import Collection
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from monitors.detectors.intake import Admission, Intake
from monitors.detectors.liquidation_cascade import LiquidationDetector
from monitors.market import Liquidation, Signal, Venue
from monitors.marks import MarkBook
from monitors.venues.registry import parser_for
from monitors.venues.wire import ParsedFrame
from monitors.watch import Watch

PARSE = {venue: parser_for(venue).parse for venue in Venue}
STEP_BACK_MS = 5_000  # arrivals of several threads are a little out of order; a larger step means that somebody set the clock


class Outcome(NamedTuple):
    """What one frame led to; `at_ms` is its arrival as counted."""

    at_ms: int
    frame: ParsedFrame
    admission: Admission
    signals: list[Signal]


class Detection:
    """The windows of one process."""

    def __init__(self, watch: Watch, live: Collection[Venue] = ()) -> None:
        self.intake, self.detector = Intake(), LiquidationDetector(watch.rulebook)
        self._marks = MarkBook()
        self._last_ms = 0
        self._signal_ms: dict[tuple[str, str], int] = {}
        self.follow(watch, live)

    def follow(self, watch: Watch, live: Collection[Venue]) -> None:
        """Judge the next frames by `watch`, while the data of the `live` venues flows; from any thread, at any time."""
        self._now = watch, cache(watch.listed_on(live))
        self._missing = watch.missing(live)
        self.detector.rulebook = watch.rulebook

    @property
    def watch(self) -> Watch:
        """What is in force."""
        return self._now[0]

    def take(self, venue: Venue, raw: bytes | str, received_at_ms: int) -> Outcome:
        """Read one raw frame and detect; raises MalformedFrame."""
        frame = PARSE[venue](raw, self._now[0].contracts[venue])
        at_ms = self._in_order(received_at_ms)
        if frame.marks:
            self._marks.add(frame.marks, at_ms)
        admission = self.intake.admit(frame.liquidations, at_ms)
        return Outcome(at_ms, frame, admission, self.observe(admission.counted, at_ms) if admission.counted else [])

    def observe(self, counted: Collection[Liquidation], at_ms: int) -> list[Signal]:
        """The signals of one frame's counted events; only those of watched assets are looked at."""
        watch, listed_on = self._now
        signals = self.detector.observe(counted, at_ms, listed_on, watch.assets)
        return self._finish(signals) if signals else signals

    def flush(self, now_ms: int) -> list[Signal]:
        """The peaks held back until now."""
        return self._finish(self.detector.flush(now_ms))

    def _in_order(self, received_at_ms: int) -> int:
        if self._last_ms - STEP_BACK_MS < received_at_ms < self._last_ms:
            return self._last_ms
        self._last_ms = received_at_ms
        return received_at_ms

    def _finish(self, signals: list[Signal]) -> list[Signal]:
        return [self._completed(signal) for signal in signals]

    def _completed(self, signal: Signal) -> Signal:
        """With its price, the venues that are missing, and a time of its own; a venue that went blind within the window has still had its say."""
        details = {**signal.details, **self._marks_of(signal), **self._missing_at(signal)}
        return replace(signal, details=details, listed_on=max(signal.listed_on, len(signal.venues)), received_at_ms=self._apart_ms(signal))

    def _marks_of(self, signal: Signal) -> dict[str, str]:
        return self._marks.details(signal.asset, signal.window_s, signal.received_at_ms)

    def _missing_at(self, signal: Signal) -> dict[str, str]:
        missing = ",".join(venue for venue in self._missing(signal.asset) if venue not in signal.venues)
        return {"missing": missing} if missing else {}

    def _apart_ms(self, signal: Signal) -> int:
        """When it counts as received. Two frames of one millisecond may each give a signal: the second counts as 1 ms later, for the key of stored signals.

        No signal of a story counts as earlier than one before it, of whatever kind: it would be taken for an old one and change nothing.
        """
        fingerprint, at_ms = signal.fingerprint, signal.received_at_ms
        of_kind, of_story = (signal.kind, fingerprint), ("", fingerprint)
        earliest_ms = max(self._signal_ms.get(of_kind, 0) + 1, self._signal_ms.get(of_story, 0))
        if earliest_ms - STEP_BACK_MS < at_ms < earliest_ms:
            at_ms = earliest_ms
        self._signal_ms[of_kind] = self._signal_ms[of_story] = at_ms
        return at_ms
