"""Which work on the market is done by workers? Each task is short, may run twice, and is called by its name."""

from celery import shared_task
from django.utils import timezone

from alertsystem.celery import LAST, USUAL, enqueue_if_possible
from monitors import backfill, history, retention, scan_open_interest, scan_volume, services
from monitors.market import Venue

EXPIRES_S = 50  # a scan that waited longer is not worth making: the next one comes


@shared_task(name="monitors.refresh_markets")
def refresh_markets() -> int:
    """Refresh the contracts of all venues; return how many trade."""
    return services.refresh_markets(timezone.now())


@shared_task(name="monitors.prune")
def prune() -> int:
    """Delete a slice of what is older than its retention, and ask for the next slice when there is more; return how many rows."""
    deleted, complete = retention.prune(timezone.now())
    if not complete:
        enqueue_if_possible("monitors.prune", priority=LAST)
    return deleted


@shared_task(name="monitors.scan_open_interest", expires=EXPIRES_S)
def scan_open_interest_of(venue: str) -> int:
    """Sample the venue's open interest and judge it; return how many signals were raised."""
    return scan_open_interest.scan_open_interest(Venue(venue))


@shared_task(name="monitors.scan_volume", expires=EXPIRES_S)
def scan_volume_of(venue: str) -> int:
    """Fetch the venue's newest candles and judge them, once the one that has just ended is settled; return how many signals were raised."""
    wait_s = scan_volume.too_early_s(Venue(venue))
    if wait_s:
        enqueue_if_possible("monitors.scan_volume", venue, priority=USUAL, wait_s=wait_s, expires_s=EXPIRES_S)
        return 0
    return scan_volume.scan_volume(Venue(venue))


@shared_task(name="monitors.backfill", expires=EXPIRES_S)
def fill_in() -> int:
    """Fill in a slice of the past that is missing, and ask for the next one while rows come; return how many came."""
    rows = backfill.backfill()
    if rows:
        enqueue_if_possible("monitors.backfill", priority=LAST, expires_s=EXPIRES_S)
    return rows


@shared_task(name="monitors.update_own_histories")
def update_own_histories() -> int:
    """Work out a slice of the assets' own ladders, and ask for the next slice when there are more; return how many."""
    updated, complete = history.update_own_histories(timezone.now())
    if not complete:
        enqueue_if_possible("monitors.update_own_histories", priority=LAST)
    return updated
