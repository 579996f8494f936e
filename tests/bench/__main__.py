"""What are the numbers on this machine? Runs every measurement and writes docs/benchmarks.md: `make bench`."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alertsystem.env import PROJECT_DIR, Environment
from tests.bench.report import page
from tests.postgres import postgres

PAGE = PROJECT_DIR / "docs" / "benchmarks.md"
LIMIT_S = 420


def main() -> None:
    """Measure and write the page."""
    throughput = _measure("throughput", "")
    roads: list[Mapping[str, Any]] = []
    priorities: list[Mapping[str, Any]] = []
    for found, what in ((roads, "latency"), (priorities, "priority")):
        found.append(_measure(what, ""))
        with postgres() as url:
            found.append(_measure(what, url))
    PAGE.write_text(page(throughput, roads, priorities))
    print(f"{PAGE.relative_to(PROJECT_DIR)} is written")


def _measure(what: str, database_url: str) -> Mapping[str, Any]:
    """One measurement in a process and a data folder of its own."""
    print(f"{what} on {'PostgreSQL' if database_url else 'SQLite'} ...", flush=True)
    with tempfile.TemporaryDirectory(prefix="alerts-bench-") as folder:
        ours = {"DATA_DIR": folder, "DATABASE_URL": database_url, "VENUES": "binance,bybit,okx", "LOG_LEVEL": "ERROR"}
        env = {**os.environ, **dict.fromkeys(Environment.model_fields, ""), **ours, "DJANGO_SETTINGS_MODULE": "alertsystem.settings"}
        command = [sys.executable, "-m", f"tests.bench.{what}"]
        done = subprocess.run(command, cwd=PROJECT_DIR, env=env, stdout=subprocess.PIPE, text=True, timeout=LIMIT_S)
        if done.returncode:
            log = Path(folder, "processes.log")
            raise SystemExit(f"{what} failed\n{log.read_text(errors='replace')[-4000:] if log.exists() else ''}")
    found: Mapping[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    print(json.dumps(found), flush=True)
    return found


if __name__ == "__main__":
    main()
