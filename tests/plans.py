"""Which tables does a piece of work read whole? SQLite tells how it finds the rows of each statement; PostgreSQL reads small tables whole anyway."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

STEP = re.compile(r"SCAN (?P<table>\w+)(?: USING (?:COVERING )?INDEX (?P<index>\w+))?")


def read_whole(work: Callable[[], object]) -> list[str]:
    """The tables, of which SQLite reads neither a part by an index nor the rows of a partial one; skips the test on another database."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL's plan depends on how large its tables are")
    asked: list[tuple[str, Any]] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        work()
    return sorted({table for sql, params in asked if sql.lstrip()[:6] in ("SELECT", "UPDATE", "DELETE", "INSERT") for table in _read_whole(sql, params)})


def _read_whole(sql: str, params: Any) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
        for *_, step in cursor.fetchall():
            found = STEP.match(step)
            if found and not _is_partial(found["index"]):
                alias = re.search(rf'"(\w+)" {found["table"]}\b', sql)
                yield alias[1] if alias else found["table"]


def _is_partial(index: str | None) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [index])
        row = cursor.fetchone()
    return row is not None and " WHERE " in (row[0] or "")
