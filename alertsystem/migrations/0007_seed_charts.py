"""When is it looked for charts that are wanted? A row that the operator may edit."""

from django.db import migrations

TASK = "alerts.follow_up_charts"
ROW = {"task": TASK, "queue": "housekeeping", "priority": 6, "expire_seconds": 5}


def seed(apps, schema_editor):
    IntervalSchedule = apps.get_model("django_celery_beat", "IntervalSchedule")
    times = {"every": 5, "period": "seconds"}
    interval = IntervalSchedule.objects.filter(**times).first() or IntervalSchedule.objects.create(**times)
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(name=TASK, defaults={**ROW, "interval": interval})


def unseed(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name=TASK).delete()


class Migration(migrations.Migration):
    dependencies = [("alertsystem", "0006_seed_digests")]

    operations = [migrations.RunPython(seed, unseed)]
