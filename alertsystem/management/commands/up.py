"""How does everything run on one machine? `manage.py up`: preparations, then the supervisor until Ctrl-C."""

import fcntl
import os
import socket
from argparse import ArgumentParser
from typing import IO, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from redis import RedisError

from alertsystem import first_start, machine
from alertsystem.broker import redis_client
from alertsystem.embedded import NoServer
from alertsystem.supervisor import StopRequest, Supervisor

HOST = "127.0.0.1"


class Command(BaseCommand):
    """Run all processes of the alert system until Ctrl-C."""

    help = "Run everything on this machine: database, broker, workers, monitor, bot and admin site, until Ctrl-C."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--port`: where the admin site listens."""
        parser.add_argument("--port", type=int, default=8000, help="port of the admin site on 127.0.0.1 (default 8000)")

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        """Check, prepare, supervise."""
        stop = StopRequest()
        os.environ.setdefault("PROCESS_NAME", "up")
        with _only_one():
            _check_port(port)
            _prepare()
            supervisor = _supervisor(port, stop)
            try:
                if supervisor.start_broker(_broker_answers):
                    self._say_hello(port, first_start.create_admin())  # not earlier: a password that is not shown would be lost
                    connection.close()  # children must not share it
                    supervisor.run()
                elif not stop.times:
                    raise CommandError(_no_broker())
            finally:
                supervisor.end()
        self.stdout.write("Everything has ended.")

    def _say_hello(self, port: int, password: str | None) -> None:
        lines = ["", f"Admin site: http://{HOST}:{port}/", f"Data folder: {settings.DATA_DIR}"]
        if password:
            lines.append(f"First start. User: admin   Password: {password}   (shown only this once)")
        self.stdout.write("\n".join([*lines, "Alerts are printed here. Ctrl-C ends everything.", ""]))
        self.stdout.flush()


def _only_one() -> IO[str]:
    """The open, locked file that says who runs on this data folder; CommandError when another does."""
    try:
        file = open(settings.DATA_DIR / "up.lock", "a+")  # noqa: SIM115  # the caller holds it as long as it runs
    except OSError as error:
        raise CommandError(f"DATA_DIR cannot be used: {error}") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        raise CommandError(f"Another `up` (process {file.read().strip() or 'unknown'}) already runs on {settings.DATA_DIR}.") from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _check_port(port: int) -> None:
    if port == 0:  # any free one: nobody would know which
        raise CommandError("Port 0 cannot be used: name one with --port N.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise CommandError(f"Port {port} on {HOST} cannot be used ({error}): free it, or choose another with --port N.") from None


def _prepare() -> None:
    try:
        first_start.prepare()
    except DatabaseError as error:
        raise CommandError(f"The database does not work (see DATABASE_URL): {str(error).strip().splitlines()[0]}") from None


def _supervisor(port: int, stop: StopRequest) -> Supervisor:
    try:
        return Supervisor(machine.children(port), machine.broker(), stop)
    except NoServer as error:
        raise CommandError(str(error)) from None


def _broker_answers() -> bool:
    try:
        return bool(redis_client().ping())
    except RedisError:
        return False


def _no_broker() -> str:
    if settings.ENV.REDIS_URL:
        return "The broker that REDIS_URL names does not answer."
    return f"The embedded Valkey did not start; its log is {settings.DATA_DIR / 'valkey.log'}."
