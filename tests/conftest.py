"""What every test may ask for: the session's Valkey, worker processes, the shared recordings."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection
from pytest_django.plugin import blocking_manager_key
from redis import Redis

from alertsystem.broker import redis_client
from tests import harness

LONG = frozenset(  # files whose tests take the longest: whole systems, killed processes, recordings
    f"test_{name}.py"
    for name in (
        "replay_scans",
        "up",
        "kills",
        "holding",
        "thresholds",
        "road",
        "demo",
        "bot_flood",
        "charts_processes",
        "dispatcher_processes",
        "fleet",
        "scans",
        "admin_browser",
    )
)

ONE_DATABASE_DOES = frozenset({"test_admin_browser.py", "test_scan_faults.py", "test_bot_webhook.py"})  # about browsers and HTTP, whatever is behind them


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options by which the runner keeps from repeating on PostgreSQL what would be the same, and by which conversations are written anew."""
    parser.addoption("--database-tests-only", action="store_true", help="leave out the tests to which another database is all the same")
    parser.addoption("--write-conversations", action="store_true", help="write tests/subscribers/conversations/*.txt anew, as the bot talks now")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that do not depend on the database when asked to; let every transactional test keep what migrations seed."""
    for item in items:
        marker = item.get_closest_marker("django_db")
        if marker is not None and marker.kwargs.get("transaction"):  # the fixture below is not looked at for these
            item.add_marker(pytest.mark.django_db(**{**marker.kwargs, "serialized_rollback": True}), append=False)
    if config.getoption("--database-tests-only"):
        kept = [item for item in items if _touches_database(item) and item.path.name not in ONE_DATABASE_DOES]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept
    items.sort(key=lambda item: item.path.name not in LONG)  # begun last, one of them would keep the others waiting at the end


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """The rows that migrations seed are there again for the next test, after all else has emptied the tables."""
    yield
    if nextitem is not None and _empties_tables(item):
        with item.config.stash[blocking_manager_key].unblock():
            connection.creation.deserialize_db_from_string(connection._test_serialized_contents)  # type: ignore[attr-defined]  # set by the runner


def _empties_tables(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    return "transactional_db" in getattr(item, "fixturenames", ()) or bool(marker is not None and marker.kwargs.get("transaction"))


def _touches_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or bool(fixtures & {"db", "transactional_db"})


@pytest.fixture(autouse=True)
def django_db_serialized_rollback() -> None:
    """The rows that migrations seed (rules, schedule) are there when a transactional test begins."""


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[Path]:
    """A real Valkey for the session; the path of its socket, which is the one in the settings."""
    with harness.valkey() as socket:
        yield socket


@pytest.fixture
def valkey(valkey_server: Path) -> Iterator[Redis]:
    """The session's broker, emptied before the test."""
    client = redis_client()
    client.flushall()
    yield client
    client.flushall()


@pytest.fixture
def processes(transactional_db: None, valkey: Redis) -> Iterator[harness.Processes]:
    """Starts real processes on the test's own database and broker, and ends their process groups afterwards."""
    with harness.Processes() as started:
        yield started


@pytest.fixture
def celery_workers(processes: harness.Processes) -> Callable[..., list[harness.Process]]:
    """`celery_workers("alerts", "delivery")` starts a worker process for each queue and waits until they take tasks."""
    return processes.celery_workers


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of real recordings; the test is skipped without it."""
    folder = Path(os.environ.get("RECORDINGS_DIR", ""))
    if not os.environ.get("RECORDINGS_DIR") or not folder.is_dir():
        pytest.skip("RECORDINGS_DIR names no folder of recordings")
    return folder
