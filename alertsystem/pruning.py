"""How are many old rows deleted? A chunk at a time, so that no writer waits long, and a slice of time at once."""

import time
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from alertsystem import ending

CHUNK = 2_000  # rows at a time
SLICE_S = 25.0  # a task must stay under its time limit; what is left follows in the next slice


def delete(chunks: "Iterator[QuerySet[Any]]", slice_s: float) -> tuple[int, bool]:
    """Delete chunk after chunk while there is time; returns how many rows went, and whether that was all."""
    until = time.monotonic() + slice_s
    deleted = 0
    for chunk in chunks:
        if time.monotonic() >= until or ending.is_ending():
            return deleted, False
        deleted += chunk.delete()[0]
    return deleted, True


def chunks_of(rows: "QuerySet[Any]") -> "Iterator[QuerySet[Any]]":
    """These rows, a chunk at a time; each has to be gone when the next is asked for."""
    while keys := list(rows.order_by().values_list("pk", flat=True)[:CHUNK]):
        yield rows.model._default_manager.filter(pk__in=keys)
