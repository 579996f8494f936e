"""What is the least that two Celery tasks one after the other take? A bare app on the product's broker and with its options."""

import time

import django

django.setup()

from celery import Celery  # noqa: E402
from kombu import Queue  # noqa: E402

from alertsystem.broker import key, redis_client  # noqa: E402

ARRIVED = key("bench", "hops")

app = Celery("hops")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_queues = [Queue("hop1"), Queue("hop2")]
app.conf.task_default_queue = "hop1"


@app.task(name="hops.first")
def first(number: int) -> None:
    """Hand on."""
    app.send_task("hops.second", args=[number], queue="hop2", priority=0)


@app.task(name="hops.second")
def second(number: int) -> None:
    """Say when this one started."""
    redis_client().hset(ARRIVED, str(number), repr(time.time()))
