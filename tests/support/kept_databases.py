"""Lend databases on PostgreSQL that already have the tables of an application and its store.

Making those tables costs more than most tests do with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import psycopg
from sqlalchemy import make_url

from tools.postgres import PostgresServer

_SCHEMA: Final = """
    SELECT md5(string_agg(line, ' ' ORDER BY line)) FROM (
        SELECT concat(oid, relname, reloptions) AS line FROM pg_class
        WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT concat(attrelid, attname, atttypid, attnotnull, atthasdef)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT concat(oid, conname) FROM pg_constraint
        UNION ALL SELECT concat(oid, tgenabled) FROM pg_trigger
        UNION ALL SELECT concat(oid, proname) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT extname FROM pg_extension
        UNION ALL SELECT concat(setdatabase, setconfig) FROM pg_db_role_setting
        UNION ALL SELECT 'statistics' FROM pg_statistic JOIN pg_class ON pg_class.oid = starelid
        WHERE relnamespace = 'public'::regnamespace
    ) AS lines
"""
"""A digest of all that a test could change apart from rows; what is made anew has another oid."""

_IS_LARGE: Final = "SELECT pg_database_size(current_database()) > 32 * 1024 * 1024"
"""Deleting many rows costs more than making new tables, and leaves the space to be read."""


@dataclass(frozen=True, slots=True)
class _Kept:
    name: str
    schema: object
    empty: str
    """Statements that bring its rows back to those of an empty store."""


@dataclass
class KeptDatabases:
    """Databases of `server` whose tables `create_tables` makes, for one test after the other."""

    server: PostgresServer
    create_tables: Callable[[str], None]
    _free: list[_Kept] = field(default_factory=list)

    @contextmanager
    def lend(self) -> Iterator[str]:
        """Yield the URL of a database with the tables of an empty store.

        If the caller changes more than rows, or adds very many, no other gets the database.
        """
        kept = self._free.pop() if self._free else self._create()
        url = self.server.url(kept.name)
        yield url
        with self._connect(url) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            unchanged = connection.execute(_SCHEMA).fetchone() == kept.schema
            reusable = unchanged and connection.execute(_IS_LARGE).fetchone() == (False,)
            if reusable:
                connection.execute(kept.empty)
        if reusable:
            self._free.append(kept)
        else:
            self.server.run(f"DROP DATABASE {kept.name} WITH (FORCE)")

    def _create(self) -> _Kept:
        name = self.server.create("UTF8")
        url = self.server.url(name)
        self.create_tables(url)
        with self._connect(url) as connection:
            tables = connection.execute(
                "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall()
            sequences = connection.execute(
                "SELECT quote_ident(sequencename), start_value FROM pg_sequences"
            ).fetchall()
            statements = ["SET session_replication_role = replica"]
            connection.execute("CREATE SCHEMA kept")
            for (table,) in tables:
                connection.execute(f"CREATE TABLE kept.{table} AS TABLE public.{table}")
                statements.append(f"DELETE FROM public.{table}")
                if connection.execute(f"SELECT FROM kept.{table}").rowcount:
                    statements.append(f"INSERT INTO public.{table} TABLE kept.{table}")
            statements += [f"ALTER SEQUENCE {one} RESTART WITH {start}" for one, start in sequences]
            schema = connection.execute(_SCHEMA).fetchone()
        return _Kept(name, schema, ";".join(statements))

    def _connect(self, url: str) -> psycopg.Connection[tuple[object, ...]]:
        address = make_url(url).set(drivername="postgresql")
        return psycopg.connect(address.render_as_string(), autocommit=True)
