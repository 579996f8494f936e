"""Which processes run on one machine? Their commands, in the order in which they are asked to end."""

import os
import sys
from pathlib import Path

from django.conf import settings

from alertsystem import embedded
from alertsystem.children import Child
from alertsystem.env import PROJECT_DIR

WORKERS = {"alerts": 2, "delivery": 2, "scans": 3, "housekeeping": 1}  # processes of each queue's worker


def children(port: int) -> list[Child]:
    """Everything but the broker; the bot only when there is a token."""
    bot = [_child("bot", _manage("run_bot"))] if settings.TELEGRAM_BOT_TOKEN else []
    return [
        _child("beat", _celery("beat")),
        _child("monitor", _manage("watch_liquidations")),
        *bot,
        _child("web", _python("gunicorn", "-c", "python:alertsystem.gunicorn_conf", "-b", f"127.0.0.1:{port}", "alertsystem.wsgi")),
        *(_child(queue, _worker(queue, processes)) for queue, processes in WORKERS.items()),
    ]


def broker() -> Child | None:
    """The embedded Valkey, unless REDIS_URL names a server; NoServer when this machine has none."""
    if settings.ENV.REDIS_URL:
        return None
    embedded.prepare_folder(settings.BROKER_SOCKET)
    return Child("valkey", embedded.server_command(embedded.server_binary(), settings.DATA_DIR, settings.BROKER_SOCKET))


def _child(name: str, command: list[str]) -> Child:
    path = os.pathsep.join(filter(None, [str(PROJECT_DIR), os.environ.get("PYTHONPATH")]))
    return Child(name, command, {"PYTHONPATH": path})


def _python(module: str, *words: str) -> list[str]:
    return [sys.executable, "-m", module, *words]


def _manage(command: str) -> list[str]:
    return [sys.executable, str(Path(PROJECT_DIR, "manage.py")), command]


def _celery(*words: str) -> list[str]:
    return _python("celery", "-q", "-A", "alertsystem", *words)


def _worker(queue: str, processes: int) -> list[str]:
    return _celery("worker", "-Q", queue, "-n", f"{queue}@%h", "-c", str(processes), "--without-gossip", "--without-mingle")
