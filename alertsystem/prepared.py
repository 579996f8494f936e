"""How is a query compiled once and run many times? Django works out the SQL anew for every run, which takes ten times as long as running it.

For the queries between a signal and its message only. `Given("name")` stands where a plain queryset would have a value:
    UNREAD = Prepared(lambda: Signal.objects.filter(fingerprint=Given("fingerprint"), decided_at=None))
    UNREAD.rows(fingerprint="BTC:LONG")
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from operator import itemgetter
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models import query as queries
from django.db.models.query import FlatValuesListIterable, ModelIterable
from django.db.models.sql import UpdateQuery

from alertsystem.statements import Given as Given
from alertsystem.statements import Statement, run_together

Row = TypeVar("Row")
Call = tuple[Statement, Mapping[str, object]]


class Prepared(Generic[Row]):
    """A query; `build` is called at the first run, as the kind of database is known only then."""

    def __init__(self, build: Callable[[], "QuerySet[Any, Row]"]) -> None:
        self._build = build

    @cached_property
    def _compiled(self) -> tuple[Statement, Any, Callable[[Sequence[Any]], Row]]:
        queryset = self._build()
        compiler: Any = queryset.query.get_compiler(connection=connection)
        statement = Statement(*compiler.as_sql())
        return statement, compiler, _maker(compiler, queryset._iterable_class)

    def rows(self, **values: object) -> list[Row]:
        """What the query finds now."""
        statement, compiler, make = self._compiled
        with connection.cursor() as cursor:
            statement.run(cursor, values)
            found = cursor.fetchall()
        if found and (converters := self._converters):
            found = compiler.apply_converters(found, converters)
        return [make(row) for row in found]

    @cached_property
    def _converters(self) -> Any:
        _, compiler, _ = self._compiled
        return compiler.get_converters([column[0] for column in compiler.select[: compiler.col_count]])

    def first(self, **values: object) -> Row | None:
        """The first row; the query itself should ask for one only."""
        return next(iter(self.rows(**values)), None)

    def call(self, **values: object) -> Call:
        """For `run_together`."""
        return self._compiled[0], values


class PreparedUpdate:
    """An update of the rows that `build` selects; `changes` by field, given ones too."""

    def __init__(self, build: Callable[[], "QuerySet[Any, Any]"], **changes: object) -> None:
        self._build, self._changes = build, changes

    @cached_property
    def _statement(self) -> Statement:
        query: Any = self._build().query.chain(UpdateQuery)
        query.add_update_values(self._changes)
        return Statement(*query.get_compiler(connection=connection).as_sql())

    def run(self, **values: object) -> int:
        """Change the rows; return how many."""
        with connection.cursor() as cursor:
            self._statement.run(cursor, values)
            return int(cursor.rowcount)

    def call(self, **values: object) -> Call:
        """For `run_together`."""
        return self._statement, values


def insert(row: Model, *before: Call) -> None:
    """Write a new row whose id the database gives, as `row.save()` does, without signals; `before` are executed just before it (see `run_together`)."""
    written = run_together(*before, inserting(row))
    assert written is not None
    row.pk = written[0]
    row._state.adding, row._state.db = False, connection.alias


def inserting(row: Model, *, once: bool = False) -> Call:
    """What writes a new row; it does not learn its id. With `once` one that is there already stays as it is."""
    statement, fields = _inserting(type(row), once)
    return statement, {field.name: field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields}


@cache
def _inserting(model: type[Model], once: bool) -> tuple[Statement, Sequence[Any]]:
    """The statement for one row, and the fields whose values it takes."""
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    places, twice = ", ".join("%s" for _ in fields), "ON CONFLICT DO NOTHING" if once else ""
    sql = f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({columns}) VALUES ({places}) {twice} RETURNING id"
    return Statement(sql, [Given(field.name) for field in fields]), fields


def _maker(compiler: Any, kind: type) -> Callable[[Sequence[Any]], Any]:
    """What turns a row of the answer into what the query is asked for, as `kind`, Django's own iterable, does."""
    if issubclass(kind, FlatValuesListIterable):
        return itemgetter(0)
    if not issubclass(kind, ModelIterable):
        return tuple
    model, places = compiler.klass_info["model"], compiler.klass_info["select_fields"]
    own = slice(places[0], places[-1] + 1)
    names = [column[0].target.attname for column in compiler.select[own]]
    populators_of: Any = queries.get_related_populators
    related, annotations = populators_of(compiler.klass_info, compiler.select, connection.alias), compiler.annotation_col_map or {}

    def make(row: Sequence[Any]) -> Any:
        made = model.from_db(connection.alias, names, row[own])
        for populator in related:
            populator.populate(row, made)
        for name, place in annotations.items():
            setattr(made, name, row[place])
        return made

    return make
