"""How is SQL run that is always the same but for some values? PostgreSQL parses and plans it once a connection.

`Given("name")` stands among a statement's parameters where each run has a value of its own.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connection
from django.db.models import BooleanField, Expression, F
from psycopg2.extensions import AsIs

Sql = tuple[str, tuple[Any, ...]]
_numbers = itertools.count(1)
_known: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()  # by PostgreSQL connection: the names of what it has prepared


class Given(Expression):
    """A value that each run gives by this name; None is not one of them where it is compared, for SQL compares with it in other words.

    `decides_plan`: what PostgreSQL does best depends on the value, so it plans the statement anew each time.
    """

    def __init__(self, name: str, *, decides_plan: bool = False) -> None:
        super().__init__()
        self.name, self.decides_plan = name, decides_plan

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Its place in the statement."""
        return "%s", (self,)


class Among(Expression):
    """Whether a column's number is one of those that a run gives by this name, as `numbers` writes them."""

    conditional = True

    def __init__(self, column: str, name: str) -> None:
        super().__init__(output_field=BooleanField())
        self._column, self._given = F(column), Given(name, decides_plan=True)

    def get_source_expressions(self) -> list[Any]:
        """The parts that Django resolves."""
        return [self._column, self._given]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        """The parts, resolved."""
        self._column, self._given = exprs

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """As this kind of database understands it."""
        column, params = compiler.compile(self._column)
        listed = "= ANY(%s::bigint[])" if connection.vendor == "postgresql" else "IN (SELECT value FROM json_each(%s))"
        return f"{column} {listed}", (*params, self._given)


def numbers(found: Iterable[int]) -> str:
    """Numbers for `Among`."""
    listed = ",".join(map(str, found))
    return f"{{{listed}}}" if connection.vendor == "postgresql" else f"[{listed}]"


class Statement:
    """One statement with `%s` in it, and what stands there: constants as the driver takes them, and `Given`."""

    def __init__(self, sql: str, params: Iterable[Any]) -> None:
        self.sql, self.params = sql, tuple(params)
        self._name = f"statement_{next(_numbers)}"
        self._planned_anew = any(isinstance(param, Given) and param.decides_plan for param in self.params)
        self._given = [param.name for param in self.params if isinstance(param, Given)]

    @cached_property
    def _execute(self) -> str:
        return f"EXECUTE {self._name} ({', '.join('%s' for _ in self._given)})" if self._given else f"EXECUTE {self._name}"

    def run(self, cursor: Any, values: Mapping[str, object]) -> None:
        """Execute it; KeyError when a value was not given."""
        cursor.execute(*self._called(cursor, values))

    def _called(self, cursor: Any, values: Mapping[str, object]) -> Sql:
        """What `cursor` has to execute."""
        if self._planned_anew or connection.vendor != "postgresql":
            return self.sql, tuple(_stored(values[param.name]) if isinstance(param, Given) else param for param in self.params)
        self._prepare(cursor)
        return self._execute, tuple(values[name] for name in self._given)

    def _prepare(self, cursor: Any) -> None:
        """Let PostgreSQL know it. Constants stand in its text, so that the planner knows which partial index serves."""
        known = _known.setdefault(connection.connection, set())
        if self._name not in known:
            places = (AsIs(f"${number}") for number in itertools.count(1))
            text = cursor.mogrify(self.sql, [next(places) if isinstance(param, Given) else param for param in self.params]).decode()
            cursor.execute(f"PREPARE {self._name} AS {text}")
            known.add(self._name)


def run_together(*calls: tuple[Statement, Mapping[str, object]]) -> tuple[Any, ...] | None:
    """Execute several statements, for PostgreSQL in one message; the first row of what the last one returns."""
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            for statement, values in calls:
                statement.run(cursor, values)
        else:
            executed = [statement._called(cursor, values) for statement, values in calls]
            cursor.execute("; ".join(sql for sql, _ in executed), [param for _, params in executed for param in params])
        row: tuple[Any, ...] | None = cursor.fetchone() if cursor.description else None
        return row


def _stored(value: object) -> object:
    """As the driver takes it."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return f"{value:f}" if isinstance(value, Decimal) and connection.vendor == "sqlite" else value
