"""Asks a database: one query that reads; its columns become samples."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from metrics.sample import METRIC_NAME_MOST
from metrics.sources.base import Noted, SourceKind
from metrics.sources.databases import mysql, postgresql, sqlite
from metrics.sources.databases.table import Table, reads, samples
from metrics.sources.fields import Unit, check_metrics
from metrics.sources.server import HOST, ServerConfig


class SqlConfig(ServerConfig):
    """Which database to ask, and what."""

    engine: Literal["postgresql", "mysql", "mariadb", "sqlite"] = Field(
        title="Kind of database", description="The kind of database."
    )
    host: str = Field(default="", max_length=255, pattern=HOST, description="As for every server; none for SQLite.")
    database: str = Field(min_length=1, max_length=500, description="Its name; for SQLite, the path of the file.")
    query: str = Field(max_length=10_000, description="One statement that reads: SELECT, WITH, VALUES or TABLE.")
    metric: str = Field(max_length=METRIC_NAME_MOST, description="Metric of the column value.")
    units: dict[str, Unit] = Field(default_factory=dict, max_length=20, description="Units of columns, by name.")
    rows_most: int = Field(
        default=1000, ge=1, le=10_000, title="Rows at most", description="More rows than this are an error."
    )

    @field_validator("query")
    @classmethod
    def _reads(cls, query: str) -> str:
        if not reads(query):
            raise ValueError("it has to be one statement that reads, and begin with SELECT, WITH, VALUES or TABLE")
        return query

    @field_validator("metric")
    @classmethod
    def _is_a_name(cls, metric: str) -> str:
        check_metrics([metric])
        return metric

    @model_validator(mode="after")
    def _has_a_place(self) -> Self:
        if self.engine == "sqlite" and self.host:
            raise ValueError("host belongs to a server, and SQLite has none")
        if self.engine != "sqlite" and not self.host:
            raise ValueError("host has to be given")
        return self


class Sql(SourceKind[SqlConfig]):
    """A query on PostgreSQL, MySQL, MariaDB or SQLite."""

    kind = "sql"
    config_class = SqlConfig

    def collect(self, config: SqlConfig) -> Noted:
        return samples(ask(config), config.metric, config.units)


def ask(config: SqlConfig) -> Table:
    """Return what the query returns. Raises SourceError."""
    if config.engine == "sqlite":
        return sqlite.query(config.database, config.query, config.rows_most, config.timeout_s)
    query = postgresql.query if config.engine == "postgresql" else mysql.query
    return query(config, config.database, config.query, config.rows_most)
