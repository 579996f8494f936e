"""Is this worker about to end? One byte of memory that a worker shares with the processes of its pool.

Told to end, Celery waits for the tasks under way, and its pool hears nothing of it: a task that can end early has to ask.
"""

import mmap
from typing import Any

from celery.signals import worker_shutting_down

_told = mmap.mmap(-1, 1)  # anonymous and shared: processes forked later see what the worker writes


def is_ending() -> bool:
    """Whether the worker of this process was told to end; False in any other process."""
    return _told[0] != 0


@worker_shutting_down.connect
def _remember(**_: Any) -> None:
    _told[0] = 1
