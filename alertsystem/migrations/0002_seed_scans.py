"""When are the venues scanned? Rows for open interest and volume, one a venue, that the operator may edit."""

import json

from django.db import migrations

VENUES = ("binance", "bybit", "okx")
QUEUE, PRIORITY = "scans", 6
EXPIRES_S = 50  # before the next one is sent


def seed(apps, schema_editor):
    IntervalSchedule = apps.get_model("django_celery_beat", "IntervalSchedule")
    CrontabSchedule = apps.get_model("django_celery_beat", "CrontabSchedule")
    every_minute = {"every": 60, "period": "seconds"}
    interval = IntervalSchedule.objects.filter(**every_minute).first() or IntervalSchedule.objects.create(**every_minute)
    # On the minute, so that the one at the end of a 5-minute candle waits just the 5 s until the candle is settled
    at = {"minute": "*", "hour": "*", "day_of_week": "*", "day_of_month": "*", "month_of_year": "*", "timezone": "UTC"}
    minutes = CrontabSchedule.objects.filter(**at).first() or CrontabSchedule.objects.create(**at)
    for venue in VENUES:
        _seed(apps, "monitors.scan_open_interest", venue, interval=interval)
        _seed(apps, "monitors.scan_volume", venue, crontab=minutes)


def _seed(apps, task, venue, **schedule):
    row = {"task": task, "args": json.dumps([venue]), "queue": QUEUE, "priority": PRIORITY, "expire_seconds": EXPIRES_S, **schedule}
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(name=f"{task} {venue}", defaults=row)


def unseed(apps, schema_editor):
    names = [f"{task} {venue}" for task in ("monitors.scan_open_interest", "monitors.scan_volume") for venue in VENUES]
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name__in=names).delete()


class Migration(migrations.Migration):
    dependencies = [("alertsystem", "0001_seed_schedule")]

    operations = [migrations.RunPython(seed, unseed)]
