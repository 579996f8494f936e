"""How much memory does each process of `up` take while 300 assets on three venues are scanned?

`python -m tests.bench.memory` with the settings of a scratch installation in the environment; prints JSON.
BENCH_UP_S: how long it runs before the look.
"""

import json
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import django

django.setup()

from django.conf import settings  # noqa: E402

from monitors.models import OpenInterestSample, ScanStatus  # noqa: E402
from tests import demo  # noqa: E402
from tests.bench.scans import ASSETS, fake_venues  # noqa: E402
from tests.fakes.telegram import FakeTelegram  # noqa: E402

UP_S = float(os.environ.get("BENCH_UP_S", "90"))
READY_S, END_S = 90, 30
TOKEN = "4242:bench"


def measure(env: Mapping[str, str]) -> dict[str, object]:
    """Megabytes of each process by its name, those of a worker's pool together, `UP_S` after all were ready."""
    folder, port = Path(settings.DATA_DIR), demo.free_port()
    with Path(folder, "processes.log").open("wb") as log:
        up = demo.start_up(folder, port, {**env, "MAX_ASSETS": str(ASSETS)}, log)
        try:
            missing = demo.wait_until_ready(f"http://127.0.0.1:{port}", READY_S)
            assert not missing, missing
            started = time.monotonic()
            while time.monotonic() - started < UP_S:
                assert up.poll() is None, "up has ended"
                time.sleep(0.5)
            scans = ScanStatus.objects.exclude(succeeded_at=None).count()
            return {"up_s": UP_S, "assets": ASSETS, "scans": scans, "samples": OpenInterestSample.objects.count(), "processes": _processes(up.pid)}
        finally:
            up.terminate()
            try:
                up.wait(END_S)
            except subprocess.TimeoutExpired:
                up.kill()


def _processes(up_pid: int) -> list[dict[str, object]]:
    """Name, how many processes, and their proportional memory: shared pages are counted once, divided among those that share them."""
    table = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(pid): int(parent) for pid, parent in (line.split() for line in table.splitlines())}
    groups: dict[str, list[float]] = {"up": [_pss_mb(up_pid)]}
    for pid in parents:
        child = pid
        while parents.get(child, 0) not in (0, up_pid):
            child = parents[child]
        if parents.get(child) == up_pid:
            groups.setdefault(_name(child), []).append(_pss_mb(pid))
    return [{"name": name, "count": len(found), "mb": sum(found)} for name, found in sorted(groups.items())]


def _name(pid: int) -> str:
    """As the supervisor calls it."""
    words = dict(word.partition(b"=")[::2] for word in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"))
    return words.get(b"PROCESS_NAME", b"valkey").decode()


def _pss_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (OSError, ProcessLookupError):  # it has just ended
        return 0.0
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))


def main() -> None:
    """Measure and print."""
    with fake_venues() as env, FakeTelegram(token=TOKEN) as telegram:
        print(json.dumps(measure({**env, "TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": telegram.url})))


if __name__ == "__main__":
    main()
