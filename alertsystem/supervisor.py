"""What keeps the children running, and ends them all? One loop, until a signal says stop."""

import logging
import signal
import time
from collections.abc import Callable, Sequence
from types import FrameType

from alertsystem.children import Child

POLL_S = 0.1
GRACE_S = 4.5  # from SIGTERM to SIGKILL; with the broker's second all is killed after 5.5 s, so that 10 s hold on a slow machine
BROKER_GRACE_S = 1.0

log = logging.getLogger(__name__)


class StopRequest:
    """How often SIGINT, SIGTERM or SIGHUP has come: once means stop in order, twice means at once."""

    def __init__(self) -> None:
        self.times = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP on purpose; a script's `&` SIGINT, not
                signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.times += 1


class Supervisor:
    """Starts the broker (if it is ours) before the other children, and ends it after them.

    `children` are in the order in which they are asked to end: who makes work before who does it.
    """

    def __init__(self, children: Sequence[Child], broker: Child | None, stop: StopRequest) -> None:
        self._children = children
        self._broker = broker
        self._stop = stop

    @property
    def _all(self) -> list[Child]:
        return [*([self._broker] if self._broker else []), *self._children]

    def start_broker(self, answers: Callable[[], bool], timeout_s: float = 15) -> bool:
        """Start the broker and wait until it answers; False when it does not, or when asked to stop meanwhile."""
        if self._broker is None:
            return answers()
        self._broker.start(time.monotonic())
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and not self._stop.times and self._broker.runs:
            if answers():
                return True
            time.sleep(POLL_S / 2)
        return False

    def run(self) -> None:
        """Keep all children running until a stop is requested."""
        while not self._stop.times:
            for child in self._all:
                child.look_after(time.monotonic())
            time.sleep(POLL_S)

    def end(self) -> None:
        """End every child in order, and whatever is left of their groups; a second stop request shortens it."""
        self._end(self._children, GRACE_S)
        self._end([self._broker] if self._broker else [], BROKER_GRACE_S)

    def _end(self, children: Sequence[Child], grace_s: float) -> None:
        for child in children:
            child.ask_to_end()
        deadline = time.monotonic() + grace_s
        while any(child.runs for child in children) and time.monotonic() < deadline and self._stop.times < 2:
            time.sleep(POLL_S / 2)
        for child in children:
            if child.runs and self._stop.times < 2:
                log.warning("%s did not end within %.1f s and is killed", child.name, grace_s)
            child.kill_group()
