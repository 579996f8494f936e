"""What are the numbers on this machine? Runs every measurement and writes docs/benchmarks.md: `make bench`."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from alertsystem.env import PROJECT_DIR, Environment
from tests.bench import bot_report, report, scan_report
from tests.bench.report import SECTIONS, page
from tests.postgres import postgres

PAGE = PROJECT_DIR / "docs" / "benchmarks.md"
LIMIT_S = 900
ON_ONE: Mapping[str, Callable[[Mapping[str, Any]], str]] = {"throughput": report.frames, "scans": scan_report.scans, "memory": scan_report.memory}
ON_BOTH: Mapping[str, Callable[[Sequence[Mapping[str, Any]]], str]] = {
    "latency": report.road,
    "priority": report.priority,
    "fanout": report.fanout,
    "bot": bot_report.bot,
    "rows": scan_report.rows,
}


def main(names: Sequence[str]) -> None:
    """Measure all, or what is named, and write the page."""
    if unknown := set(names) - set(SECTIONS):
        raise SystemExit(f"There is no {', '.join(sorted(unknown))}; there are: {', '.join(SECTIONS)}")
    fresh = {name: report.measured(_section(name)) for name in names or SECTIONS}
    PAGE.write_text(page(PAGE.read_text() if PAGE.exists() else "", fresh))
    print(f"{PAGE.relative_to(PROJECT_DIR)} is written")


def _section(name: str) -> str:
    if name in ON_ONE:
        return ON_ONE[name](_measure(name, ""))
    found = [_measure(name, "")]
    with postgres() as url:
        found.append(_measure(name, url))
    return ON_BOTH[name](found)


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
    main(sys.argv[1:])
