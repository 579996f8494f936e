"""What everybody wants now is the first entry in the record of it, from their last change on."""

from typing import Any

from django.db import migrations


def record(apps: Any, _: object) -> None:
    """One entry a subscriber, as `subscribers/snapshots.py` writes it."""
    change = apps.get_model("subscribers", "PreferenceChange")
    for row in apps.get_model("subscribers", "Subscriber").objects.prefetch_related("subscriptions"):
        choices = [
            {
                "kind": choice.kind,
                "asset": choice.asset,
                "lowest_severity": choice.lowest_severity,
                "custom_threshold": None if choice.custom_threshold is None else f"{choice.custom_threshold.normalize():f}",
                "direction": choice.direction,
            }
            for choice in sorted(row.subscriptions.all(), key=lambda choice: (choice.kind, choice.asset))
        ]
        wanted = {
            "active": row.active,
            "confirmed_only": row.confirmed_only,
            "capped": row.capped,
            "time_zone": row.time_zone,
            "choices": choices,
            "quiet": None,
            "mutes": [],
        }
        change.objects.create(subscriber=row, at=row.changed_at, wanted=wanted)


class Migration(migrations.Migration):
    dependencies = [("subscribers", "0002_choices_and_quiet")]
    operations = [migrations.RunPython(record, migrations.RunPython.noop)]
