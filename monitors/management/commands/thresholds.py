"""Which thresholds are in force? `manage.py thresholds` prints them for people, `--json` for programs and `replay --rules`."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from monitors import selectors
from monitors.market import UNIT_OF_KIND, Unit
from monitors.rulefile import as_object, plain_number
from monitors.thresholds import Rule

HEAD = ("kind", "asset", "LOW", "MODERATE", "HIGH", "EXTREME", "window", "events", "venues", "at least", "cooldown", "")


class Command(BaseCommand):
    """The rules of the database, by kind and asset; the seeded ones while there is none."""

    requires_system_checks: list[str] = []  # the database may not even exist
    help = "Print the threshold rules: a table, or with --json a list of objects."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One option: the format."""
        parser.add_argument("--json", action="store_true", help="a JSON list, values in dollars or percent (4.2 is 4.2 %%)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print all rules, also the ones that are switched off."""
        found, note = selectors.all_rules()
        if note:
            self.stderr.write(note)
        rules = sorted(found, key=lambda rule: (rule.kind, rule.asset))
        self.stdout.write(json.dumps([as_object(rule) for rule in rules], indent=2) if options["json"] else as_table(rules))


def as_table(rules: list[Rule]) -> str:
    """The rules in columns, as wide as needed."""
    rows = [HEAD, *(_cells(rule) for rule in rules)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def _cells(rule: Rule) -> tuple[str, ...]:
    sign = "$" if UNIT_OF_KIND[rule.kind] is Unit.USD else ""
    percent = "" if sign else " %"
    ladder = [f"{sign}{plain_number(value):,}{percent}" for value in (rule.low, rule.moderate, rule.high, rule.extreme)]
    guards = [f"{rule.window_s} s", str(rule.min_events), str(rule.min_venues), f"${plain_number(rule.min_usd):,}", f"{rule.cooldown_s} s"]
    return (rule.kind.value, rule.asset or "any other", *ladder, *guards, "" if rule.enabled else "off")
