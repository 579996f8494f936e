"""Which scans should have run by now and did not? By the schedule as the operator has it, since beat began to send it."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django_celery_beat.models import PeriodicTask

from monitors.market import Kind, Venue
from monitors.models import ScanStatus

LATE_AFTER = timedelta(minutes=5)  # behind the schedule: a full queue makes one or two wait, and a slice takes up to 40 s
TASKS = {"monitors.scan_open_interest": Kind.OPEN_INTEREST, "monitors.scan_volume": Kind.VOLUME}


def late_scans(beat_since: datetime, now: datetime) -> list[str]:
    """The late ones in words; a scan that is switched off, or whose venue is paused, is not late. One that brings nothing did run."""
    rows = {(status.venue, status.kind): status for status in ScanStatus.objects.all()}
    late = []
    for venue, kind, task in _scheduled():
        status = rows.get((venue, kind))
        known = (status.started_at, status.paused_until) if status else ()
        last = max(filter(None, (beat_since, *known)))
        if last < now and -task.schedule.remaining_estimate(last) > LATE_AFTER:
            late.append(f"{kind.replace('_', ' ')} of {venue.title} not scanned for {(now - last) // timedelta(minutes=1)} min")
    return late


def _scheduled() -> Iterator[tuple[Venue, Kind, PeriodicTask]]:
    """The scans of watched venues that beat sends; an operator's row that names no venue is none."""
    for task in PeriodicTask.objects.filter(task__in=TASKS, enabled=True).select_related("interval", "crontab").order_by("task", "args"):
        try:
            [venue] = map(Venue, json.loads(task.args))
        except (TypeError, ValueError):
            continue
        if venue in settings.VENUES:
            yield venue, TASKS[task.task], task
