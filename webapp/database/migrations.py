"""Bring the tables of one owner from the version in the database to the program's version.

Several owners can keep their tables in the same database. Each has a separate version table,
with one row: the number of steps that were run.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeAlias

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DatabaseError

from webapp.database.engine import Database, StoreError
from webapp.database.outages import StoreUnavailable, find_outage
from webapp.redaction import mask

Step: TypeAlias = Callable[[Connection], None]

_VERSION_TABLE: Final = "schema_version"


@dataclass(frozen=True, slots=True)
class Schema:
    """The steps that create and change the tables of one owner.

    Step n leads from version n to version n + 1. Steps are only ever appended, because old
    databases run all the steps they lack. `prefix` sets the owner's version table apart.
    """

    steps: tuple[Step, ...]
    prefix: str = ""

    @property
    def version_table(self) -> str:
        return self.prefix + _VERSION_TABLE


def migrate(database: Database, schema: Schema) -> bool:
    """Run the steps that the database lacks; return whether it had no tables of `schema` before.

    Raises `StoreUnavailable` if the database cannot be used now, and `StoreError` if it was made
    by a newer program or belongs to another program.
    """
    newest = len(schema.steps)
    with report_failures(database):
        with database.reader.connect() as connection:
            tables = inspect(connection).get_table_names()
            if _read_version(connection, schema, tables, database.name) == newest:
                return False
        with database.exclusive.begin() as connection:
            # Another process may have migrated while this one waited for the lock.
            tables = inspect(connection).get_table_names()
            version = _read_version(connection, schema, tables, database.name)
            if version is not None and version > newest:
                raise StoreError(
                    f"The store {database.name} has schema version {version}, and this program "
                    f"knows versions up to {newest}. Use a newer Readback."
                )
            if version is None:
                create_tables(connection, schema, version=newest)
                return True
            run_steps(connection, schema, version)
            return False


def migrate_all(database: Database, schemas: Iterable[Schema]) -> None:
    """Migrate the tables of several owners, whose versions are read in one transaction.

    Raises the errors of `migrate`.
    """
    with report_failures(database), database.reader.connect() as connection:
        tables = inspect(connection).get_table_names()
        outdated = [
            schema
            for schema in schemas
            if _read_version(connection, schema, tables, database.name) != len(schema.steps)
        ]
    for schema in outdated:
        migrate(database, schema)


def create_tables(connection: Connection, schema: Schema, *, version: int) -> None:
    """Create the tables of `schema` as they were in `version`, where there are none."""
    connection.execute(text(f"CREATE TABLE {schema.version_table} (version INTEGER NOT NULL)"))
    connection.execute(text(f"INSERT INTO {schema.version_table} (version) VALUES (0)"))
    for step in schema.steps[:version]:
        step(connection)
    _set_version(connection, schema, version)


def run_steps(connection: Connection, schema: Schema, version: int) -> None:
    """Bring tables of `version` to the newest one."""
    for step in schema.steps[version:]:
        step(connection)
    _set_version(connection, schema, len(schema.steps))


@contextmanager
def report_failures(database: Database) -> Iterator[None]:
    """Raise errors of the driver while the database is opened as a `StoreError` of one line."""
    try:
        yield
    except DatabaseError as error:
        problem = mask(str(error.orig).strip().partition("\n")[0])
        sentence = f"The store {database.name} cannot be opened: {problem}."
        outage = find_outage(error)
        raise (StoreUnavailable(sentence, outage) if outage else StoreError(sentence)) from error


def _set_version(connection: Connection, schema: Schema, version: int) -> None:
    update = text(f"UPDATE {schema.version_table} SET version = :version")
    connection.execute(update, {"version": version})


def _read_version(
    connection: Connection, schema: Schema, tables: Collection[str], name: str
) -> int | None:
    """Read the version of the schema's tables, or None if there are none among `tables`."""
    if schema.version_table in tables:
        query = text(f"SELECT version FROM {schema.version_table}")
        return int(connection.execute(query).scalar_one())
    if tables and not any(table.endswith(_VERSION_TABLE) for table in tables):
        raise StoreError(
            f"The database {name} belongs to another program: "
            "it has tables, and none of them is Readback's."
        )
    return None
