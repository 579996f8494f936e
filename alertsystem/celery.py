"""How does a process say "look now" to another? The Celery app, its queues and priorities."""

import os
from typing import Any

from celery import Celery
from kombu import Queue

from monitors.thresholds import Severity

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alertsystem.settings")

app = Celery("alertsystem")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Celery's Redis transport serves priority 0 FIRST; an unset priority would be 0 as well, so `enqueue` always sets one.
FIRST, USUAL, LAST = 0, 6, 9
DISPATCH_PRIORITY = {Severity.EXTREME: 0, Severity.HIGH: 3, Severity.MODERATE: 6, Severity.LOW: 9, Severity.BELOW_LOW: 9}

QUEUES = ("alerts", "delivery", "scans")  # a plain `celery worker` consumes them all
QUEUE_OF_TASK = {"alerts.evaluate_signal": "alerts", "alerts.dispatch": "delivery"}


def enqueue(task: str, *args: Any, priority: int) -> None:
    """Ask a worker to run `task` (by its name) on its own queue; a hint only: the database holds the work."""
    app.send_task(task, args=args, queue=QUEUE_OF_TASK.get(task, "scans"), priority=priority)


app.conf.task_queues = [Queue(name) for name in QUEUES]
app.conf.task_default_queue = "scans"
