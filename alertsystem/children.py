"""How does one child process live? It is started, started again with backoff when it dies, and ended with all of its group."""

import logging
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from alertsystem.parenthood import die_with_parent

FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0
STABLE_S = 60.0  # who lived so long starts again from the first wait

log = logging.getLogger(__name__)


def next_wait_s(last_wait_s: float, lived_s: float) -> float:
    """Seconds until a child that lived `lived_s` is started again; 0 as `last_wait_s` means that it never died."""
    if last_wait_s == 0 or lived_s >= STABLE_S:
        return FIRST_WAIT_S
    return min(last_wait_s * 2, LONGEST_WAIT_S)


def ending(returncode: int) -> str:
    """How a process ended, in words."""
    if returncode >= 0:
        return f"ended with exit code {returncode}"
    try:
        return f"was ended by {signal.Signals(-returncode).name}"
    except ValueError:  # a real-time signal has no name
        return f"was ended by signal {-returncode}"


@dataclass
class Child:
    """One process under supervision, leader of a session and group of its own."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None
    _started_at: float = 0
    _wait_s: float = 0
    _next_start_at: float = 0

    def start(self, now: float) -> None:
        """Start it; `now` is monotonic seconds. Only the main thread may: the kernel watches the thread that forked."""
        self._started_at = now
        self.process = subprocess.Popen(
            self.command,
            env={**os.environ, "PROCESS_NAME": self.name, "PYTHONUNBUFFERED": "1", **self.env},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=partial(die_with_parent, os.getpid()),
        )

    def look_after(self, now: float) -> None:
        """Notice its end, say so, and start it again when the wait is over."""
        if self.process is not None and (returncode := self.process.poll()) is not None:
            self.kill_group()  # what it left behind would work beside its successor
            self._wait_s = next_wait_s(self._wait_s, now - self._started_at)
            self._next_start_at = now + self._wait_s
            self.process = None
            log.warning("%s %s; it starts again in %.0f s", self.name, ending(returncode), self._wait_s)
        if self.process is None and now >= self._next_start_at:
            self.start(now)

    @property
    def runs(self) -> bool:
        """Whether its process has not ended yet."""
        return self.process is not None and self.process.poll() is None

    def ask_to_end(self) -> None:
        """SIGTERM to the process itself; it ends its own pool in order."""
        if self.process is not None and self.runs:
            self.process.terminate()

    def kill_group(self) -> None:
        """SIGKILL to whatever is left of its group."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):  # macOS says EPERM of a group of zombies
                pass
            self.process.wait()
