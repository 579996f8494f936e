"""How are many rows written at once, and cheaply? With no model instance for each, and with SQL that is put together once."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from django.db import connection, models, transaction

Convert = Callable[[Any], Any]


class BulkInsert:
    """Writes rows of a model, each given as the values of these fields, in their order; only what may be empty and the id can be left out."""

    def __init__(self, model: type[models.Model], *names: str) -> None:
        self._table = model._meta.db_table
        self._fields: list[Any] = [model._meta.get_field(name) for name in names]

    def write(self, rows: Sequence[Sequence[object]]) -> None:
        """All of them or none; one that is there already stays as it is. Raises DatabaseError."""
        stored: Any = [[value if convert is None else convert(value) for value, convert in zip(row, self._converters, strict=True)] for row in rows]
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":  # takes a limited number of parameters in one statement
                with transaction.atomic():
                    cursor.executemany(f"{self._head} {self._places} ON CONFLICT DO NOTHING", stored)
            elif stored:  # one statement is a transaction
                places = ", ".join([self._places] * len(stored))
                cursor.execute(f"{self._head} {places} ON CONFLICT DO NOTHING", [value for row in stored for value in row])

    @cached_property
    def _head(self) -> str:
        columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in self._fields)
        return f"INSERT INTO {connection.ops.quote_name(self._table)} ({columns}) VALUES"

    @cached_property
    def _places(self) -> str:
        return f"({', '.join('%s' for _ in self._fields)})"

    @cached_property
    def _converters(self) -> list[Convert | None]:
        return [_converter(field) for field in self._fields]


def _converter(field: Any) -> Convert | None:
    """What makes of the field's values what the driver wants; None: nothing."""
    ops = connection.ops
    if isinstance(field, models.DecimalField):
        return lambda value: ops.adapt_decimalfield_value(value, field.max_digits, field.decimal_places)
    if isinstance(field, models.DateTimeField):
        return ops.adapt_datetimefield_value
    if isinstance(field, models.JSONField):
        return lambda value: ops.adapt_json_value(value, field.encoder)
    return None
