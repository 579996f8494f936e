"""What the test run makes of tests that fail: runs of their own, on small files."""

from pathlib import Path

from tests import run

STEADY = "def test_passes(): pass\n"
BROKEN = "def test_fails(): assert False\n"
UNSTEADY = """
from pathlib import Path

def test_fails_once():
    seen = Path(__file__).with_suffix(".seen")
    if not seen.exists():
        seen.touch()
        assert False
"""


def outcome(folder: Path, *words: str, **files: str) -> run.Result:
    """Of a run of these test files."""
    for name, text in files.items():
        (folder / f"test_{name}.py").write_text(text)
    return run.run_tests("none", {}, [str(folder), "-p", "no:django", *words])


COUNTED = """
from pathlib import Path

def test_passes():
    runs = Path(__file__).with_suffix(".runs")
    runs.write_text((runs.read_text() if runs.exists() else "") + "1")
"""


def test_only_what_fails_alone_as_well_fails_the_run(tmp_path: Path) -> None:
    result = outcome(tmp_path, steady=STEADY, broken=BROKEN, unsteady=UNSTEADY)
    assert {test.split("::")[1] for test in result.passed} == {"test_passes", "test_fails_once"}
    assert {test.split("::")[1] for test in result.failed} == {"test_fails"}
    assert [line.split("::")[-1] for line in str(result).splitlines()] == [
        "none: 2 passed, 1 failed, 0 skipped",
        "test_fails failed",
        "test_fails_once is unsteady: it failed in the crowd and passed alone",
    ]


def test_many_that_fail_are_not_tried_again(tmp_path: Path) -> None:
    many = {f"broken_{number}": BROKEN for number in range(run.FEW)}
    result = outcome(tmp_path, "-n", "0", unsteady=UNSTEADY, **many)
    assert (len(result.failed), result.unsteady) == (run.FEW + 1, frozenset())


def test_what_passed_is_not_run_again(tmp_path: Path) -> None:
    outcome(tmp_path, counted=COUNTED, broken=BROKEN)
    assert (tmp_path / "test_counted.runs").read_text() == "1"
