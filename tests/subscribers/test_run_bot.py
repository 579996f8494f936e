"""Without a token there is no bot: the command says what is missing, and in a container it waits instead of being started again and again."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from alertsystem.env import PROJECT_DIR, Environment
from tests.harness import spawn, wait_until

COMMAND = [sys.executable, "manage.py", "run_bot"]


def env(folder: Path) -> dict[str, str]:
    """No settings but a folder and the file of the health check."""
    nothing = {name: "" for name in Environment.model_fields if name != "VENUES"}
    return {**os.environ, **nothing, "DJANGO_SETTINGS_MODULE": "alertsystem.settings", "DATA_DIR": str(folder), "ALIVE_FILE": str(folder / "alive")}


def test_without_a_token_the_bot_ends_and_says_what_is_missing(tmp_path: Path) -> None:
    done = subprocess.run(COMMAND, cwd=PROJECT_DIR, env=env(tmp_path), capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "set TELEGRAM_BOT_TOKEN" in done.stderr and "Traceback" not in done.stderr


def test_told_to_wait_it_says_so_once_is_healthy_and_ends_when_told(tmp_path: Path) -> None:
    with open(tmp_path / "log", "wb") as log:
        process = spawn([*COMMAND, "--wait"], cwd=PROJECT_DIR, env=env(tmp_path), stdout=log, stderr=log)
    try:
        wait_until((tmp_path / "alive").exists, 60, "a healthy bot")
        check = subprocess.run([sys.executable, "-m", "alertsystem.alive"], cwd=PROJECT_DIR, env=env(tmp_path), timeout=10)
        assert check.returncode == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
    [line] = (tmp_path / "log").read_text().splitlines()
    assert "set TELEGRAM_BOT_TOKEN" in line
