"""Run a query over many values at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, text

_LISTED: Final = {
    "sqlite": "SELECT value FROM json_each(:values)",
    "postgresql": "SELECT value FROM unnest(CAST(:values AS bigint[])) AS listed (value)",
}
_VALUES_AT_ONCE: Final = 5_000


def query_values(connection: Connection, query: str, values: Iterable[int]) -> Iterator[Any]:
    """Yield the rows of a query from `({listed})`, which has the column `value`, some at a time."""
    dialect = connection.dialect.name
    statement = text(query.format(listed=_LISTED[dialect]))
    left = iter(values)
    while some := list(islice(left, _VALUES_AT_ONCE)):
        written = some if dialect == "postgresql" else f"[{','.join(map(str, some))}]"
        yield from connection.execute(statement, {"values": written})
