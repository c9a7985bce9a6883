"""Statements that write or read many rows, some at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, TextClause, text

ROWS_AT_ONCE: Final = 500

_LISTED: Final = {
    "sqlite": "SELECT value FROM json_each(:values)",
    "postgresql": "SELECT value FROM unnest(CAST(:values AS bigint[])) AS listed (value)",
}
_VALUES_AT_ONCE: Final = 5_000


def insert_rows(
    connection: Connection, statement: TextClause, rows: Iterable[Mapping[str, object]]
) -> None:
    """Insert a few rows at a time: the driver keeps several copies of all that it inserts."""
    rows = iter(rows)
    while some := list(islice(rows, ROWS_AT_ONCE)):
        # PostgreSQL's driver begins and ends a pipeline for a list, also of one row.
        values = some if len(some) > 1 else some[0]
        if connection.dialect.name == "sqlite":
            # Its driver takes the names as they are; SQLAlchemy would rewrite each row.
            connection.exec_driver_sql(statement.text, values)
        else:
            connection.execute(statement, values)


def insert_whole(
    connection: Connection, table: str, columns: Sequence[str], rows: Iterable[tuple[object, ...]]
) -> None:
    """Insert rows with these columns, whose texts have no NUL.

    PostgreSQL gets them as a COPY: as single rows, they take its driver and the server several
    times as long.
    """
    places = ", ".join("?" * len(columns))
    written = {
        "sqlite": f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})",
        "postgresql": f"COPY {table} ({', '.join(columns)}) FROM STDIN",
    }
    rows = iter(rows)
    while some := list(islice(rows, ROWS_AT_ONCE)):
        connection.exec_driver_sql(written[connection.dialect.name], some)


def execute_with_values(connection: Connection, statement: str, values: Iterable[int]) -> list[Any]:
    """Execute a statement that reads `({listed})`, which has the column `value`, some at a time.

    Return the rows that it returns.
    """
    dialect = connection.dialect.name
    built = text(statement.format(listed=_LISTED[dialect]))
    rows: list[Any] = []
    left = iter(values)
    while some := list(islice(left, _VALUES_AT_ONCE)):
        written = some if dialect == "postgresql" else f"[{','.join(map(str, some))}]"
        result = connection.execute(built, {"values": written})
        rows += result if result.returns_rows else ()
    return rows
