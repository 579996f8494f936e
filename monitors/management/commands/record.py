"""`manage.py record FILE`: write what the live feeds send, in the format that `replay` reads, until Ctrl-C."""

import signal
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from threading import Event
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from monitors.record import HOLD_MS, NOTE, Recorder
from monitors.record_rows import okx_markets
from monitors.recording import FEEDS
from monitors.recording_writer import RecordingWriter


class Command(BaseCommand):
    """Runs beside the system: liquidations come over connections of its own, open interest and candles from what the scans save."""

    help = "Record the live feeds (.jsonl, or packed as .jsonl.gz) until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, how long, and whether with the past."""
        parser.add_argument("file", type=Path, help="a new file; an existing one is never written over")
        parser.add_argument("--seconds", type=_seconds, metavar="N", help="stop after so long")
        parser.add_argument(
            "--past", action="store_true", help="begin with the stored 7 days of candles and hour of open interest that detection looks back on"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Record, then say how much."""
        stopping = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        path: Path = options["file"]
        markets = okx_markets()
        if "okx" in settings.VENUES and not markets["okx"]:
            self.stderr.write("OKX's contract sizes are not known yet (the system refreshes them at its start): a replay cannot count its liquidations")
        source = f"recorded live from {', '.join(settings.VENUES)} at {timezone.now():%Y-%m-%d %H:%M:%S} UTC"
        try:
            writer = RecordingWriter(path, markets, source, NOTE, HOLD_MS)
        except FileExistsError:
            raise CommandError(f"{path} exists already: name another file") from None
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from None
        with writer:
            recorder = Recorder(writer, stopping)
            self.stderr.write(f"Recording into {path} until Ctrl-C")
            recorder.run(options["seconds"], options["past"])
        written = ", ".join(f"{writer.counts[feed]} {feed.replace('_', ' ')}" for feed in FEEDS)
        skipped = f"; {recorder.skipped} frames were not understood" if recorder.skipped else ""
        self.stdout.write(f"{path}: {written}{skipped}")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ArgumentTypeError("a number of seconds above 0")
    return seconds
