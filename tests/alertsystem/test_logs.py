"""A log line carries time, level, process and message, and never a bot token."""

import json
import logging
import re

import pytest
from pydantic import SecretStr
from pytest_django import Settings

from alertsystem import logs

TOKEN = "123:short-test-token"
OTHER_TOKEN = "7654321098:AAH0aBcDeFgHiJkLmNoPqRsTuVwXyZ01234"


@pytest.fixture(autouse=True)
def configured_token(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TELEGRAM_BOT_TOKEN = SecretStr(TOKEN)
    monkeypatch.setenv("PROCESS_NAME", "delivery")


def record(message: str, *args: object, error: Exception | None = None) -> logging.LogRecord:
    """A warning as a module would log it."""
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("alerts.dispatcher", logging.WARNING, __file__, 1, message, args, info)


def test_a_line_has_time_level_process_and_message() -> None:
    line = logs.TextFormatter().format(record("%d sent", 3))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} WARNING delivery     3 sent", line)


def test_a_json_line_has_the_same_as_an_object() -> None:
    line = json.loads(logs.JsonFormatter().format(record("%d sent", 3)))
    assert line.items() >= {"level": "WARNING", "process": "delivery", "logger": "alerts.dispatcher", "message": "3 sent"}.items()


@pytest.mark.parametrize("formatter", [logs.TextFormatter, logs.JsonFormatter])
@pytest.mark.parametrize("token", [TOKEN, OTHER_TOKEN])
def test_a_token_never_shows_in_a_message_or_a_traceback(formatter: type[logging.Formatter], token: str) -> None:
    url = f"https://api.telegram.org/bot{token}/sendMessage"
    line = formatter().format(record("POST %s", url, error=ValueError(url)))
    assert "sendMessage" in line and token not in line and token.split(":")[1] not in line


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (["manage.py", "watch_liquidations"], "monitor"),
        (["manage.py", "run_bot"], "bot"),
        (["manage.py", "migrate"], "migrate"),
        (["/venv/bin/celery", "-A", "alertsystem", "worker", "-Q", "scans"], "worker"),
        (["/venv/celery/__main__.py", "-A", "alertsystem", "beat"], "beat"),
        (["gunicorn", "alertsystem.wsgi"], "web"),
    ],
)
def test_a_process_is_named_after_its_command(monkeypatch: pytest.MonkeyPatch, argv: list[str], name: str) -> None:
    monkeypatch.delenv("PROCESS_NAME")
    monkeypatch.setattr("sys.argv", argv)
    assert logs.process_name() == name
