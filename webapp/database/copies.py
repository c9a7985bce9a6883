"""Copy a whole database into one file while it is used, and such a file into an empty database.

A copy of SQLite is a SQLite file. A copy of PostgreSQL is a zip file: the rows of each table as
COPY writes them, and `manifest.json` with the versions of the tables. Each kind can be restored
only into a database of the same kind.
"""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import URL, Connection, inspect, text

from webapp.database.engine import Database, StoreError
from webapp.database.migrations import (
    Schema,
    create_tables,
    migrate_all,
    report_failures,
    run_steps,
)
from webapp.database.outages import report_driver
from webapp.database.sqlite import open_sqlite

if TYPE_CHECKING:
    import psycopg

_SQLITE_MAGIC: Final = b"SQLite format 3\0"
_MANIFEST: Final = "manifest.json"
_FORMAT: Final = "readback-postgresql-1"
_PIECE: Final = 1024 * 1024
_PAGES: Final = 1_024
"""Pages of SQLite that are copied at once; a signal stops a copy after them."""


@dataclass(frozen=True, slots=True)
class _Manifest:
    """The contents of a PostgreSQL copy: versions by version table, columns by table, sequences."""

    versions: dict[str, int]
    tables: dict[str, list[str]]
    sequences: dict[str, tuple[int, bool]]


def back_up(database: Database, schemas: Sequence[Schema], file: Path) -> None:
    """Write a copy of one moment of `database` to `file`, which its owner alone can read.

    Tables that are missing or old are migrated first. Readers and writers go on meanwhile. Raises
    `StoreError` if the file exists or the database cannot be used.
    """
    if file.exists():
        raise StoreError(f"{file} exists already; name a new file.")
    migrate_all(database, schemas)
    handle, name = tempfile.mkstemp(prefix=f"{file.name}-", dir=file.parent)
    unfinished = Path(name)
    try:
        with report_failures(database):
            if _is_sqlite(database):
                os.close(handle)
                with (
                    closing(sqlite3.connect(database.name)) as opened,
                    closing(sqlite3.connect(unfinished)) as copy,
                ):
                    # Not `VACUUM INTO`, which would give rows other rowids.
                    _copy_pages(opened, copy)
                    # A single file, without one for its log.
                    copy.execute("PRAGMA journal_mode=DELETE")
            else:
                with os.fdopen(handle, "wb") as output, database.reader.connect() as connection:
                    _write_archive(connection, schemas, output)
        with unfinished.open("rb") as written:
            os.fsync(written.fileno())
        # Unlike a rename, a link never replaces a file that another process made meanwhile.
        os.link(unfinished, file)
    finally:
        for left in (unfinished, Path(f"{name}-journal")):
            left.unlink(missing_ok=True)


def restore(
    database: Database, schemas: Sequence[Schema], file: Path, *, emptied: Sequence[str] = ()
) -> None:
    """Fill `database`, which must have no tables, from a copy; migrate tables that are older.

    All or nothing is restored, without the rows of the `emptied` tables. Raises `StoreError` if the
    database has tables, or if the file is damaged, of another kind of database or of a newer
    Readback.
    """
    if not stat.S_ISREG(file.stat().st_mode):
        # The end of a device is never reached, and a pipe cannot be read twice.
        raise StoreError(f"{file} is no file; a backup is restored from one.")
    with file.open("rb") as opened:
        is_sqlite_copy = opened.read(len(_SQLITE_MAGIC)) == _SQLITE_MAGIC
    if not is_sqlite_copy and not zipfile.is_zipfile(file):
        raise StoreError(f"{file} is no backup of Readback.")
    if is_sqlite_copy != _is_sqlite(database):
        made, wanted = ("SQLite", "PostgreSQL") if is_sqlite_copy else ("PostgreSQL", "SQLite")
        raise StoreError(
            f"{file} is a backup of {made}, and DATABASE_URL is {wanted}. To move completions "
            "between them, use: readback export, then readback import"
        )
    with report_failures(database), database.reader.connect() as connection:
        if inspect(connection).get_table_names():
            raise StoreError(
                f"The store {database.name} is not empty. Restore into a new database, and point "
                "DATABASE_URL at it."
            )
    with report_failures(database):
        if is_sqlite_copy:
            _restore_sqlite(file, Path(database.name), schemas, emptied)
        else:
            with database.writer.begin() as connection:
                versions = _read_archive(connection, schemas, file)
                _complete(connection, schemas, versions, emptied)


