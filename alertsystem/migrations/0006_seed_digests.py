"""When is it looked at what holds have ended? A row that the operator may edit."""

from django.db import migrations

TASK = "alerts.tell_held"
ROW = {"task": TASK, "queue": "scans", "priority": 3, "expire_seconds": 10}


def seed(apps, schema_editor):
    IntervalSchedule = apps.get_model("django_celery_beat", "IntervalSchedule")
    times = {"every": 5, "period": "seconds"}
    interval = IntervalSchedule.objects.filter(**times).first() or IntervalSchedule.objects.create(**times)
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(name=TASK, defaults={**ROW, "interval": interval})


def unseed(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name=TASK).delete()


class Migration(migrations.Migration):
    dependencies = [("alertsystem", "0005_seed_alerts_prune")]

    operations = [migrations.RunPython(seed, unseed)]
