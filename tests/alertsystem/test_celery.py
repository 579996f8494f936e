"""Where a published task lands, and what the worker and beat say of themselves, on a real broker."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from celery import Celery
from celery.beat import ScheduleEntry
from celery.fixups.django import DjangoWorkerFixup  # type: ignore[attr-defined]  # the stubs lack it
from celery.signals import task_prerun
from django.db import connection
from django_celery_beat.models import PeriodicTask
from redis import Redis

from alertsystem.celery import DISPATCH_PRIORITY, FIRST, LAST, QUEUE_OF_TASK, QUEUES, USUAL, app, enqueue
from alertsystem.heartbeats import alive
from alertsystem.scheduler import Scheduler
from monitors.thresholds import Severity
from tests.harness import Process, Processes, process_env, wait_until

KEYS = {  # Celery's Redis transport: the key without a suffix is priority 0 and is served first
    ("alerts.dispatch", DISPATCH_PRIORITY[Severity.EXTREME]): b"alertsystem:delivery",
    ("alerts.dispatch", DISPATCH_PRIORITY[Severity.HIGH]): b"alertsystem:delivery:3",
    ("alerts.dispatch", DISPATCH_PRIORITY[Severity.MODERATE]): b"alertsystem:delivery:6",
    ("alerts.dispatch", DISPATCH_PRIORITY[Severity.LOW]): b"alertsystem:delivery:9",
    ("alerts.evaluate_signal", FIRST): b"alertsystem:alerts",
    ("alerts.sweep", USUAL): b"alertsystem:alerts:6",
    ("monitors.prune", LAST): b"alertsystem:scans:9",
}


@pytest.mark.parametrize(("task", "priority"), KEYS)
def test_a_priority_lands_in_its_own_key(valkey: Redis, task: str, priority: int) -> None:
    enqueue(task, 42, priority=priority)
    assert valkey.keys(f"alertsystem:{QUEUE_OF_TASK.get(task, 'scans')}*") == [KEYS[task, priority]]
    message = json.loads(valkey.lpop(KEYS[task, priority]))  # type: ignore[arg-type]
    assert message["headers"]["task"] == task
    assert message["properties"]["priority"] == priority


@pytest.mark.django_db(transaction=True)
def test_a_worker_keeps_its_database_connection_from_task_to_task_unless_it_is_old() -> None:
    of_worker = DjangoWorkerFixup(app)
    connection.ensure_connection()
    first = connection.connection
    of_worker.close_database()  # as before and after each task
    task_prerun.send(sender=None)
    assert connection.connection is first
    connection.close_at = 0.0  # CONN_MAX_AGE is over
    task_prerun.send(sender=None)
    assert connection.connection is None


def test_without_a_broker_a_process_goes_on_and_says_in_one_line_what_waits(tmp_path: Path) -> None:
    script = "from alertsystem.celery import enqueue_if_possible; enqueue_if_possible('monitors.prune', priority=9)"
    env = process_env({"REDIS_URL": "redis://127.0.0.1:1/0", "LOG_LEVEL": "INFO", "DJANGO_SETTINGS_MODULE": "alertsystem.settings"})
    done = subprocess.run([sys.executable, "-c", f"import django; django.setup(); {script}"], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and len(done.stderr.splitlines()) == 1 and "monitors.prune waits for its next time" in done.stderr, done.stderr


def test_workers_say_which_queues_they_serve(celery_workers: Callable[..., list[Process]]) -> None:
    celery_workers("alerts")
    assert alive("worker:alerts", "worker:delivery") == {"worker:alerts": True, "worker:delivery": False}


def test_a_plain_worker_serves_every_queue(processes: Processes) -> None:
    processes.python("celery", "-A", "alertsystem", "worker", "-c", "1")
    names = [f"worker:{queue}" for queue in QUEUES]
    wait_until(lambda: all(alive(*names).values()), 30, "a heartbeat for every queue")


def test_a_worker_says_in_lines_of_the_log_that_it_ends(processes: Processes, tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = processes.celery_workers("alerts", env={"PROCESS_NAME": "alerts", "LOG_LEVEL": "INFO"}, log=log)[0]
    process.terminate()
    assert process.wait(30) == 0
    line = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} INFO +alerts +"
    assert re.search(line + r"worker: Warm shutdown", log.read_text())
    assert all(re.match(line, said) for said in log.read_text().splitlines()), log.read_text()


def test_beat_follows_an_edited_schedule_within_seconds_and_keeps_it(processes: Processes, valkey: Redis) -> None:
    PeriodicTask.objects.update(enabled=False)
    processes.python("celery", "-A", "alertsystem", "beat")
    wait_until(lambda: alive("beat")["beat"], 30, "beat's heartbeat")
    valkey.delete("alertsystem:alerts:6")
    sweep = PeriodicTask.objects.get(name="alerts.sweep")
    sweep.enabled = True
    sweep.save()
    wait_until(lambda: valkey.llen("alertsystem:alerts:6"), 15, "a sweep in its queue")
    sweep.refresh_from_db()
    assert sweep.enabled and PeriodicTask.objects.filter(enabled=True).count() == 1


@pytest.mark.django_db
def test_beat_says_in_one_line_what_it_cannot_send(caplog: pytest.LogCaptureFixture) -> None:
    scheduler = Scheduler(app, lazy=True)
    with Celery("elsewhere", broker="redis://127.0.0.1:1/0") as elsewhere:
        scheduler.app = elsewhere
        scheduler.apply_entry(ScheduleEntry("sweep", "alerts.sweep", app=elsewhere))
    assert [(record.levelname, record.exc_info) for record in caplog.records] == [("WARNING", None)]
    assert "Couldn't apply scheduled task sweep" in caplog.text
