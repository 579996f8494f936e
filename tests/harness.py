"""How do tests run real processes? The session's Valkey, workers on the test's own database, and waiting with a deadline."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection

from alertsystem import embedded
from alertsystem.broker import key, redis_client
from alertsystem.env import PROJECT_DIR
from alertsystem.parenthood import die_with_parent

Process = subprocess.Popen[bytes]
POLL_S = 0.02
T = TypeVar("T")


def wait_until(condition: Callable[[], T], timeout_s: float = 10, what: str = "the condition") -> T:
    """Poll until `condition()` is true and return its value; AssertionError after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not come true in {timeout_s} s"
        time.sleep(POLL_S)
    return value


def spawn(command: Sequence[str], **options: Any) -> Process:
    """Start `command` as the leader of a session of its own that does not outlive a killed test run."""
    ours = threading.current_thread() is threading.main_thread()  # the kernel watches the thread that forked
    return subprocess.Popen(command, start_new_session=True, preexec_fn=partial(die_with_parent, os.getpid()) if ours else None, **options)


@contextmanager
def valkey() -> Iterator[Path]:
    """A Valkey on the socket of the settings until the block ends."""
    socket = settings.BROKER_SOCKET
    embedded.prepare_folder(socket)
    server = spawn(embedded.server_command(embedded.server_binary(), settings.DATA_DIR, socket), stdout=subprocess.DEVNULL)
    try:
        wait_until(socket.exists, what="Valkey's socket")
        wait_until(lambda: redis_client().ping(), what="Valkey's answer")
        yield socket
    finally:
        server.kill()
        server.wait()


def database_url() -> str:
    """The test database as other processes reach it; "" is not one of the answers."""
    options = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{options['NAME']}"
    user = f"{options['USER']}:{options['PASSWORD']}@" if options["PASSWORD"] else f"{options['USER']}@"
    host = str(options["HOST"]).replace("/", "%2F")
    port = f":{options['PORT']}" if options["PORT"] else ""
    return f"postgres://{user}{host}{port}/{options['NAME']}"


def process_env(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a process that shares the test's database and broker."""
    return {
        **os.environ, "DJANGO_SETTINGS_MODULE": "alertsystem.settings", "DATABASE_URL": database_url(), "REDIS_URL": settings.BROKER_URL,
        "DATA_DIR": str(settings.DATA_DIR), "SECRET_KEY": settings.SECRET_KEY, "PYTHONUNBUFFERED": "1", **(extra or {}),
    }  # fmt: skip


class Processes:
    """Starts processes, each in a session of its own; at the end of the block their whole groups are killed."""

    def __init__(self) -> None:
        self._started: list[Process] = []

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for process in self._started:
            self.kill(process)

    def start(self, *command: str, env: Mapping[str, str] | None = None, log: Path | None = None) -> Process:
        """Run `command` in the project's folder; output to `log`, else to the test's own."""
        with open(log or os.devnull, "ab") as output:
            streams = {"stdout": output, "stderr": subprocess.STDOUT} if log else {}
            process = spawn(command, cwd=PROJECT_DIR, env=process_env(env), **streams)
        self._started.append(process)
        return process

    def python(self, module: str, *words: str, env: Mapping[str, str] | None = None, log: Path | None = None) -> Process:
        """`python -m module words...`"""
        return self.start(sys.executable, "-m", module, *words, env=env, log=log)

    def manage(self, *words: str, env: Mapping[str, str] | None = None, log: Path | None = None) -> Process:
        """`manage.py words...`"""
        return self.start(sys.executable, "manage.py", *words, env=env, log=log)

    def celery_workers(
        self, *queues: str, concurrency: int = 1, env: Mapping[str, str] | None = None, log: Path | None = None, timeout_s: float = 30
    ) -> list[Process]:
        """One worker process (prefork) for each queue; waits until they take tasks."""
        for queue in queues:
            redis_client().delete(key("alive", f"worker:{queue}"))
        options = ("--without-gossip", "--without-mingle", "-c", str(concurrency))
        worker = (sys.executable, "-m", "celery", "-q", "-A", "alertsystem", "worker", *options)
        started = [self.start(*worker, "-Q", queue, "-n", f"{queue}-{time.monotonic_ns()}@test", env=env, log=log) for queue in queues]
        wait_until(lambda: all(redis_client().exists(key("alive", f"worker:{queue}")) for queue in queues), timeout_s, "a worker for each queue")
        return started

    def kill(self, process: Process) -> None:
        """SIGKILL to the process and to all of its group; nothing when it has ended."""
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
