"""Which thresholds are there at first? The ladders for liquidations and cascades; from then on they belong to the admin."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

K, M = 1_000, 1_000_000

# kind, asset ("" = any other), LOW, MODERATE, HIGH, EXTREME in dollars, events at least
LADDERS = [
    ("liquidation", "BTC", 400 * K, 1_200 * K, 4 * M, 10 * M, 1),
    ("liquidation", "ETH", 300 * K, 1 * M, 3 * M, 8 * M, 1),
    ("liquidation", "SOL", 120 * K, 400 * K, 1_200 * K, 3 * M, 1),
    ("liquidation", "", 60 * K, 250 * K, 800 * K, 2_500 * K, 1),
    ("cascade", "BTC", 500 * K, 1_500 * K, 5 * M, 12 * M, 5),
    ("cascade", "ETH", 400 * K, 1_500 * K, 4 * M, 10 * M, 5),
    ("cascade", "SOL", 150 * K, 500 * K, 1_500 * K, 4 * M, 4),
    ("cascade", "", 75 * K, 300 * K, 1 * M, 3 * M, 5),
]


def seed(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    """Write the rules that are not there yet."""
    rules = apps.get_model("monitors", "ThresholdRule").objects
    for kind, asset, low, moderate, high, extreme, min_events in LADDERS:
        ladder = {"low": low, "moderate": moderate, "high": high, "extreme": extreme}
        rest = {"window_s": 30, "min_events": min_events, "min_venues": 1, "min_usd": 0, "cooldown_s": 300}
        rules.get_or_create(kind=kind, asset=asset, defaults=ladder | rest)


class Migration(migrations.Migration):
    """Data only; going back leaves the operator's rules alone."""

    dependencies = [("monitors", "0001_initial")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
