"""Run one statement over many rows or values, some at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    connection: Connection, statement: TextClause, rows: Iterable[dict[str, object]]
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


def query_values(connection: Connection, query: str, values: Iterable[int]) -> Iterator[Any]:
    """Yield the rows of a query from `({listed})`, which has the column `value`, some at a time."""
    dialect = connection.dialect.name
    statement = text(query.format(listed=_LISTED[dialect]))
    left = iter(values)
    while some := list(islice(left, _VALUES_AT_ONCE)):
        written = some if dialect == "postgresql" else f"[{','.join(map(str, some))}]"
        yield from connection.execute(statement, {"values": written})
