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

    @event.listens_for(Engine, "before_cursor_execute")
    def begin(connection: Connection, *_: Any) -> None:
        connection.info[_STARTED] = time.perf_counter()

    @event.listens_for(Engine, "after_cursor_execute")
    def end(connection: Connection, *_: Any) -> None:
        count_statement(time.perf_counter() - connection.info[_STARTED])

    @event.listens_for(Engine, "handle_error")
    def fail(context: ExceptionContext) -> None:
        error = context.sqlalchemy_exception
        outage = find_outage(error) if error is not None else None
        if outage is not None:
            count_store_error(outage.value)
