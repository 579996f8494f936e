"""Production refuses to start half set up, in one line that names the setting, and is clean by Django's own deployment check."""

import secrets
from pathlib import Path

import pytest

from tests.alertsystem.test_env import run

KEY = secrets.token_urlsafe(50)
COMPLETE = {
    "PRODUCTION": "true",
    "SECRET_KEY": KEY,
    "ALLOWED_HOSTS": "alerts.example.com,.example.org",
    "DATABASE_URL": "postgres://user:hunter2@localhost/name",
    "REDIS_URL": "redis://localhost:6379/0",
}
REFUSED = [
    ("SECRET_KEY", "", "not set"),
    ("SECRET_KEY", "hunter2", "too easy"),
    ("SECRET_KEY", "a" * 60, "too easy"),
    ("SECRET_KEY", "django-insecure-0123456789abcdefghijklmnopqrstuvwxyz-0123456789", "well-known"),
    ("SECRET_KEY", "change-me-change-me-change-me-change-me-change-me-0123", "well-known"),
    ("ALLOWED_HOSTS", "", "not set"),
    ("ALLOWED_HOSTS", "*", "must not be"),
    ("ALLOWED_HOSTS", "alerts.example.com,*", "must not be"),
    ("DEBUG", "true", "must be off"),
    ("DATABASE_URL", "", "not set"),
    ("REDIS_URL", "", "not set"),
]
PROCESSES = [
    ("-m", "gunicorn", "-c", "python:alertsystem.gunicorn_conf", "--check-config", "alertsystem.wsgi"),
    ("-m", "celery", "-A", "alertsystem", "worker"),
    ("-m", "celery", "-A", "alertsystem", "beat"),
    ("-m", "django", "watch_liquidations"),
    ("-m", "django", "run_bot", "--wait"),
    ("-m", "django", "migrate"),
]


@pytest.mark.parametrize(("name", "value", "why"), REFUSED, ids=lambda value: str(value)[:24] or "empty")
def test_production_refuses_to_start_in_one_line_that_names_the_setting(tmp_path: Path, name: str, value: str, why: str) -> None:
    done = run("-m", "django", "check", folder=tmp_path, **{**COMPLETE, name: value})
    [line] = done.stderr.splitlines()
    assert done.returncode == 1 and line.startswith(f"PRODUCTION is on, but {name} ") and why in line
    assert "hunter2" not in line and KEY not in line


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: " ".join(process[1:])[:40])
def test_no_process_of_production_starts_with_a_default_key(tmp_path: Path, process: tuple[str, ...]) -> None:
    done = run(*process, folder=tmp_path, **{**COMPLETE, "SECRET_KEY": ""})
    assert done.returncode != 0 and "PRODUCTION is on, but SECRET_KEY is not set" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_deployment_check_has_nothing_to_say(tmp_path: Path) -> None:
    done = run("-m", "django", "check", "--deploy", "--fail-level", "INFO", folder=tmp_path, **COMPLETE)
    assert (done.returncode, done.stdout.strip()) == (0, "System check identified no issues (0 silenced)."), done.stderr
    assert "WARNING" not in done.stderr


def test_forms_are_taken_from_the_hosts_own_pages_over_https(tmp_path: Path) -> None:
    script = "from alertsystem import settings; print(*settings.CSRF_TRUSTED_ORIGINS)"
    done = run("-c", script, folder=tmp_path, **COMPLETE)
    assert done.stdout.split() == ["https://alerts.example.com", "https://*.example.org"], done.stderr


def test_without_https_cookies_work_over_a_tunnel(tmp_path: Path) -> None:
    script = "from django.conf import settings; print(settings.SESSION_COOKIE_SECURE, settings.SECURE_SSL_REDIRECT)"
    assert run("-c", script, folder=tmp_path, HTTPS_ONLY="false", **COMPLETE).stdout.split() == ["False", "False"]
