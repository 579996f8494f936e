"""Does everything hold? The static checks, then the tests on SQLite and on a real PostgreSQL.

`python -m tests.run [--checks-only] [words for pytest...]`; TEST_DATABASE_URL names a PostgreSQL to use instead of the embedded one.
A few that fail are run once more, alone: who passes then is named as unsteady and does not fail the run.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

PROJECT_DIR = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
LIMIT_S = 900  # for the tests on one database
WORKERS = min((os.cpu_count() or 2) + 1, 6)  # most of the time is waiting for processes; each has a database and a Valkey of its own
PARALLEL = ("-n", str(WORKERS), "--dist", "loadfile", "--no-loadscope-reorder")
FEW = 5  # more that fail are no matter of a slow moment
CHECKS: Mapping[str, Sequence[str | Path]] = {
    "ruff check": [BIN / "ruff", "check", "."],
    "ruff format": [BIN / "ruff", "format", "--check", "."],
    "mypy": [sys.executable, "-m", "mypy"],
    "import contracts": [BIN / "lint-imports"],
}


@dataclass(frozen=True)
class Result:
    """Which tests did what on one database; `unsteady` are those that failed in the crowd and passed alone."""

    database: str
    passed: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    skipped: frozenset[str] = frozenset()
    unsteady: frozenset[str] = frozenset()
    trouble: str = ""

    def __str__(self) -> str:
        counts = f"{len(self.passed)} passed, {len(self.failed)} failed, {len(self.skipped)} skipped"
        lines = [f"{self.database}: {self.trouble or counts}"]
        lines += [f"  {test} failed" for test in sorted(self.failed)]
        lines += [f"  {test} is unsteady: it failed in the crowd and passed alone" for test in sorted(self.unsteady)]
        return "\n".join(lines)


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
    failed = sum(len(result.failed) + bool(result.trouble) for result in results)
    if results:
        print(f"{sum(len(result.passed) for result in results)} passed, {failed} failed, {sum(len(result.skipped) for result in results)} skipped")
    return 1 if broken or failed else 0


def _check(name: str, command: Sequence[str | Path]) -> bool:
    print(f"== {name}", flush=True)
    done = subprocess.run(command, cwd=PROJECT_DIR, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout + done.stderr, flush=True)
    return done.returncode == 0


def _on_sqlite(words: Sequence[str]) -> Result:
    return run_tests("SQLite", {"TEST_DATABASE_URL": ""}, words)


def _on_postgres(words: Sequence[str]) -> Result:
    """Only the tests to which the database matters: the others have just run."""
    try:
        with _postgres() as url:
            return run_tests("PostgreSQL", {"TEST_DATABASE_URL": url}, ["--database-tests-only", *words])
    except (ImportError, OSError, RuntimeError, subprocess.SubprocessError) as error:
        return Result("PostgreSQL", trouble=f"could not be started: {error}")


def _postgres() -> AbstractContextManager[str]:
    if given := os.environ.get("TEST_DATABASE_URL"):
        return nullcontext(given)
    from tests.postgres import postgres  # its wheel does not exist for every machine

    return postgres()


def run_tests(database: str, env: Mapping[str, str], words: Sequence[str]) -> Result:
    """All at once, then the few that failed alone: what a test does on a busy machine is not what it says of the code."""
    with tempfile.TemporaryDirectory() as folder:
        print(f"== pytest on {database}", flush=True)
        crowd = _pytest(database, env, folder, [*PARALLEL, *words])
        if crowd.trouble or not 0 < len(crowd.failed) <= FEW:
            return crowd
        print(f"== once more and alone on {database}: {', '.join(sorted(crowd.failed))}", flush=True)
        alone = _pytest(database, env, folder, ["--last-failed", "--last-failed-no-failures=none", *words])
    steady = crowd.failed & alone.passed
    return replace(crowd, passed=crowd.passed | steady, failed=crowd.failed - steady, unsteady=steady)


def _pytest(database: str, env: Mapping[str, str], folder: str, words: Sequence[str]) -> Result:
    report = Path(folder, "report.xml")
    report.unlink(missing_ok=True)
    short = f"--basetemp={folder}/t"  # a socket's path has 107 characters at most
    command = [sys.executable, "-m", "pytest", "-o", f"cache_dir={folder}/cache", f"--junitxml={report}", short, *words]
    try:
        done = subprocess.run(command, cwd=PROJECT_DIR, env={**os.environ, **env}, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        return Result(database, trouble=f"the tests were not done within {LIMIT_S} s")
    result = _read(database, report) if report.exists() else Result(database)
    return result if result.failed or not done.returncode else replace(result, trouble=f"pytest ended with exit code {done.returncode}")


def _read(database: str, report: Path) -> Result:
    """What pytest's JUnit report says; a test that passed and then failed in its teardown stands there twice."""
    found: dict[str, set[str]] = {"passed": set(), "failed": set(), "skipped": set()}
    for case in ElementTree.parse(report).iter("testcase"):
        marks = {child.tag for child in case}
        outcome = "failed" if marks & {"failure", "error"} else "skipped" if "skipped" in marks else "passed"
        found[outcome].add(f"{case.get('classname')}::{case.get('name')}")
    return Result(database, frozenset(found["passed"] - found["failed"]), frozenset(found["failed"]), frozenset(found["skipped"]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
