"""How do threshold rules travel outside the database? As JSON objects: `thresholds --json` prints them, `replay --rules` reads them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from importlib import import_module
from math import isfinite
from pathlib import Path
from typing import Any

import orjson

from monitors.market import Kind
from monitors.rule_checks import RUNGS, ladder_problems, normal_asset
from monitors.thresholds import Rule

LIQUIDATIONS = {"window_s": 30, "min_venues": 1, "min_usd": Decimal(0), "cooldown_s": 300}  # of all seeded rules for them
WHOLE = ("window_s", "min_events", "min_venues", "cooldown_s")


class BadRules(ValueError):
    """A rule file that cannot be used; the message says which rule and why."""


def as_object(rule: Rule) -> dict[str, str | int | float | bool]:
    """The rule with plain JSON values; whole numbers stay whole."""
    ladder = {name: plain_number(getattr(rule, name)) for name in RUNGS}
    guards = {"window_s": rule.window_s, "min_events": rule.min_events, "min_venues": rule.min_venues, "min_usd": plain_number(rule.min_usd)}
    return {"kind": rule.kind.value, "asset": rule.asset, **ladder, **guards, "cooldown_s": rule.cooldown_s, "enabled": rule.enabled}


def plain_number(value: Decimal) -> int | float:
    """An int where nothing is behind the point."""
    return int(value) if value == value.to_integral_value() else float(value)


def read(path: Path) -> list[Rule]:
    """The rules of a file as `thresholds --json` prints them; raises BadRules, or OSError when there is no such file."""
    try:
        objects = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise BadRules(f"{path}: not JSON: {error}") from None
    if not isinstance(objects, list) or not all(isinstance(entry, dict) for entry in objects):
        raise BadRules(f"{path}: a list of objects is wanted, as `manage.py thresholds --json` prints it")
    return [_checked(entry, path) for entry in objects]


def of_object(entry: Mapping[str, Any]) -> Rule:
    """The rule of one object; raises KeyError or ValueError for what is missing or malformed."""
    low, moderate, high, extreme, min_usd = (_decimal(entry, field) for field in (*RUNGS, "min_usd"))
    window_s, min_events, min_venues, cooldown_s = (_whole(entry, field) for field in WHOLE)
    if type(entry["enabled"]) is not bool:
        raise ValueError(f"enabled: true or false is wanted, got {entry['enabled']!r}")
    asset = normal_asset(str(entry["asset"]))
    return Rule(Kind(entry["kind"]), asset, low, moderate, high, extreme, window_s, min_events, min_venues, min_usd, cooldown_s, entry["enabled"])


def seeded() -> list[Rule]:
    """The rules that a new database starts with, straight from the migrations that seed them."""
    liquidations = [_of_row(row, {"min_events": row[6], **LIQUIDATIONS}) for row in _ladders("0002_seed_thresholds")]
    return liquidations + [_of_row(row, {"min_usd": Decimal(row[6]), **row[7]}) for row in _ladders("0003_seed_scan_rules")]


def _ladders(migration: str) -> Any:
    return import_module(f"monitors.migrations.{migration}").LADDERS


def _of_row(row: Sequence[Any], rest: Mapping[str, Any]) -> Rule:
    low, moderate, high, extreme = map(Decimal, row[2:6])
    return Rule(Kind(row[0]), row[1], low, moderate, high, extreme, **rest)


def _checked(entry: Mapping[str, Any], path: Path) -> Rule:
    name = f"{path}: rule {entry.get('kind')} {entry.get('asset') or 'any other'}"
    try:
        rule = of_object(entry)
    except KeyError as error:
        raise BadRules(f"{name}: {error} is missing") from None
    except ValueError as error:
        raise BadRules(f"{name}: {error}") from None
    for field, problem in ladder_problems({field: getattr(rule, field) for field in RUNGS}).items():
        raise BadRules(f"{name}: {field}: {problem}")
    return rule


def _decimal(entry: Mapping[str, Any], field: str) -> Decimal:
    value = entry[field]
    if type(value) not in (int, float) or not isfinite(value):
        raise ValueError(f"{field}: a number is wanted, got {value!r}")
    return Decimal(str(value))


def _whole(entry: Mapping[str, Any], field: str) -> int:
    value = _decimal(entry, field)
    if value < 0 or value != value.to_integral_value():
        raise ValueError(f"{field}: a whole number is wanted, got {entry[field]!r}")
    return int(value)
