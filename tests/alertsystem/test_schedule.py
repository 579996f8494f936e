"""The schedule that a migration seeds."""

import pytest
from django.core.management import call_command
from django_celery_beat.models import PeriodicTask

SEEDED = {
    "alerts.sweep": (5, "seconds", "alerts", 6),
    "alerts.tell_held": (5, "seconds", "scans", 3),
    "monitors.refresh_markets": (1, "hours", "scans", 9),
    "monitors.prune": (1, "days", "scans", 9),
    "monitors.backfill": (60, "seconds", "scans", 9),
    "monitors.update_own_histories": (600, "seconds", "scans", 9),
    "alerts.measure_outcomes": (60, "seconds", "housekeeping", 9),
    "alerts.follow_up_charts": (5, "seconds", "housekeeping", 6),
    "alerts.prune": (1, "days", "housekeeping", 9),
}


@pytest.mark.django_db
def test_the_seeded_schedule_sweeps_refreshes_fills_in_and_prunes() -> None:
    rows = {row.name: (row.interval.every, row.interval.period, row.queue, row.priority) for row in PeriodicTask.objects.filter(name__in=SEEDED)}
    assert rows == SEEDED


@pytest.mark.django_db
@pytest.mark.parametrize("venue", ["binance", "bybit", "okx"])
def test_each_venue_is_scanned_every_minute_and_a_scan_expires_before_the_next(venue: str) -> None:
    interest, volume = (PeriodicTask.objects.get(name=f"monitors.scan_{kind} {venue}") for kind in ("open_interest", "volume"))
    assert (interest.interval.every, interest.interval.period) == (60, "seconds")
    assert (volume.crontab.minute, volume.crontab.hour, str(volume.crontab.timezone)) == ("*", "*", "UTC")
    for row in (interest, volume):
        assert (row.args, row.queue, row.priority, row.enabled) == (f'["{venue}"]', "scans", 6, True)
        assert row.expire_seconds < 60


@pytest.mark.django_db
def test_an_operators_edit_survives_the_next_start() -> None:
    PeriodicTask.objects.filter(name="alerts.sweep").update(enabled=False)
    call_command("migrate", verbosity=0)
    assert not PeriodicTask.objects.get(name="alerts.sweep").enabled
