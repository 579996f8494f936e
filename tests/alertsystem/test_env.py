"""A setting that is malformed names itself, what is allowed, and nothing that could be a secret."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from alertsystem import env
from alertsystem.env import PROJECT_DIR, Environment
from monitors.market import Venue

MALFORMED = [
    ("VENUES", "binance,kraken", "binance, bybit, okx", "kraken"),
    ("VENUES", "", "binance, bybit, okx", ""),
    ("VENUES", " , ", "binance, bybit, okx", ""),
    ("ASSETS", "BTC,ETH/USDT", "letters and digits", "ETH/USDT"),
    ("MAX_ASSETS", "many", "from 1 to 2000", "many"),
    ("MAX_ASSETS", "0", "from 1 to 2000", "0"),
    ("LIQUIDATION_RETENTION_DAYS", "0", "from 1 to 3650", "0"),
    ("TELEGRAM_MESSAGES_PER_SECOND", "0", "over 0", "0"),
    ("TELEGRAM_MESSAGES_PER_SECOND", "nan", "over 0", "nan"),
    ("TELEGRAM_API_URL", "api.telegram.org", "https://", "api.telegram.org"),
    ("TELEGRAM_WEBHOOK_URL", "http://alerts.example.com/telegram", "https://", "http://alerts.example.com/telegram"),
    ("TELEGRAM_WEBHOOK_URL", "https://", "https://", "https://"),
    ("TELEGRAM_WEBHOOK_LISTEN", "8081", "host:port", "8081"),
    ("TELEGRAM_WEBHOOK_LISTEN", "0.0.0.0:99999", "host:port", "0.0.0.0:99999"),
    ("EXPIRY_HIGH_S", "15m", "whole number of seconds", "15m"),
    ("BINANCE_WS_URL", "https://fstream.binance.com", "wss://", "https://fstream.binance.com"),
    ("OKX_WS_URL", "wss://ws.okx.com:port", "wss://", "wss://ws.okx.com:port"),
    ("BYBIT_REST_URL", "wss://api.bybit.com", "https://", "wss://api.bybit.com"),
    ("DEBUG", "perhaps", "true or false", "perhaps"),
    ("LOG_LEVEL", "loud", "INFO", "loud"),
    ("LOG_FORMAT", "xml", "json", "xml"),
]
MALFORMED_SECRETS = [
    ("DATABASE_URL", "mysql://user:hunter2@host/name", "sqlite:///path"),
    ("DATABASE_URL", "sqlite://", "sqlite:///path"),
    ("DATABASE_URL", "postgres://user:hunter2@host:port/name", "host:port"),
    ("DATABASE_URL", "postgres://user:hunter2@host", "/name"),
    ("REDIS_URL", "redis://:hunter2@host:6379/name", "redis://host:port/0"),
    ("REDIS_URL", "amqp://user:hunter2@host", "redis://"),
    ("REDIS_URL", "redis://", "redis://"),
    ("TELEGRAM_BOT_TOKEN", "hunter2", "@BotFather"),
]


def run(*command: str, folder: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run a process of the product with these settings and no others."""
    plain = {name: value for name, value in os.environ.items() if name not in Environment.model_fields}
    environment = {**plain, "DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "alertsystem.settings", "PYTHONPATH": str(PROJECT_DIR), **settings}
    return subprocess.run([sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, timeout=30)


def read(monkeypatch: pytest.MonkeyPatch, **settings: str) -> Environment:
    """The settings as this process would read them."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return Environment()


def complaint(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> str:
    """The line about a malformed setting."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ending:
        env.read()
    return str(ending.value.code)


@pytest.mark.parametrize(("name", "value", "allowed", "got"), MALFORMED)
def test_a_malformed_setting_names_itself_what_is_allowed_and_what_it_got(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, allowed: str, got: str
) -> None:
    line = complaint(monkeypatch, name, value)
    assert line.startswith(f"{name} ") and allowed in line and got in line
    assert "\n" not in line


@pytest.mark.parametrize(("name", "value", "allowed"), MALFORMED_SECRETS)
def test_a_malformed_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch, name: str, value: str, allowed: str) -> None:
    line = complaint(monkeypatch, name, value)
    assert line.startswith(f"{name} ") and allowed in line and "hunter2" not in line


COMMANDS = [["manage.py", command] for command in ("up", "run_bot", "watch_liquidations")]
ROLES = [["-m", "celery", "-A", "alertsystem", role] for role in ("worker", "beat")]


@pytest.mark.parametrize("command", COMMANDS + ROLES, ids=lambda command: command[-1])
def test_every_process_ends_with_that_line_and_no_traceback(tmp_path: Path, command: list[str]) -> None:
    words = [str(PROJECT_DIR / word) if word == "manage.py" else word for word in command]
    done = run(*words, folder=tmp_path, MAX_ASSETS="many")
    assert done.returncode == 1
    assert "MAX_ASSETS is not valid: allowed is a whole number from 1 to 2000 (got 'many')" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_all_malformed_settings_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_ASSETS", "many")
    lines = complaint(monkeypatch, "LOG_LEVEL", "loud").splitlines()
    assert [line.split()[0] for line in lines] == ["MAX_ASSETS", "LOG_LEVEL"]


def test_an_empty_value_means_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, MAX_ASSETS="", ASSETS="", ALLOWED_HOSTS="", BINANCE_WS_URL="")
    assert settings.MAX_ASSETS == 50
    assert settings.ASSETS == []
    assert settings.ALLOWED_HOSTS == ["127.0.0.1", "localhost", "[::1]"]
    assert settings.BINANCE_WS_URL == "wss://fstream.binance.com"


def test_lists_are_split_at_commas_without_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, ASSETS=" btc, Eth,btc ", VENUES="OKX,bybit")
    assert settings.ASSETS == ["BTC", "ETH"]
    assert settings.VENUES == [Venue.OKX, Venue.BYBIT]


def test_a_path_prefix_of_a_venue_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, BYBIT_WS_URL="ws://127.0.0.1:9000/bybit/").BYBIT_WS_URL == "ws://127.0.0.1:9000/bybit"


def test_the_token_does_not_show_when_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, TELEGRAM_BOT_TOKEN="123456:hunter2")
    assert "hunter2" not in f"{settings!r} {settings.TELEGRAM_BOT_TOKEN}"
    assert settings.TELEGRAM_BOT_TOKEN.get_secret_value() == "123456:hunter2"


def test_a_dotenv_file_in_the_working_folder_counts_less_than_the_environment(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MAX_ASSETS=7\nLIQUIDATION_RETENTION_DAYS=5\n")
    script = "from alertsystem import settings; print(settings.MAX_ASSETS, settings.LIQUIDATION_RETENTION_DAYS)"
    assert run("-c", script, folder=tmp_path, MAX_ASSETS="8").stdout.split() == ["8", "5"]


@pytest.mark.parametrize("name", Environment.model_fields)
def test_every_setting_says_what_it_is_and_what_it_allows(name: str) -> None:
    field = Environment.model_fields[name]
    assert field.description and env.allowed(field)
