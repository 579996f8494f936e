"""When is the past filled in and looked at? Rows for the backfill and for the assets' own ladders, that the operator may edit."""

from django.db import migrations

SCHEDULE = [  # task, every s, expires after s
    ("monitors.backfill", 60, 50),  # a slice; returns at once when nothing is missing
    ("monitors.update_own_histories", 600, 550),  # each asset once an hour, or when its past has been filled in
]
QUEUE, PRIORITY = "scans", 9


def seed(apps, schema_editor):
    IntervalSchedule = apps.get_model("django_celery_beat", "IntervalSchedule")
    PeriodicTask = apps.get_model("django_celery_beat", "PeriodicTask")
    for task, every_s, expires_s in SCHEDULE:
        times = {"every": every_s, "period": "seconds"}
        interval = IntervalSchedule.objects.filter(**times).first() or IntervalSchedule.objects.create(**times)
        row = {"task": task, "interval": interval, "queue": QUEUE, "priority": PRIORITY, "expire_seconds": expires_s}
        PeriodicTask.objects.get_or_create(name=task, defaults=row)


def unseed(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name__in=[row[0] for row in SCHEDULE]).delete()


class Migration(migrations.Migration):
    dependencies = [("alertsystem", "0002_seed_scans")]

    operations = [migrations.RunPython(seed, unseed)]
