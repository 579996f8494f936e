"""How often does each level fire? `manage.py fit_thresholds FOLDER` replays recordings with the seeded rules and writes docs/thresholds.md."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from alerts.rates import Measured, measure
from alerts.thresholds_page import off, page
from alertsystem.env import PROJECT_DIR
from monitors import rulefile
from monitors.recording import UnreadableRecording
from monitors.thresholds import Rulebook

PAGE = PROJECT_DIR / "docs" / "thresholds.md"


class Command(BaseCommand):
    """Neither the database nor its rules are looked at: the page is about what a new database starts with."""

    help = "Replay every recording of a folder with the seeded threshold rules and write how often each level fires."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where the recordings are and where the page goes."""
        parser.add_argument("folder", type=Path, nargs="?", help="a folder of recordings (.jsonl or .jsonl.gz)")
        parser.add_argument("--page", type=Path, default=PAGE, metavar="FILE", help="where to write (default docs/thresholds.md)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the page, and say which rates are off."""
        recordings = _recordings(options["folder"])
        rules = rulefile.seeded()
        measured = [self._measure(path, Rulebook.of(rules)) for path in recordings]
        path: Path = options["page"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(rules, measured), encoding="utf-8")
        self.stdout.write(f"{path} written, from {len(recordings)} recordings")

    def _measure(self, path: Path, rulebook: Rulebook) -> Measured:
        self.stdout.write(f"{path.name} ...")
        try:
            measured = measure(path, rulebook)
        except (OSError, UnreadableRecording) as error:
            raise CommandError(str(error)) from None
        for rate in measured.rates:
            for level in off(rate):
                self.stdout.write(f"  {rate.kind.value} {rate.asset or 'any other'}: {level.name} {rate.a_day(level):.2f} a day")
        return measured


def _recordings(folder: Path | None) -> list[Path]:
    if folder is None:
        raise CommandError("name a folder of recordings: make thresholds RECORDINGS_DIR=/path/to/recordings")
    found = sorted(path for path in folder.glob("*") if path.name.endswith((".jsonl", ".jsonl.gz")))
    if not found:
        raise CommandError(f"{folder}: no recordings (.jsonl, .jsonl.gz) are there")
    return found
