"""The schedule that a migration seeds."""

import pytest
from django.core.management import call_command
from django_celery_beat.models import PeriodicTask

SEEDED = {
    "alerts.sweep": (5, "seconds", "alerts", 6),
    "monitors.refresh_markets": (1, "hours", "scans", 9),
    "monitors.prune": (1, "days", "scans", 9),
}


@pytest.mark.django_db
def test_the_seeded_schedule_sweeps_refreshes_and_prunes() -> None:
    rows = {row.name: (row.interval.every, row.interval.period, row.queue, row.priority) for row in PeriodicTask.objects.filter(name__in=SEEDED)}
    assert rows == SEEDED


@pytest.mark.django_db
def test_an_operators_edit_survives_the_next_start() -> None:
    PeriodicTask.objects.filter(name="alerts.sweep").update(enabled=False)
    call_command("migrate", verbosity=0)
    assert not PeriodicTask.objects.get(name="alerts.sweep").enabled
