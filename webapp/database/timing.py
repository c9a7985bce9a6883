"""Count statements and their failures, in all databases of this process."""

from __future__ import annotations

import time
from typing import Any, Final

from sqlalchemy import Connection, Engine, ExceptionContext, event

from webapp.database.outages import find_outage
from webapp.monitoring.metrics import count_statement, count_store_error

_STARTED: Final = "readback_started"


def time_statements() -> None:
    """Count from now on; forks of this process do so as well."""
    event.listen(Engine, "before_cursor_execute", _begin)
    event.listen(Engine, "after_cursor_execute", _end)
    event.listen(Engine, "handle_error", _fail)


def _begin(connection: Connection, *_: Any) -> None:
    connection.info[_STARTED] = time.perf_counter()


def _end(connection: Connection, *_: Any) -> None:
    count_statement(time.perf_counter() - connection.info[_STARTED])


def _fail(context: ExceptionContext) -> None:
    error = context.sqlalchemy_exception
    outage = find_outage(error) if error is not None else None
    if outage is not None:
        count_store_error(outage.value)
