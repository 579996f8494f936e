"""`manage.py thresholds` prints the rules in force, for people and for programs."""

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from alertsystem.env import PROJECT_DIR
from monitors.models import ThresholdRule

pytestmark = pytest.mark.django_db

KEYS = ["kind", "asset", "low", "moderate", "high", "extreme", "window_s", "min_events", "min_venues", "min_usd", "cooldown_s", "enabled"]
K, M = 1_000, 1_000_000
SEEDED = {
    ("liquidation", "BTC"): (400 * K, 1.2 * M, 4 * M, 10 * M, 1),
    ("liquidation", "ETH"): (300 * K, 1 * M, 3 * M, 8 * M, 1),
    ("liquidation", "SOL"): (120 * K, 400 * K, 1.2 * M, 3 * M, 1),
    ("liquidation", ""): (60 * K, 250 * K, 800 * K, 2.5 * M, 1),
    ("cascade", "BTC"): (500 * K, 1.5 * M, 5 * M, 12 * M, 5),
    ("cascade", "ETH"): (400 * K, 1.5 * M, 4 * M, 10 * M, 5),
    ("cascade", "SOL"): (150 * K, 500 * K, 1.5 * M, 4 * M, 4),
    ("cascade", ""): (75 * K, 300 * K, 1 * M, 3 * M, 5),
}


def printed(*options: str) -> str:
    output = StringIO()
    call_command("thresholds", *options, stdout=output)
    return output.getvalue()


def test_the_seeded_rules_are_the_documented_table() -> None:
    rules: list[dict[str, Any]] = json.loads(printed("--json"))
    first_kinds = {(rule["kind"], rule["asset"]): rule for rule in rules if rule["kind"] in ("liquidation", "cascade")}
    assert set(first_kinds) == set(SEEDED)
    for key, (low, moderate, high, extreme, min_events) in SEEDED.items():
        rule = first_kinds[key]
        assert list(rule) == KEYS
        assert [rule[name] for name in ("low", "moderate", "high", "extreme", "min_events")] == [low, moderate, high, extreme, min_events]
        assert [rule[name] for name in ("window_s", "min_venues", "min_usd", "cooldown_s", "enabled")] == [30, 1, 0, 300, True]


def test_values_are_json_numbers_in_the_order_of_kind_and_asset() -> None:
    rules = json.loads(printed("--json"))
    assert [(rule["kind"], rule["asset"]) for rule in rules] == sorted((rule["kind"], rule["asset"]) for rule in rules)
    assert all(isinstance(rule[name], int) for rule in rules for name in KEYS[2:11] if rule["kind"] == "cascade")


def test_a_fraction_is_kept_as_it_was_stored() -> None:
    ThresholdRule.objects.filter(kind="cascade", asset="BTC").update(low="0.55")
    btc = next(rule for rule in json.loads(printed("--json")) if (rule["kind"], rule["asset"]) == ("cascade", "BTC"))
    assert btc["low"] == 0.55


def test_the_table_for_people_shows_dollars_and_what_is_switched_off() -> None:
    ThresholdRule.objects.filter(kind="liquidation", asset="ETH").update(enabled=False)
    lines = printed().splitlines()
    row = next(line for line in lines if line.startswith("liquidation") and " ETH " in line)
    assert "$300,000" in row and "$8,000,000" in row and row.endswith("off")
    assert any("any other" in line for line in lines)


def test_without_a_database_the_seeded_rules_are_printed_and_none_is_made(tmp_path: Path) -> None:
    env = {**os.environ, "DATA_DIR": str(tmp_path), "DATABASE_URL": "", "DJANGO_SETTINGS_MODULE": "alertsystem.settings"}
    done = subprocess.run([sys.executable, "manage.py", "thresholds", "--json"], cwd=PROJECT_DIR, env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == json.loads(printed("--json"))
    assert not list(tmp_path.glob("*.sqlite3"))
