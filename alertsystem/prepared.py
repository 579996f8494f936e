"""How is a query compiled once and run many times? Django works out the SQL anew for every run, which takes ten times as long as running it.

For the queries between a signal and its message only. `Given("name")` stands where a plain queryset would have a value:
    UNREAD = Prepared(lambda: Signal.objects.filter(fingerprint=Given("fingerprint"), decided_at=None))
    UNREAD.rows(fingerprint="BTC:LONG")
"""

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from datetime import datetime
from decimal import Decimal
from functools import cache, cached_property
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Expression, Model, QuerySet
from django.db.models.sql import UpdateQuery

Row = TypeVar("Row")
Sql = tuple[str, tuple[Any, ...]]


class Given(Expression):
    """A value that each run gives by this name; None is not one of them, for SQL compares with it in other words."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Its place in the statement."""
        return "%s", (self,)


class Prepared(Generic[Row]):
    """A query; `build` is called at the first run, as the kind of database is known only then."""

    def __init__(self, build: Callable[[], "QuerySet[Any, Row]"]) -> None:
        self._build = build

    @cached_property
    def _queryset(self) -> "QuerySet[Any, Row]":
        return self._build()

    @cached_property
    def _compiled(self) -> tuple[Any, Sql]:
        compiler: Any = self._queryset.query.get_compiler(connection=connection)
        return compiler, compiler.as_sql()

    @cached_property
    def _converters(self) -> Any:
        compiler, _ = self._compiled
        return compiler.get_converters([column[0] for column in compiler.select[0 : compiler.col_count]])

    def sql(self, **values: object) -> Sql:
        """The statement and its parameters, to be part of a larger one."""
        _, (sql, params) = self._compiled
        return sql, filled(params, values)

    def rows(self, **values: object) -> list[Row]:
        """What the query finds now."""
        statement = self.sql(**values)
        compiler = copy(self._compiled[0])
        compiler.connection = connection
        compiler.as_sql = lambda *_, **__: statement
        compiler.get_converters = lambda _: self._converters
        query: Any = copy(self._queryset.query)
        query.get_compiler = lambda *_, **__: compiler
        found: QuerySet[Any, Row] = QuerySet(self._queryset.model, query)
        found._iterable_class = self._queryset._iterable_class
        return list(found)

    def first(self, **values: object) -> Row | None:
        """The first row; the query itself should ask for one only."""
        return next(iter(self.rows(**values)), None)


class PreparedUpdate:
    """An update of the rows that `build` selects; `changes` by field, given ones too."""

    def __init__(self, build: Callable[[], "QuerySet[Any, Any]"], **changes: object) -> None:
        self._build, self._changes = build, changes

    @cached_property
    def _compiled(self) -> Sql:
        query: Any = self._build().query.chain(UpdateQuery)
        query.add_update_values(self._changes)
        sql: Sql = query.get_compiler(connection=connection).as_sql()
        return sql

    def run(self, **values: object) -> int:
        """Change the rows; return how many."""
        sql, params = self._compiled
        with connection.cursor() as cursor:
            cursor.execute(sql, filled(params, values))
            return int(cursor.rowcount)


def insert(row: Model) -> None:
    """Write a new row whose id the database gives, as `row.save()` does, without signals."""
    sql, fields = _inserting(type(row))
    with connection.cursor() as cursor:
        cursor.execute(sql, [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields])
        row.pk = cursor.fetchone()[0]
    row._state.adding, row._state.db = False, connection.alias


@cache
def _inserting(model: type[Model]) -> tuple[str, Sequence[Any]]:
    """The statement for one row, and the fields whose values it takes."""
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    places = ", ".join("%s" for _ in fields)
    return f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({columns}) VALUES ({places}) RETURNING id", fields


def filled(params: Iterable[Any], values: dict[str, object]) -> tuple[Any, ...]:
    """The parameters with what was given in its places; KeyError when something was not."""
    return tuple(_stored(values[param.name]) if isinstance(param, Given) else param for param in params)


def _stored(value: object) -> object:
    """As the database's driver takes it."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, Decimal):
        return f"{value:f}" if connection.vendor == "sqlite" else value
    return value
