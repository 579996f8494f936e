"""What runs when? The first schedule, as rows that the operator may edit."""

from django.db import migrations

SCHEDULE = [  # task, every, period, queue, priority, expires after s: a task that waited longer is sent again anyway
    ("alerts.sweep", 5, "seconds", "alerts", 6, 10),
    ("monitors.refresh_markets", 1, "hours", "scans", 9, 3600),
    ("monitors.prune", 1, "days", "scans", 9, 43_200),
]


def seed(apps, schema_editor):
    IntervalSchedule = apps.get_model("django_celery_beat", "IntervalSchedule")
    PeriodicTask = apps.get_model("django_celery_beat", "PeriodicTask")
    for task, every, period, queue, priority, expires_s in SCHEDULE:
        interval = IntervalSchedule.objects.filter(every=every, period=period).first() or IntervalSchedule.objects.create(every=every, period=period)
        PeriodicTask.objects.get_or_create(
            name=task, defaults={"task": task, "interval": interval, "queue": queue, "priority": priority, "expire_seconds": expires_s}
        )


def unseed(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name__in=[row[0] for row in SCHEDULE]).delete()


class Migration(migrations.Migration):
    dependencies = [("django_celery_beat", "0019_alter_periodictasks_options")]

    operations = [migrations.RunPython(seed, unseed)]
