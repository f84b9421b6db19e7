"""Queries that are asked all the time: Django puts their SQL together once, which takes many times as long as asking.

_OVER = PreparedQuery(lambda now: Alert.objects.filter(acknowledged_until__lte=now).values_list("pk"), DateTimeField())
if _OVER.finds(datetime_of(now)): …
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, Field, Model, QuerySet
from django.db.models.sql.compiler import SQLCompiler

M = TypeVar("M", bound=Model)


class Given(Expression):
    """Stands for a value that is given whenever the query is asked."""

    def __init__(self, place: int, field: "Field[Any, Any]") -> None:
        super().__init__(output_field=field)
        self.place = place

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)


class PreparedQuery:
    """The query that `build` makes of as many values as there are `fields`, each of the type of its field.

    Its columns are as the database has them: those of numbers, texts and keys are what Django would make of them.
    """

    def __init__(self, build: Callable[..., "QuerySet[Any, Any]"], *fields: "Field[Any, Any]") -> None:
        self._build, self._fields = build, fields
        self._sql: dict[str, tuple[str, tuple[Any, ...]]] = {}

    def rows(self, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows that there are with these values."""
        with connection.cursor() as cursor:
            cursor.execute(*self._statement(values))
            return list(cursor.fetchall())

    def objects(self, model: type[M], *values: object) -> list[M]:
        """Return the objects of `model` that there are with these values, if it selects all of its fields."""
        return list(model._default_manager.raw(*self._statement(values)))

    def finds(self, *values: object) -> bool:
        """Return whether there is a row with these values."""
        with connection.cursor() as cursor:
            cursor.execute(*self._statement(values))
            return cursor.fetchone() is not None

    def _statement(self, values: tuple[object, ...]) -> tuple[str, list[Any]]:
        known = self._sql.get(connection.vendor)
        if known is None:
            query = self._build(*(Given(place, field) for place, field in enumerate(self._fields))).query
            sql, parameters = query.get_compiler(connection.alias).as_sql()
            known = self._sql[connection.vendor] = sql, tuple(parameters)
        prepared = [field.get_db_prep_value(one, connection) for field, one in zip(self._fields, values, strict=True)]
        sql, parameters = known
        return sql, [prepared[one.place] if isinstance(one, Given) else one for one in parameters]
