"""When is a task due? django-celery-beat's schedule in the database, with a heartbeat at every tick."""

from typing import Any

from django_celery_beat.schedulers import DatabaseScheduler

from alertsystem.heartbeats import say_alive


class Scheduler(DatabaseScheduler):  # type: ignore[misc]  # untyped
    """Beat's scheduler; the rows are seeded by a migration and belong to the operator afterwards."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due; returns the seconds until the next look."""
        say_alive("beat")
        return float(super().tick(*args, **kwargs))
