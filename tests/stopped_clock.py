"""What time is it for a process under test? What a file says: `python -m tests.stopped_clock FILE run_bot` is manage.py with a clock that stands still."""

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from django.core.management import execute_from_command_line
from django.utils import timezone


def write(file: Path, moment: datetime) -> None:
    """Set the clock, in one move: a process may look at any time."""
    fresh = file.with_suffix(".new")
    fresh.write_text(str(moment.timestamp()))
    os.replace(fresh, file)


def reader(file: Path) -> Callable[[], datetime]:
    """Django's `timezone.now` by the file."""
    return lambda: datetime.fromtimestamp(float(file.read_text()), UTC)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alertsystem.settings")
    timezone.now = reader(Path(sys.argv[1]))
    execute_from_command_line(["manage.py", *sys.argv[2:]])
