"""When is a task due? django-celery-beat's schedule in the database, with a heartbeat at every tick."""

import logging
from typing import Any

from django_celery_beat.schedulers import DatabaseScheduler

from alertsystem.heartbeats import say_alive

log = logging.getLogger(__name__)


class Scheduler(DatabaseScheduler):  # type: ignore[misc]  # untyped
    """Beat's scheduler; the rows are seeded by a migration and belong to the operator afterwards."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due; returns the seconds until the next look."""
        say_alive("beat")
        return float(super().tick(*args, **kwargs))

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        """Send one task; one that cannot be sent is a line in the log and not, as with Celery, a page of it."""
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except Exception as error:  # one task must not end the schedule
            log.warning("%s; it is sent when it is due again", error)
