"""How does a process say "look now" to another? The Celery app, its queues and priorities."""

import gc
import logging.config
import os
import warnings
from typing import Any

from celery import Celery
from celery.exceptions import CPendingDeprecationWarning, SecurityWarning
from celery.signals import celeryd_after_setup, heartbeat_sent, setup_logging, task_prerun, worker_process_init
from django.conf import settings
from kombu import Queue
from kombu.exceptions import OperationalError
from kombu.utils.uuid import uuid

from alertsystem import ending  # noqa: F401  # before a worker forks its pool
from alertsystem.connections import use_sound_connections
from alertsystem.heartbeats import say_alive
from alertsystem.logs import say_at_once
from alertsystem.parenthood import die_with_parent
from monitors.thresholds import Severity

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alertsystem.settings")
warnings.filterwarnings("ignore", category=SecurityWarning)  # in a container everything runs as root; messages are JSON, not pickles

# Celery's Redis transport serves priority 0 FIRST; an unset priority would be 0 as well, so `enqueue` always sets one.
FIRST, USUAL, LAST = 0, 6, 9
DISPATCH_PRIORITY = {Severity.EXTREME: 0, Severity.HIGH: 3, Severity.MODERATE: 6, Severity.LOW: 9, Severity.BELOW_LOW: 9}

GC_THRESHOLD = 20_000, 20, 20  # allocations; the usual 700 cost a twentieth of the time

QUEUES = ("alerts", "delivery", "scans", "housekeeping")  # a plain `celery worker` consumes them all
QUEUE_OF_TASK = {  # every other: scans
    "alerts.evaluate_signal": "alerts",
    "alerts.sweep": "alerts",
    "alerts.dispatch": "delivery",
    "alerts.call_webhooks": "delivery",
    "alerts.measure_outcomes": "housekeeping",
    "alerts.follow_up_charts": "housekeeping",
    "alerts.prune": "housekeeping",
}

NICE = 10  # of housekeeping's processes: whatever else wants the processor goes first

log = logging.getLogger(__name__)
app = Celery("alertsystem")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_queues = [Queue(name) for name in QUEUES]
app.conf.task_default_queue = "scans"
app.conf.task_routes = {task: {"queue": queue} for task, queue in QUEUE_OF_TASK.items()}
app.autodiscover_tasks()


def enqueue(task: str, *args: Any, priority: int, wait_s: float = 0, expires_s: float | None = None) -> None:
    """Ask a worker to run `task` (by its name) on its own queue; a hint only: the database holds the work.

    The only way to publish. `wait_s` is for some seconds at most: whatever waits in a worker is lost with it for a minute.
    After `expires_s` it is not run any more. Raises kombu's OperationalError when the broker cannot be reached.
    """
    made = app.amqp.create_task_message(uuid(), task, args, {}, countdown=wait_s or None, expires=expires_s, argsrepr=repr(args), kwargsrepr="{}")
    with app.producer_or_acquire() as producer:  # as `send_task` does, which takes a quarter longer: it looks up anew what is known here
        producer.publish(
            made.body, exchange="", routing_key=QUEUE_OF_TASK.get(task, "scans"), serializer="json", headers=made.headers, priority=priority,
            retry=True, retry_policy=settings.CELERY_TASK_PUBLISH_RETRY_POLICY, **made.properties,
        )  # fmt: skip


def enqueue_if_possible(task: str, *args: Any, priority: int, wait_s: float = 0, expires_s: float | None = None) -> None:
    """As `enqueue`; without a broker it is only logged, for a sweep or the schedule says it again."""
    try:
        enqueue(task, *args, priority=priority, wait_s=wait_s, expires_s=expires_s)
    except OperationalError as error:
        log.warning("The broker cannot be reached, %s waits for its next time: %s", task, error)


@setup_logging.connect
def _log_as_django_does(**_: Any) -> None:
    """Keep Celery from setting up a logging of its own."""
    logging.config.dictConfig(settings.LOGGING)


@celeryd_after_setup.connect
def _log_as_others_do(**_: Any) -> None:
    """Celery says "Warm shutdown" past all logging, and whenever the broker goes away six lines about a setting that is made on purpose."""
    from celery.apps import worker  # which only workers load

    warnings.filterwarnings("ignore", category=CPendingDeprecationWarning)
    worker.safe_say = say_at_once  # type: ignore[attr-defined]  # the stubs lack it


@heartbeat_sent.connect
def _worker_lives(**_: Any) -> None:
    say_alive(*(f"worker:{queue}" for queue in app.amqp.queues.consume_from))


@task_prerun.connect
def _keep_sound_connections(**_: Any) -> None:
    use_sound_connections()


@worker_process_init.connect
def _pool_process_starts(**_: Any) -> None:
    """A pool process of a killed worker must not go on beside its successor's."""
    die_with_parent()
    if set(app.amqp.queues.consume_from) == {"housekeeping"}:
        os.nice(NICE)
    gc.freeze()  # what is loaded by now stays: a full collection through it would hold a task up for a tenth of a second
    gc.set_threshold(*GC_THRESHOLD)
