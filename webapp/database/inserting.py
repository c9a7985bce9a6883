"""Insert many rows by one statement, a few at a time."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from sqlalchemy import Connection, TextClause

ROWS_AT_ONCE: Final = 500


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
