"""How does a test run the whole product? `manage.py up` on the test's database, beside fake venues and a fake Telegram."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import demo
from tests.e2e import story
from tests.fakes.server import HOST
from tests.fakes.telegram import FakeTelegram
from tests.fakes.venues import FakeVenues
from tests.harness import database_url, wait_until

TOKEN = "4242:end-to-end"
READY_S = 90
# Words in the command of each child of `up`
CHILDREN = {"worker": "-Q alerts", "drainer": "-Q delivery", "scans": "-Q scans", "monitor": "watch_liquidations", "broker": "valkey", "bot": "run_bot"}


@dataclass
class Machine:
    """Everything that runs, and what can be done to it."""

    venues: FakeVenues
    telegram: FakeTelegram
    up: demo.Up
    url: str
    log: Path

    def wait_until_ready(self) -> None:
        """Every process works, every feed is live and the contracts are known."""
        missing = demo.wait_until_ready(self.url, READY_S)
        assert not missing, f"{missing}\n{self.tail()}"

    def subscribe(self, chats: Sequence[int]) -> None:
        """Each chat says /start; return when all have been answered, and forget the answers."""
        for chat in chats:
            self.telegram.user_says(chat, "/start")
        wait_until(lambda: all(story.accepted(self.telegram, chat) for chat in chats), 60, "an answer to each /start")
        self.telegram.clear()

    def pid_of(self, child: str) -> int:
        """The process id of a child of `up`, by its name in CHILDREN."""
        return wait_until(lambda: self._find(child), 30, f"the process of {child}")

    def kill(self, child: str) -> int:
        """SIGKILL to a child; returns the id it had."""
        pid = self.pid_of(child)
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_for_successor(self, child: str, old_pid: int) -> None:
        """The supervisor has started it again."""
        wait_until(lambda: self._find(child) not in (0, old_pid), 30, f"a new {child}")

    def tail(self, lines: int = 40) -> str:
        """The end of the log, for a failed test."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _find(self, child: str) -> int:
        table = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
        rows = (line.split(None, 2) for line in table.splitlines())
        return next((int(pid) for pid, parent, *args in rows if parent == str(self.up.pid) and args and CHILDREN[child] in args[0]), 0)


@contextmanager
def machine(folder: Path, more_assets: int = 0, settings: Mapping[str, str] | None = None) -> Iterator[Machine]:
    """Run it until the block ends, then end it as Ctrl-C does; the venues list `more_assets` beside their usual ones."""
    log = folder / "up.log"
    data = folder / "data"
    data.mkdir()
    with FakeVenues() as venues, FakeTelegram(token=TOKEN, latency_s=0.03) as telegram, log.open("wb") as output:
        port = _free_port()
        venues.markets.add_assets(more_assets)
        ours = {**venues.env, "TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": telegram.url, "DATABASE_URL": database_url(), **(settings or {})}
        up = demo.start_up(data, port, ours, output)
        try:
            yield Machine(venues, telegram, up, f"http://{HOST}:{port}", log)
        finally:
            end(up)


def end(up: demo.Up) -> None:
    """Ctrl-C, and SIGKILL to what is left after the time that `up` promises."""
    up.send_signal(signal.SIGINT)
    try:
        up.wait(15)
    except subprocess.TimeoutExpired:
        up.kill()
        up.wait()
        raise


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
