"""Open a PostgreSQL database: its driver, its pool, its isolation and the write lock."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

from webapp.database.engine import Database, StoreError, may_write, takes_write_lock

if TYPE_CHECKING:
    import psycopg

_DRIVER: Final = "postgresql+psycopg"
_CONNECTIONS: Final = 16
"""Per process; a server allows a hundred in all by default."""
_CONNECT_SECONDS: Final = 10
_WAIT_SECONDS: Final = 60
"""The longest wait for a free connection, and for a lock."""
_TIMEOUTS: Final = (
    ("lock_timeout", f"{_WAIT_SECONDS}s"),
    ("statement_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
)
_PATIENT: Final = "patient"
# Any number that no other program locks in this database.
_WRITE_LOCK: Final = 0x5EADBAC4
_DO_NOT_COMPILE: Final = (
    "SELECT set_config('jit', 'off', false) FROM pg_settings WHERE name = 'jit'"
)


def open_postgres(url: URL, *, is_patient: bool) -> Database:
    """Open the database that `url` names, which must exist and be in UTF-8.

    Reads keep to the server's bounds on statements, unless it `is_patient`.

    Connects on first use. Raises `StoreError` if the driver is another one or is missing.
    """
    # A statement that waited for a lock must see the commits made while it waited.
    return Database.from_engine(
        create_postgres_engine(url, is_patient=is_patient), isolation_level="READ COMMITTED"
    )


def create_postgres_engine(
    url: URL,
    *,
    is_patient: bool = False,
    options: Mapping[str, object] | None = None,
    pool_seconds: float = _WAIT_SECONDS,
) -> Engine:
    """Create an engine of transactions that see one moment; see `open_postgres`.

    `options` are options of the driver that the URL may change. The wait for a free connection ends
    after `pool_seconds`.
    """
    if url.drivername not in ("postgresql", _DRIVER):
        raise StoreError(f"The store's address must begin with {_DRIVER}://.")
    if find_spec("psycopg") is None:
        raise StoreError("A store in PostgreSQL needs its driver: pip install 'readback[postgres]'")
    defaults = {
        "connect_timeout": _CONNECT_SECONDS,
        "application_name": "readback",
        **(options or {}),
    }
    unset = {name: value for name, value in defaults.items() if name not in url.query}
    engine = create_engine(
        url.set(drivername=_DRIVER),
        # Parameters are people's messages; they must not get into the text of an error.
        hide_parameters=True,
        isolation_level="REPEATABLE READ",
        # The server may have been restarted since a connection was last used.
        pool_pre_ping=True,
        pool_size=_CONNECTIONS,
        max_overflow=0,
        pool_timeout=pool_seconds,
        connect_args=unset | {"client_encoding": "UTF8"},
        execution_options={_PATIENT: is_patient},
    )
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "before_cursor_execute", _replace_nul, retval=True)
    event.listen(engine, "do_execute", _copy)
    event.listen(engine, "do_executemany", _copy)
    return engine


def _set_up(connection: psycopg.Connection, _record: object) -> None:
    """Compile no statements; prepare none if this is not a connection to the server itself.

    Our statements read few rows of many indexes, which the server takes for expensive: compiling
    them would take longer than they do. A pooler in transaction mode gives each transaction another
    of its connections, which other programs use too. It may lack the prepared statement, or have it
    already. A pooler reports its process id in place of the server's.
    """
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    if row is not None and row[0] == connection.info.backend_pid:
        # PostgreSQL may be older than 11, or built without the compiler.
        connection.execute(_DO_NOT_COMPILE)
    else:
        connection.prepare_threshold = None
    connection.commit()


def _replace_nul(
    _connection: Connection,
    _cursor: object,
    statement: str,
    parameters: Any,
    _context: object,
    executemany: bool,
) -> tuple[str, Any]:
    """Replace NUL in bound texts, which PostgreSQL refuses: requests ask for such ids and names.

    What is looked for is then not found, and what is stored has U+FFFD in its place.
    """
    rows = parameters if executemany else [parameters]
    if any(_has_nul(value) for row in rows if isinstance(row, dict) for value in row.values()):
        replaced = [
            {
                name: value.replace("\0", "\ufffd") if _has_nul(value) else value
                for name, value in row.items()
            }
            for row in rows
        ]
        parameters = replaced if executemany else replaced[0]
    return statement, parameters


def _has_nul(value: object) -> bool:
    return isinstance(value, str) and "\0" in value


def _copy(cursor: Any, statement: str, parameters: Any, _context: object) -> bool:
    """Send the rows of a COPY; return False for another statement, which SQLAlchemy executes."""
    if not statement.startswith("COPY "):
        return False
    with cursor.copy(statement) as copy:
        for row in parameters if isinstance(parameters, list) else [parameters]:
            copy.write_row(row)
    return True


def _begin(connection: Connection) -> None:
    """Set the time-outs of a transaction that may write or is patient; take the write lock if it
    wants it.

    Its wait for locks is bounded. The server's bounds on statements and on pauses between them are
    for others: an import that goes beyond one would meet it again each time.

    Raises `StoreError` if the database is not in UTF-8. The check costs no query: the server
    reports the encoding when a connection is made.
    """
    driver_connection: psycopg.Connection | None = connection.connection.driver_connection
    assert driver_connection is not None
    encoding = driver_connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StoreError(
            f"The database {connection.engine.url.database} is in {encoding}, which cannot hold "
            "every text. Create it with: createdb --encoding=UTF8 --template=template0"
        )
    if may_write(connection) or connection.get_execution_options()[_PATIENT]:
        lock = f", pg_advisory_xact_lock({_WRITE_LOCK})" if takes_write_lock(connection) else ""
        settings = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in _TIMEOUTS)
        connection.exec_driver_sql(f"SELECT {settings}{lock}")
