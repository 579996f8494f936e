"""Which work on the market is done by workers? Each task is short, may run twice, and is called by its name."""

from celery import shared_task
from django.utils import timezone

from monitors import services


@shared_task(name="monitors.refresh_markets")
def refresh_markets() -> int:
    """Refresh the contracts of all venues; return how many trade."""
    return services.refresh_markets(timezone.now())


@shared_task(name="monitors.prune")
def prune() -> int:
    """Delete what is older than the retention; return how many rows."""
    return services.prune(timezone.now())
