"""Which thresholds do the scans start with? The ladders for open interest and volume; from then on they belong to the admin."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

M = 1_000_000
OPEN_INTEREST = {"window_s": 900, "min_events": 1, "min_venues": 2, "cooldown_s": 900}
VOLUME = {"window_s": 300, "min_events": 1, "min_venues": 2, "cooldown_s": 600}

# kind, asset ("" = any other), LOW, MODERATE, HIGH, EXTREME in percent, dollars at least (open interest: of each venue; volume: in the candle)
LADDERS = [
    ("open_interest", "BTC", "0.55", "1.05", "2.2", "5", 50 * M, OPEN_INTEREST),
    ("open_interest", "ETH", "0.6", "1.2", "2.5", "7", 25 * M, OPEN_INTEREST),
    ("open_interest", "SOL", "0.65", "1.2", "2.6", "7", 10 * M, OPEN_INTEREST),
    ("open_interest", "", "0.9", "1.7", "3.8", "12", 5 * M, OPEN_INTEREST),
    ("volume", "BTC", "400", "900", "2200", "7000", 150 * M, VOLUME),
    ("volume", "ETH", "400", "900", "2200", "7000", 100 * M, VOLUME),
    ("volume", "SOL", "400", "900", "2200", "7000", 30 * M, VOLUME),
    ("volume", "", "400", "900", "2200", "7000", 3 * M, VOLUME),
]


def seed(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    """Write the rules that are not there yet."""
    rules = apps.get_model("monitors", "ThresholdRule").objects
    for kind, asset, low, moderate, high, extreme, min_usd, rest in LADDERS:
        ladder = {"low": low, "moderate": moderate, "high": high, "extreme": extreme}
        rules.get_or_create(kind=kind, asset=asset, defaults={**ladder, "min_usd": min_usd, **rest})


class Migration(migrations.Migration):
    """Data only; going back leaves the operator's rules alone."""

    dependencies = [("monitors", "0002_seed_thresholds")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
