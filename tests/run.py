"""Does everything hold? The static checks, then the tests on SQLite and on a real PostgreSQL.

`python -m tests.run [--checks-only] [words for pytest...]`; TEST_DATABASE_URL names a PostgreSQL to use instead of the embedded one.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

PROJECT_DIR = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
LIMIT_S = 900  # for the tests on one database
PARALLEL = ("-n", "3", "--dist", "loadfile")  # most of the time is waiting for processes; each has a database and a Valkey of its own
CHECKS: Mapping[str, Sequence[str | Path]] = {
    "ruff check": [BIN / "ruff", "check", "."],
    "ruff format": [BIN / "ruff", "format", "--check", "."],
    "mypy": [sys.executable, "-m", "mypy"],
    "import contracts": [BIN / "lint-imports"],
}


@dataclass(frozen=True)
class Result:
    """How many tests did what on one database."""

    database: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    trouble: str = ""

    def __str__(self) -> str:
        return f"{self.database}: {self.trouble or f'{self.passed} passed, {self.failed} failed, {self.skipped} skipped'}"


def main(words: Sequence[str]) -> int:
    """Run all; 0 when all is well."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="alerts-run-") as folder:
        os.environ["TMPDIR"] = folder  # so that nothing stays behind, killed processes' folders included
        os.chmod(folder, 0o711)  # root's PostgreSQL runs as nobody, in a folder below
        return _report(words, started)


def _report(words: Sequence[str], started: float) -> int:
    broken = [name for name, command in CHECKS.items() if not _check(name, command)]
    results = [] if "--checks-only" in words else [_on_sqlite(words), _on_postgres(words)]
    print("\n" + "\n".join(map(str, results)))
    print(f"Checks failed: {', '.join(broken)}" if broken else f"Checks passed: {', '.join(CHECKS)}")
    print(f"Took {time.monotonic() - started:.0f} s")
    failed = sum(result.failed + bool(result.trouble) for result in results)
    if results:
        print(f"{sum(result.passed for result in results)} passed, {failed} failed, {sum(result.skipped for result in results)} skipped")
    return 1 if broken or failed else 0


def _check(name: str, command: Sequence[str | Path]) -> bool:
    print(f"== {name}", flush=True)
    done = subprocess.run(command, cwd=PROJECT_DIR, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout + done.stderr, flush=True)
    return done.returncode == 0


def _on_sqlite(words: Sequence[str]) -> Result:
    return _pytest("SQLite", {"TEST_DATABASE_URL": ""}, words)


def _on_postgres(words: Sequence[str]) -> Result:
    """Only the tests that touch the database: the others have just run."""
    try:
        with _postgres() as url:
            return _pytest("PostgreSQL", {"TEST_DATABASE_URL": url}, ["--database-tests-only", *words])
    except (ImportError, OSError, RuntimeError, subprocess.SubprocessError) as error:
        return Result("PostgreSQL", trouble=f"could not be started: {error}")


def _postgres() -> AbstractContextManager[str]:
    if given := os.environ.get("TEST_DATABASE_URL"):
        return nullcontext(given)
    from tests.postgres import postgres  # its wheel does not exist for every machine

    return postgres()


def _pytest(database: str, env: Mapping[str, str], words: Sequence[str]) -> Result:
    print(f"== pytest on {database}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        short = f"--basetemp={folder}/t"  # a socket's path has 107 characters at most
        command = [sys.executable, "-m", "pytest", *PARALLEL, f"--junitxml={report}", short, *words]
        try:
            done = subprocess.run(command, cwd=PROJECT_DIR, env={**os.environ, **env}, timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            return Result(database, trouble=f"the tests were not done within {LIMIT_S} s")
        if not report.exists():
            return Result(database, trouble=f"pytest ended with exit code {done.returncode}")
        suite = next(ElementTree.parse(report).iter("testsuite")).attrib
    failed, skipped = int(suite["failures"]) + int(suite["errors"]), int(suite["skipped"])
    passed = int(suite["tests"]) - failed - skipped
    if done.returncode and not failed:
        return Result(database, passed, failed, skipped, trouble=f"pytest ended with exit code {done.returncode}")
    return Result(database, passed, failed, skipped)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
