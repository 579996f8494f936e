"""A health check tells a process that lives from one that ended, froze, or never began."""

import os
import time
from pathlib import Path

import pytest

from alertsystem.alive import ALIVE_S, main, touch, trouble_of_file
from tests.alertsystem.test_env import run
from tests.harness import spawn
from tests.machine import free_port


def test_who_has_just_said_so_lives(tmp_path: Path) -> None:
    touch(tmp_path / "alive")
    assert trouble_of_file(tmp_path / "alive", time.time()) == ""
    assert os.listdir(tmp_path) == ["alive"]


def test_who_has_been_silent_for_too_long_does_not(tmp_path: Path) -> None:
    touch(tmp_path / "alive")
    assert "16 s ago" in trouble_of_file(tmp_path / "alive", time.time() + ALIVE_S + 1)


def test_who_has_ended_does_not_however_fresh_its_word(tmp_path: Path) -> None:
    process = spawn(["true"])
    process.wait()
    (tmp_path / "alive").write_text(str(process.pid))
    assert trouble_of_file(tmp_path / "alive", time.time()) == f"process {process.pid} has ended"


@pytest.mark.parametrize("content", [None, "", "half"])
def test_who_never_said_so_does_not(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "alive").write_text(content)
    assert "not said yet" in trouble_of_file(tmp_path / "alive", time.time())


def test_a_page_that_nobody_serves_is_not_well() -> None:
    assert "does not answer" in main([f"http://127.0.0.1:{free_port()}/healthz"], {"ALLOWED_HOSTS": "alerts.example.com"})


def test_the_check_needs_to_know_where_to_look() -> None:
    assert main([], {}).startswith("ALIVE_FILE is not set")


def test_the_check_loads_nothing_of_the_product(tmp_path: Path) -> None:
    script = "import sys, alertsystem.alive; print(*({name.split('.')[0] for name in sys.modules} & {'django', 'celery', 'redis', 'pydantic', 'ccxt'}))"
    assert run("-c", script, folder=tmp_path).stdout.strip() == ""
