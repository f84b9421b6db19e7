"""Everything that a database says of its schema, as lines that do not depend on the order of columns."""

import re
import sqlite3
from contextlib import closing

import psycopg

POSTGRESQL = """
WITH ours AS (SELECT *, relname LIKE ANY (ARRAY['auth\\_%', 'axes\\_%', 'django\\_%', 'metrics\\_%']) AS by_django
    FROM pg_class WHERE relnamespace = 'public'::regnamespace)
SELECT concat_ws(' ', 'table', relname, relkind, relpersistence, reloptions::text) FROM ours
    WHERE relkind NOT IN ('i', 'S')
UNION ALL SELECT concat_ws(' ', 'column', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull,
    attidentity, attstorage, attcompression, attstattarget, attoptions::text, pg_get_expr(adbin, adrelid))
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid IN (SELECT oid FROM ours WHERE relkind = 'r') AND attnum > 0 AND NOT attisdropped
UNION ALL SELECT concat_ws(' ', 'constraint', conrelid::regclass, convalidated, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
UNION ALL SELECT concat_ws(' ', 'index', indisvalid, reloptions::text,
    CASE WHEN by_django THEN replace(pg_get_indexdef(oid), relname, '') ELSE pg_get_indexdef(oid) END)
    FROM ours JOIN pg_index ON indexrelid = oid
UNION ALL SELECT concat_ws(' ', 'sequence', refobjid::regclass, refobjsubid, seqtypid::regtype, seqstart, seqincrement,
    seqmax, seqmin, seqcycle) FROM pg_sequence JOIN pg_depend ON objid = seqrelid AND deptype = 'i'
UNION ALL SELECT concat_ws(' ', 'trigger', tgrelid::regclass, tgname) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT concat_ws(' ', 'migration', app, name) FROM django_migrations"""
"""Without the names that Django made of those of tables and columns: they stay when these are renamed."""


def of(url: str) -> list[str]:
    """Return what the schema of the database at `url` consists of, and which migrations it notes."""
    return sorted(_on_sqlite(url.removeprefix("sqlite:///")) if url.startswith("sqlite:") else _on_postgresql(url))


def _on_postgresql(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [line for (line,) in connection.execute(POSTGRESQL)]


def _on_sqlite(file: str) -> list[str]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        made = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        noted = connection.execute("SELECT 'migration ' || app || ' ' || name FROM django_migrations").fetchall()
    lines = [line for (line,) in noted]
    for type, name, sql in made:
        lines += [f"{type} {name} {part}" for part in (_parts(sql) if type == "table" else [sql])]
    return lines


def _parts(sql: str) -> list[str]:
    """Return the columns and constraints of CREATE TABLE, each with all that is said of it."""
    return re.split(r", (?=[\"A-Z])", sql.removesuffix(")"))
