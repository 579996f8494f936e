"""What does it look like? Fake venues, the synthetic recording and the real `manage.py up`, without network or token.

`make demo`, or `python -m tests.demo [--port N]`. Nothing here knows a text or a severity: what is shown is decided by the
real processes, with the threshold rules in the admin.
"""

import argparse
import concurrent.futures
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import FrameType
from typing import IO

import django
from django.apps import apps
from django.db.models import Max, Min

from alertsystem.env import PROJECT_DIR, Environment
from alertsystem.parenthood import die_with_parent
from tests import synthetic
from tests.fakes.server import HOST
from tests.fakes.venue_markets import VENUES
from tests.fakes.venues import FakeVenues

FOLDER = PROJECT_DIR / "demo-data"
FIRST_PORT, PORTS_TRIED = 8000, 50
TWO_LOOKS = timedelta(seconds=4.5)  # the monitor reads the contracts every 2 s
READY_S = 90  # then it plays all the same, and says what is missing
AGAIN_S = 360  # the incidents have closed by then: 300 s of cooldown after the last frame
END_S = 9.0

Up = subprocess.Popen[bytes]


def main() -> int:
    """Run until Ctrl-C; the exit code of `up`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, help="port of the admin site (default: 8000, or the next free one)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="data folder, emptied at the start (default: demo-data)")
    options = parser.parse_args()
    port = options.port or free_port()
    recording = fresh_folder(options.folder) / "synthetic.jsonl"
    synthetic.write(recording)
    with FakeVenues() as venues:
        up = start_up(options.folder, port, venues.env)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, partial(_hand_on, up))
        os.environ |= environment(options.folder.resolve(), venues.env)  # so that we read the same database
        django.setup()
        threading.Thread(target=_show, args=(venues, recording, f"http://{HOST}:{port}"), daemon=True).start()
        return up.wait()


def free_port() -> int:
    """8000, or the first port after it that is free."""
    for port in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((HOST, port))
                return port
    raise SystemExit(f"No free port from {FIRST_PORT} to {FIRST_PORT + PORTS_TRIED - 1}: choose one with --port N.")


def fresh_folder(folder: Path) -> Path:
    """The data folder, empty; ends the process when another demo runs on it, or when it holds something else."""
    folder = folder.resolve()
    lock = folder / "up.lock"
    if folder.exists() and any(folder.iterdir()) and not lock.exists():
        raise SystemExit(f"{folder} is not a folder of the demo: it is not emptied. Choose another with --folder.")
    if lock.exists():
        with lock.open() as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise SystemExit(f"A demo runs already on {folder}: end it with Ctrl-C in its terminal, or choose another folder with --folder.") from None
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    lock.touch()
    return folder


def environment(folder: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """`settings` and nothing of the user's own: neither token nor database of a real installation."""
    defaults = dict.fromkeys(Environment.model_fields, "")  # "" beats the `.env` file
    here = {"DATA_DIR": str(folder), "VENUES": ",".join(VENUES), "NO_PROXY": f"{HOST},localhost", "no_proxy": f"{HOST},localhost"}
    ours = {"DJANGO_SETTINGS_MODULE": "alertsystem.settings"}
    return {**os.environ, **defaults, **here, **ours, **settings}


def start_up(folder: Path, port: int, settings: Mapping[str, str], output: IO[bytes] | None = None) -> Up:
    """The real thing, in a group of its own: Ctrl-C reaches it through us, once. `output`: None is the terminal."""
    return subprocess.Popen(
        [sys.executable, str(PROJECT_DIR / "manage.py"), "up", "--port", str(port)],
        env=environment(folder.resolve(), settings),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output and subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=partial(die_with_parent, os.getpid()),
    )


def _hand_on(up: Up, number: int, frame: FrameType | None) -> None:
    """Ctrl-C ends it in order, a second one at once; whatever is left after `END_S` is killed."""
    if up.poll() is None:
        up.send_signal(signal.SIGINT)
        killer = threading.Timer(END_S, up.kill)
        killer.daemon = True
        killer.start()


def _show(venues: FakeVenues, recording: Path, url: str) -> None:
    missing = wait_until_ready(url)
    say(f"The market you see is SYNTHETIC: less than a minute of made-up liquidations go through fake venues into the real system.{missing}")
    say(f"Watch the alerts grow here and on {url}/admin/ (the password stands above). Change a threshold there, and the next round differs.")
    while True:
        say("Playing. Ctrl-C ends everything.")
        with contextlib.suppress(concurrent.futures.CancelledError):
            venues.play(recording)
        say(f"Played. It starts again in {AGAIN_S // 60} minutes, when its incidents have closed (cooldown); Enter starts it at once, Ctrl-C ends.")
        _wait_for_enter(AGAIN_S)


def wait_until_ready(url: str, timeout_s: float = READY_S) -> str:
    """Return when every process works and the contracts are known; otherwise what is missing, to be said."""
    deadline = time.monotonic() + timeout_s
    while (missing := not_ready(url)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return f" (Not everything runs: {missing}.)" if missing else ""


def not_ready(url: str) -> str:
    """What does not work yet; "" when everything does and the monitor knows the contracts of every venue."""
    try:
        urllib.request.urlopen(f"{url}/readyz", timeout=5).close()
    except urllib.error.HTTPError as error:
        parts = json.loads(error.read() or b"{}").get("parts", {})
        return "; ".join(f"{part}: {text}" for part, text in parts.items() if text != "ok") or f"HTTP {error.code}"
    except OSError as error:
        return str(error)
    return "" if contracts_are_read() else "the contracts are not known yet"


def contracts_are_read() -> bool:
    """Whether the monitor has looked at the database long enough after the contracts of the last venue came."""
    markets, feeds = apps.get_model("monitors", "Market").objects, apps.get_model("monitors", "FeedStatus").objects
    if markets.order_by().values("venue").distinct().count() < len(VENUES):
        return False
    reported = feeds.aggregate(at=Min("updated_at"))["at"]
    return bool(reported and reported - markets.aggregate(at=Max("refreshed_at"))["at"] >= TWO_LOOKS)


def say(line: str) -> None:
    """One line of the demo, apart from the log."""
    print(f"\n>>> {line}", flush=True)


def _wait_for_enter(seconds: float) -> None:
    terminal = [sys.stdin] if sys.stdin is not None and sys.stdin.isatty() else []
    readable, _, _ = select.select(terminal, [], [], seconds)
    if readable:
        sys.stdin.readline()


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # at once: everything has ended but for our own threads
