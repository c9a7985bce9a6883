"""Give up a server that keeps a connection open but does not answer.

TCP does not notice that: the kernel acknowledges data for a server that hangs.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import psycopg

if TYPE_CHECKING:
    from psycopg.abc import RV, PQGen

ANSWER_SECONDS: Final = 2.0
"""Without a byte, after which a server is given up that has next to nothing to do."""


class ImpatientConnection(psycopg.Connection[Any]):
    """A connection that is closed, and fails, after `patience` seconds without a byte."""

    patience = ANSWER_SECONDS

    def wait(self, gen: PQGen[RV], *args: Any, **options: Any) -> RV:
        return super().wait(self._bound(gen), *args, **options)

    def _bound(self, generator: PQGen[RV]) -> PQGen[RV]:
        until = time.monotonic() + self.patience
        try:
            wanted = next(generator)
            while True:
                # The driver resumes it several times a second, also if nothing can be read.
                ready = yield wanted
                if ready:
                    until = time.monotonic() + self.patience
                elif time.monotonic() > until:
                    self.close()
                    raise psycopg.errors.ConnectionFailure("the server does not answer")
                wanted = generator.send(ready)
        except StopIteration as ended:
            value: RV = ended.value
            return value


def connect(
    _dialect: object, _record: object, arguments: list[Any], options: dict[str, Any]
) -> psycopg.Connection[Any]:
    """Connect in place of SQLAlchemy, as a listener of its event "do_connect"."""
    return ImpatientConnection.connect(*arguments, **options)
