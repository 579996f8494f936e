"""`manage.py up` on a fresh data folder, with the venues out of reach."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from alertsystem.env import PROJECT_DIR
from tests.harness import spawn, wait_until
from tests.machine import Machine

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    machine.kill_all()


def refused(machine: Machine, port: int) -> str:
    """What `up` says when it refuses to start: one line, at once."""
    done = subprocess.run(machine.command(port), cwd=PROJECT_DIR, env=machine.env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stdout == "" and len(done.stderr.splitlines()) == 1
    return done.stderr


def kill(process_id: int) -> None:
    """SIGKILL, unless it has just ended with its parent."""
    try:
        os.kill(process_id, signal.SIGKILL)
    except ProcessLookupError:
        pass


def log_in(machine: Machine, password: str) -> int:
    """The status after logging in as admin and asking for the admin's first page."""
    session = requests.Session()
    form = session.get(f"{machine.address}/admin/login/", timeout=10)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text)
    assert token is not None
    fields = {"username": "admin", "password": password, "csrfmiddlewaretoken": token[1], "next": "/admin/"}
    session.post(f"{machine.address}/admin/login/", fields, headers={"Referer": machine.address}, timeout=10)
    return session.get(f"{machine.address}/admin/", timeout=10, allow_redirects=False).status_code


def test_a_start_that_fails_keeps_the_password_for_the_next_one(machine: Machine) -> None:
    machine.env["REDIS_URL"] = "redis://:hunter2@127.0.0.1:1/0"
    assert refused(machine, machine.port) == "CommandError: The broker that REDIS_URL names does not answer.\n"
    del machine.env["REDIS_URL"]
    machine.start()
    assert "Password: " in machine.output


def test_a_folder_or_a_database_that_cannot_be_used_is_one_line(machine: Machine, tmp_path: Path) -> None:
    lock = machine.data_dir / "up.lock"
    lock.mkdir(parents=True)  # permissions mean nothing to root
    assert refused(machine, machine.port).startswith("CommandError: DATA_DIR cannot be used: ")
    lock.rmdir()
    machine.env["DATABASE_URL"] = f"sqlite:///{tmp_path / 'junk'}"
    (tmp_path / "junk").write_bytes(b"junk" * 1000)
    assert refused(machine, machine.port) == "CommandError: The database does not work (see DATABASE_URL): file is not a database\n"


def test_a_first_start_shows_a_password_that_opens_the_admin_and_is_never_shown_again(machine: Machine, tmp_path: Path) -> None:
    machine.start()
    found = re.search(r"User: admin   Password: (\S+)", machine.output)
    assert found is not None
    assert log_in(machine, found[1]) == 200
    assert log_in(machine, "wrong") == 302

    assert f"already runs on {machine.data_dir}" in refused(machine, machine.port + 1)
    elsewhere = Machine(tmp_path / "elsewhere")
    assert f"Port {machine.port} " in refused(elsewhere, machine.port)
    assert "Port 0 " in refused(elsewhere, 0)

    machine.signal(signal.SIGINT)
    assert machine.exit_code() == 0
    assert machine.processes() == []

    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a script starts it in the background
        machine.start()
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    assert "Password" not in machine.output
    machine.signal(signal.SIGINT)
    time.sleep(0.3)  # a person's second Ctrl-C, not the same one seen twice
    machine.signal(signal.SIGINT)
    assert machine.exit_code() == 0
    assert machine.processes() == []


def test_ctrl_c_while_it_still_loads_ends_it_without_a_word(machine: Machine, tmp_path: Path) -> None:
    with (tmp_path / "said").open("wb") as said:
        process = spawn(machine.command(), cwd=PROJECT_DIR, env=machine.env, stdout=said, stderr=said)
    wait_until(lambda: "pydantic" in Path(f"/proc/{process.pid}/maps").read_text(), 30, "the settings to be read")
    process.send_signal(signal.SIGINT)
    assert process.wait(10) in (0, -signal.SIGINT)
    assert (tmp_path / "said").read_text() in ("", "Everything has ended.\n")
    assert machine.processes() == []


def test_what_dies_is_started_again_and_a_killed_up_leaves_nothing(machine: Machine) -> None:
    machine.start()
    wait_until(lambda: machine.readyz().get("workers alerts") == "ok", 30, "the alerts worker's heartbeat")
    for word, name in (("alerts@%h", "alerts"), ("valkey-server", "valkey")):
        before = set(machine.processes(word))
        for process_id in before:
            kill(process_id)
        wait_until(lambda word=word, before=before: set(machine.processes(word)) - before, 40, f"a new {name}")  # type: ignore[misc]
        assert re.search(rf"WARNING up +{name} was ended by SIGKILL; it starts again in 1 s", machine.output)
    wait_until(lambda: machine.readyz().get("broker") == "ok", 40, "the broker's answer")

    machine.signal(signal.SIGKILL)
    wait_until(lambda: not machine.processes(), 10, "the end of every process")


def test_sigterm_ends_everything_too_even_what_is_frozen(machine: Machine) -> None:
    machine.start()
    frozen = wait_until(lambda: machine.processes("delivery@%h")) + machine.processes("valkey-server")
    for process_id in frozen:
        os.kill(process_id, signal.SIGSTOP)
    machine.signal(signal.SIGTERM)
    assert machine.exit_code() == 0
    assert machine.processes() == []
