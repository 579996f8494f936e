"""How does a test run `manage.py up` as a newcomer would, and see which processes are left?"""

import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import requests

from alertsystem.env import PROJECT_DIR, Environment
from tests.harness import Process, spawn, wait_until

NOWHERE = "127.0.0.1:1"  # nobody listens there: the venues cannot be reached
START_S = 40


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Machine:
    """`manage.py up` on a data folder of its own; `output` is all that it and its children have printed."""

    def __init__(self, folder: Path) -> None:
        self.data_dir = folder / "data"
        self.port = free_port()
        self._log = folder / "output"
        self.process: Process | None = None
        venues = {f"{venue}_{what}_URL": f"{scheme}://{NOWHERE}" for venue in ("BINANCE", "BYBIT", "OKX") for what, scheme in (("WS", "ws"), ("REST", "http"))}
        plain = {name: value for name, value in os.environ.items() if name not in Environment.model_fields and name != "DJANGO_SETTINGS_MODULE"}
        self.env = {**plain, **venues, "DATA_DIR": str(self.data_dir)}

    @property
    def output(self) -> str:
        """Everything printed since the last start."""
        return self._log.read_text()

    @property
    def address(self) -> str:
        """Where the admin site listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start `up` and wait until its web process answers."""
        self._log.write_text("")
        with open(self._log, "ab") as output:
            self.process = spawn(self.command(), cwd=PROJECT_DIR, env=self.env, stdout=output, stderr=output)
        wait_until(self.answers, START_S, "an answer of the web process")

    def command(self, port: int | None = None) -> list[str]:
        """The command line of `up`."""
        return [sys.executable, "manage.py", "up", "--port", str(self.port if port is None else port)]

    def answers(self) -> bool:
        """Whether /healthz says ok."""
        assert self.process is not None and self.process.poll() is None, self.output
        try:
            return requests.get(f"{self.address}/healthz", timeout=3).text == "ok"
        except requests.RequestException:  # not yet
            return False

    def readyz(self) -> dict[str, Any]:
        """The parts that /readyz reports on."""
        parts = requests.get(f"{self.address}/readyz", timeout=10).json()["parts"]
        assert isinstance(parts, dict)
        return parts

    def signal(self, number: signal.Signals) -> None:
        """A signal to `up` alone."""
        assert self.process is not None
        self.process.send_signal(number)

    def exit_code(self, timeout_s: float = 10) -> int:
        """Wait for the end of `up`."""
        assert self.process is not None
        return self.process.wait(timeout_s)

    def processes(self, word: str = "") -> list[int]:
        """The ids of all processes on this data folder with `word` in their command line."""
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and self._is_ours(entry, word)]

    def kill_all(self) -> None:
        """SIGKILL to whatever is left."""
        for process_id in self.processes():
            try:
                os.kill(process_id, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if self.process is not None:
            self.process.wait()

    def _is_ours(self, entry: Path, word: str) -> bool:
        try:
            command, environment = (entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()
            folder = os.fsencode(self.data_dir)  # Valkey writes its title, with its socket's path, over both
            return word.encode() in command and (folder + b"/" in command or b"DATA_DIR=" + folder + b"\0" in environment)
        except OSError:  # it has just ended
            return False