def _is_sqlite(database: Database) -> bool:
    return database.reader.dialect.name == "sqlite"


def _complete(
    connection: Connection,
    schemas: Sequence[Schema],
    versions: Mapping[str, int],
    emptied: Sequence[str],
) -> None:
    """Migrate the restored tables, create those that the copy lacks, and empty some.

    `versions` are by version table.
    """
    for schema in schemas:
        version = versions.get(schema.version_table)
        if version is None:
            create_tables(connection, schema, version=len(schema.steps))
        else:
            run_steps(connection, schema, version)
    for table in emptied:
        connection.execute(text(f"DELETE FROM {table}"))


def _restore_sqlite(
    file: Path, target: Path, schemas: Sequence[Schema], emptied: Sequence[str]
) -> None:
    """Complete the tables in another file beside `target`, which is then filled at once."""
    damaged = StoreError(f"{file} is damaged.")
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as copy:
        try:
            if copy.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise damaged
            names = {name for (name,) in copy.execute("SELECT name FROM sqlite_master")}
            versions = {
                schema.version_table: copy.execute(
                    f"SELECT version FROM {schema.version_table}"
                ).fetchone()[0]
                for schema in schemas
                if schema.version_table in names
            }
        except sqlite3.DatabaseError as error:
            raise damaged from error
        _check_versions(file, versions, schemas)
        with tempfile.TemporaryDirectory(prefix=f"{target.name}-", dir=target.parent) as folder:
            complete = Path(folder, "complete")
            with closing(sqlite3.connect(complete)) as filled:
                _copy_pages(copy, filled)
            with (
                closing(open_sqlite(URL.create("sqlite", database=str(complete)))) as database,
                database.exclusive.begin() as connection,
            ):
                _complete(connection, schemas, versions, emptied)
            with (
                closing(sqlite3.connect(complete)) as source,
                closing(sqlite3.connect(target)) as filled,
            ):
                _copy_pages(source, filled)


