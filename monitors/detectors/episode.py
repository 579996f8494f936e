"""Which measurements are worth a signal? One episode lasts from the first value over the floor until it falls below."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from monitors.market import Signal
from monitors.thresholds import Severity

PEAK_EVERY_MS = 250  # new peaks between two rungs are told at most this often
REPEAT_AFTER_MS = 10_000  # a value that stays at LOW or more is told again after this

MakeSignal = Callable[[int, int], Signal]  # (episode, number) -> signal


@dataclass(slots=True)
class Episode:
    """The state of one kind and fingerprint; `number` counts signals within the episode `index`."""

    index: int = 0
    number: int = 0
    step: int = 0  # of the last measurement
    running: bool = False
    peak: Decimal = Decimal(0)
    written_ms: int | None = None  # when the last signal was written
    signal_at_ms: int = 0  # arrival of the frame behind the last signal
    held_back: tuple[Decimal, int, MakeSignal] | None = None  # a peak to be written 250 ms after the last signal,
    due_ms: int | None = None  # that is then; None when there is none

    def measure(self, value: Decimal, step: int, floor: Decimal, at_ms: int, make: MakeSignal) -> list[Signal]:
        """The signals that `value`, measured on a frame that arrived at `at_ms`, gives rise to (mostly none).

        `step` is the rung of the ladder that the value has reached.
        """
        if value < floor:
            ended = self.flush()
            self.end()
            return ended
        if not self.running:
            self.running, self.index, self.number, self.peak = True, self.index + 1, 0, Decimal(0)
        climbed, new_peak = step > self.step, value > self.peak
        self.step = step
        if new_peak:
            self.peak = value
        if climbed:
            before = self.flush() if self.held_back is not None and self.held_back[0] > value else []
            return [*before, self._write(make, at_ms, at_ms)]
        if new_peak:
            if self.written_ms is not None and at_ms - self.written_ms < PEAK_EVERY_MS:
                if self.held_back is None or value > self.held_back[0]:
                    self.held_back, self.due_ms = (value, at_ms, make), self.written_ms + PEAK_EVERY_MS
                return []
            return [self._write(make, at_ms, at_ms)]
        if step >= Severity.LOW and at_ms - self.signal_at_ms >= REPEAT_AFTER_MS:
            return [self._write(make, at_ms, at_ms)]
        return []

    def end(self) -> None:
        """The value is below the floor; the next one over it begins a new episode."""
        self.running, self.step = False, 0

    def flush(self) -> list[Signal]:
        """Write the peak that was held back, if there is one."""
        if self.held_back is None:
            return []
        _, at_ms, make = self.held_back
        return [self._write(make, at_ms, self.due_ms or at_ms)]

    def _write(self, make: MakeSignal, at_ms: int, written_ms: int) -> Signal:
        self.number, self.signal_at_ms, self.written_ms = self.number + 1, at_ms, written_ms
        self.held_back = self.due_ms = None
        return make(self.index, self.number)
