"""When are old alerts deleted, where the operator wants that? A row that the operator may edit."""

from django.db import migrations

TASK = "alerts.prune"
ROW = {"task": TASK, "queue": "housekeeping", "priority": 9, "expire_seconds": 43_200}


def seed(apps, schema_editor):
    IntervalSchedule = apps.get_model("django_celery_beat", "IntervalSchedule")
    times = {"every": 1, "period": "days"}
    interval = IntervalSchedule.objects.filter(**times).first() or IntervalSchedule.objects.create(**times)
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(name=TASK, defaults={**ROW, "interval": interval})


def unseed(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name=TASK).delete()


class Migration(migrations.Migration):
    dependencies = [("alertsystem", "0004_seed_housekeeping")]

    operations = [migrations.RunPython(seed, unseed)]