def _copy_pages(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Copy all pages as they are at one moment, which a transaction holds."""
    source.execute("BEGIN")
    source.execute("SELECT 1 FROM sqlite_master").fetchone()
    # Between the pieces this calls Python code, in which a signal can raise its error.
    source.backup(target, pages=_PAGES, progress=lambda *_: None)
    source.rollback()


def _check_versions(file: Path, versions: dict[str, int], schemas: Sequence[Schema]) -> None:
    """Raise `StoreError` unless this program can read tables of these versions."""
    if not versions:
        raise StoreError(f"{file} is no backup of Readback.")
    if any(versions.get(one.version_table, 0) > len(one.steps) for one in schemas):
        raise StoreError(f"{file} was made by a newer Readback. Use that one or a later one.")


def _write_archive(connection: Connection, schemas: Sequence[Schema], output: Any) -> None:
    """Write the rows that this transaction sees; its first query fixes the moment."""
    driver = _find_driver(connection)
    manifest = _Manifest(
        versions={
            one.version_table: connection.execute(
                text(f"SELECT version FROM {one.version_table}")
            ).scalar_one()
            for one in schemas
        },
        tables=_list_tables(connection),
        # Sequences are in no transaction: read now, they are not older than the rows.
        sequences=_read_sequences(connection),
    )
    with (
        report_driver(connection),
        zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for table, columns in manifest.tables.items():
            with (
                archive.open(f"tables/{table}", "w", force_zip64=True) as member,
                driver.cursor() as cursor,
                cursor.copy(_compose_copy(connection, table, columns, "TO STDOUT")) as rows,
            ):
                for block in rows:
                    member.write(block)
        contents = {
            "format": _FORMAT,
            "versions": manifest.versions,
            "tables": manifest.tables,
            "sequences": manifest.sequences,
        }
        archive.writestr(_MANIFEST, json.dumps(contents, indent=1))


def _read_sequences(connection: Connection) -> dict[str, tuple[int, bool]]:
    """Read the value of each sequence, and whether it is a past one or the next."""
    query = text("SELECT sequencename FROM pg_sequences WHERE schemaname = current_schema()")
    quote = connection.dialect.identifier_preparer.quote_identifier
    found = {}
    for name in connection.execute(query).scalars().all():
        state = connection.execute(text(f"SELECT last_value, is_called FROM {quote(name)}"))
        last, is_called = state.one()
        found[name] = (last, is_called)
    return found


def _list_tables(connection: Connection) -> dict[str, list[str]]:
    """List the columns of each table that holds rows itself, referenced tables first."""
    query = text(
        "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'"
        " AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''"
        " ORDER BY c.relname, a.attnum"
    )
    columns: dict[str, list[str]] = {}
    for table, column in connection.execute(query):
        columns.setdefault(table, []).append(column)
    ordered = inspect(connection).get_sorted_table_and_fkc_names()
    return {name: columns[name] for name, _ in ordered if name is not None and name in columns}


def _read_archive(
    connection: Connection, schemas: Sequence[Schema], file: Path
) -> Mapping[str, int]:
    """Create the tables as they were in the versions of the copy, and fill them.

    Return the versions.
    """
    driver = _find_driver(connection)
    with _report_damage(file), report_driver(connection), zipfile.ZipFile(file) as archive:
        manifest = _read_manifest(file, archive)
        _check_versions(file, manifest.versions, schemas)
        for schema in schemas:
            version = manifest.versions.get(schema.version_table)
            if version is not None:
                create_tables(connection, schema, version=version)
        known = _list_tables(connection)
        for table, columns in manifest.tables.items():
            if not set(columns) <= set(known.get(table, ())):
                raise StoreError(f"{file} has a table that is not Readback's: {table}.")
        # The steps that create tables put a few rows into them.
        for table in reversed(known):
            connection.execute(text(f'DELETE FROM "{table}"'))
        for table, columns in manifest.tables.items():
            with (
                archive.open(f"tables/{table}") as member,
                driver.cursor() as cursor,
                cursor.copy(_compose_copy(connection, table, columns, "FROM STDIN")) as rows,
            ):
                while block := member.read(_PIECE):
                    rows.write(block)
        for name, (last, is_called) in manifest.sequences.items():
            connection.execute(
                text("SELECT setval(quote_ident(:name)::regclass, :last, :is_called)"),
                {"name": name, "last": last, "is_called": is_called},
            )
    return manifest.versions


def _read_manifest(file: Path, archive: zipfile.ZipFile) -> _Manifest:
    try:
        read = json.loads(archive.read(_MANIFEST))
        if read["format"] != _FORMAT:
            raise StoreError(f"{file} was made by a newer Readback. Use that one or a later one.")
        return _Manifest(read["versions"], read["tables"], read["sequences"])
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{file} is no backup of Readback.") from error


@contextmanager
def _report_damage(file: Path) -> Iterator[None]:
    """Raise an archive that cannot be read to its end as a `StoreError`."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise StoreError(f"{file} is damaged.") from error


def _find_driver(connection: Connection) -> psycopg.Connection:
    """Find the driver's connection, in the transaction that `connection` has begun."""
    connection.execute(text("SELECT 1"))
    return cast("psycopg.Connection", connection.connection.driver_connection)


def _compose_copy(
    connection: Connection, table: str, columns: Sequence[str], direction: str
) -> bytes:
    quote = connection.dialect.identifier_preparer.quote_identifier
    return f"COPY {quote(table)} ({', '.join(map(quote, columns))}) {direction}".encode()
