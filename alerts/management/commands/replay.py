"""What would a recording have raised? `manage.py replay FILE` runs it through the live detectors and the live trigger rules."""

import json
import os
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from alerts.replay import Event, Replay, venues_of_assets
from monitors import rulefile, selectors
from monitors.recording import Arrival, BrokenLine, RecordingReader, UnreadableRecording
from monitors.thresholds import Rulebook

BROKEN_LINES_SHOWN = 20


class Command(BaseCommand):
    """The clock is the recording's; nothing is written to the database and nobody is told."""

    help = "Replay a recording (.jsonl or .jsonl.gz) with the system's threshold rules."
    requires_system_checks: list[str] = []  # no models are written; the database may not even exist
    _broken = 0  # lines

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, the pace, the format and the rules."""
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--speed", type=_speed, default=None, metavar="X|max", help="1 is the recorded pace, 60 a minute a second; max (default) does not wait"
        )
        parser.add_argument("--json", action="store_true", help="JSON lines, one for each event; warnings go to standard error")
        parser.add_argument("--rules", type=Path, help="a file as `thresholds --json` prints it, instead of the database's rules")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print each event as it comes."""
        path: Path = options["file"]
        try:
            rulebook = self._rulebook(options["rules"])
            first = RecordingReader(path)
            listed = venues_of_assets(first.header, (line for line in first if isinstance(line, Arrival)))
            reader = RecordingReader(path)
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from None
        except (UnreadableRecording, rulefile.BadRules) as error:
            raise CommandError(str(error)) from None
        replay = Replay(reader.header, rulebook, listed, self._complain)
        try:
            for event in replay.run(_paced(self._sound(reader), options["speed"])):
                self.stdout.write(_as_line(event) if options["json"] else f"{event.text}\n\n")
                if options["speed"]:
                    self.stdout.flush()
        except BrokenPipeError:  # `| head` has read enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return
        if self._broken > BROKEN_LINES_SHOWN:
            self.stderr.write(f"{self._broken} broken lines in all")
        for what, count in sorted(replay.skipped.items()):
            self.stderr.write(f"not counted: {count} x {what}")

    def _sound(self, reader: RecordingReader) -> Iterator[Arrival]:
        for line in reader:
            if isinstance(line, Arrival):
                yield line
            else:
                self._complain(line)

    def _complain(self, line: BrokenLine) -> None:
        self._broken += 1
        if self._broken <= BROKEN_LINES_SHOWN:
            self.stderr.write(f"line {line.number}: {line.problem}; skipped")

    def _rulebook(self, path: Path | None) -> Rulebook:
        if path is not None:
            return Rulebook.of(rulefile.read(path))
        rules, note = selectors.all_rules()
        if note:
            self.stderr.write(note)
        return Rulebook.of(rules)


def _as_line(event: Event) -> str:
    return json.dumps(event.as_json(), ensure_ascii=False, separators=(",", ":"))


def _paced(arrivals: Iterable[Arrival], speed: float | None) -> Iterator[Arrival]:
    """At `speed` times the recorded pace; None does not wait."""
    started_s, first_ms = time.monotonic(), None
    for arrival in arrivals:
        if speed is not None:
            first_ms = arrival.at_ms if first_ms is None else first_ms
            time.sleep(max(0.0, (arrival.at_ms - first_ms) / 1000 / speed - (time.monotonic() - started_s)))
        yield arrival


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise ArgumentTypeError("a number above 0, or max")
    return speed
