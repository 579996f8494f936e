"""Which work on the market is done by workers? Each task is short, may run twice, and is called by its name."""

from celery import shared_task
from django.utils import timezone

from alertsystem.celery import LAST, enqueue
from monitors import retention, services


@shared_task(name="monitors.refresh_markets")
def refresh_markets() -> int:
    """Refresh the contracts of all venues; return how many trade."""
    return services.refresh_markets(timezone.now())


@shared_task(name="monitors.prune")
def prune() -> int:
    """Delete a slice of what is older than its retention, and ask for the next slice when there is more; return how many rows."""
    deleted, complete = retention.prune(timezone.now())
    if not complete:
        enqueue("monitors.prune", priority=LAST)
    return deleted
